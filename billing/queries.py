"""Reads of accounts, bill groups, settings and accounting periods."""

import calendar
import re
from datetime import date

from billing.models import AccountingPeriod, BillGroup, InvoicingSettings, LegalEntity

PUBLIC_ID = re.compile(r"(?:BG-)?0*([1-9][0-9]{0,17})\Z", re.IGNORECASE | re.ASCII)


def invoicing_settings(legal_entity: LegalEntity) -> InvoicingSettings:
    """Return how a legal entity invoices; the defaults where nothing was saved."""
    return InvoicingSettings.objects.filter(
        legal_entity=legal_entity
    ).first() or InvoicingSettings(legal_entity=legal_entity)


def bill_group_by_public_id(text: str) -> BillGroup | None:
    """Return the bill group whose public id a person typed, such as BG-000123."""
    match = PUBLIC_ID.match(text.strip())
    if match is None:
        return None
    return (
        BillGroup.objects.select_related("account", "legal_entity")
        .filter(pk=int(match[1]))
        .first()
    )


def closed_through(legal_entity: LegalEntity) -> date | None:
    """Return the last day of the newest closed month; months close in order (M6)."""
    month = (
        AccountingPeriod.objects.filter(
            legal_entity=legal_entity, state=AccountingPeriod.State.CLOSED
        )
        .order_by("-month")
        .values_list("month", flat=True)
        .first()
    )
    if month is None:
        return None
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])
