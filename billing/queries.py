"""Reads of accounts, bill groups, settings and accounting periods."""

import calendar
import re
from collections.abc import Iterable
from datetime import date, timedelta

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q, QuerySet

from billing.domain.portal import DemandedField, Demands
from billing.domain.portal_files import split_source
from billing.models import (
    Account,
    AccountingPeriod,
    BillGroup,
    InvoicingSettings,
    LegalEntity,
    PortalProfile,
)
from customfields.queries import labels_in_use

MOST_ACCOUNTS = 500
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


def closable_month(legal_entity: LegalEntity, *, today: date) -> date | None:
    """Return the first day of the month to close next; None while it has not ended.

    It follows the last closed month; where none was closed, it is the last that ended
    (M6).
    """
    this_month = today.replace(day=1)
    closed = closed_through(legal_entity)
    if closed is None:
        return (this_month - timedelta(days=1)).replace(day=1)
    following = closed + timedelta(days=1)
    return following if following < this_month else None


def search_accounts(accounts: QuerySet[Account], text: str) -> QuerySet[Account]:
    """Return the accounts whose number begins like the text, or with its words as name.

    Words of a name are found by their beginnings, all of them, in any order and case.
    Uses the indexes of the number and `account_search`.
    """
    text = text.strip()
    found = Q(number__startswith=text) | Q(number__startswith=text.upper())
    words = re.findall(r"\w+", text)
    if not words:
        return accounts.filter(found) if text else accounts.none()
    query = SearchQuery(
        " & ".join(f"{word}:*" for word in words), search_type="raw", config="simple"
    )
    names = SearchVector("name", config="simple")
    return accounts.annotate(names=names).filter(found | Q(names=query))


def bill_groups_by_po_number(text: str) -> QuerySet[BillGroup]:
    """Return the bill groups with this PO number, as it is written or in capitals."""
    return (
        BillGroup.objects.filter(po_number__in={text, text.upper()})
        .exclude(po_number="")
        .select_related("account")
        .order_by("pk")
    )


def search_bill_groups(groups: QuerySet[BillGroup], text: str) -> QuerySet[BillGroup]:
    """Return the bill groups with this public id, PO number or account."""
    found = Q(po_number__in={text, text.upper()} - {""})
    if match := PUBLIC_ID.match(text.strip()):
        found |= Q(pk=int(match[1]))
    accounts = search_accounts(Account.objects.all(), text)
    owners = list(accounts.values_list("pk", flat=True)[:MOST_ACCOUNTS])
    # Ids, because a subquery beside an OR reads every row.
    return groups.filter(found | Q(account__in=owners))


def demands_of(profiles: Iterable[PortalProfile]) -> dict[int, Demands]:
    """Return what portals ask for by their ids; a field that is archived no more."""
    portals = {profile.pk: profile for profile in profiles}
    asked = any(profile.required_fields for profile in portals.values())
    labels = labels_in_use() if asked else {}
    return {
        pk: Demands(
            po_number=profile.po_number_required,
            customer_tax_id=profile.customer_tax_id_required,
            seller_tax_id=profile.seller_tax_id_required,
            fields=tuple(
                DemandedField(owner=named[0], key=named[1], label=labels[named])
                for source in profile.required_fields
                if (named := split_source(source)) in labels and named is not None
            ),
        )
        for pk, profile in portals.items()
    }
