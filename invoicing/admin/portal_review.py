"""What reviews of the portal worklist show: documents, sums, and what to look at."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet

from billing.display import badge, money_text
from config.adminsite.actions import Figure
from config.clock import today_in
from invoicing.choices import PORTAL_STATES
from invoicing.domain.portal import PortalState
from invoicing.models import PortalSubmission
from invoicing.queries.portal import missing_of
from invoicing.queries.portal_pairs import pairs_of, superseded_uncredited

SENTENCES_SHOWN: Final = 8


def rows_of(chosen: QuerySet[Any]) -> list[PortalSubmission]:
    """Return the chosen documents with what a review shows of them."""
    return list(
        chosen.select_related(
            "invoice__account", "credit_note", "portal", "bill_group__account"
        ).order_by("issue_date", "pk")
    )


def today_of(row: PortalSubmission) -> date:
    """Return today where the seller is."""
    return today_in(row.bill_group.legal_entity.time_zone)


def figures_of(rows: Iterable[PortalSubmission]) -> tuple[Figure, ...]:
    """Return how many documents there are, and their totals by kind and currency."""
    rows = list(rows)
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = (
            "Credit notes" if row.credit_note_id else "Invoices",
            row.invoice.currency,
        )
        sums[key] = sums.get(key, Decimal(0)) + row.document.total
    return (
        Figure(label="Documents", value=f"{len(rows):,}"),
        *(
            Figure(label=kind, value=f"{money_text(total, code)} {code}")
            for (kind, code), total in sorted(sums.items(), reverse=True)
        ),
    )


def documents_of(rows: Iterable[PortalSubmission]) -> list[dict[str, Any]]:
    """Return the rows of a review's table."""
    return [
        {"row": row, "badge": badge(PORTAL_STATES.badge(row.standing))} for row in rows
    ]


def warnings_of(rows: Sequence[PortalSubmission], to: PortalState) -> tuple[str, ...]:
    """Return what to look at before documents are uploaded; nothing for other steps."""
    if to is not PortalState.SUBMITTED:
        return ()
    chosen = {row.pk for row in rows}
    missing, pairs = missing_of(rows), pairs_of(rows)
    uncredited = superseded_uncredited(rows)
    found: dict[str, None] = {}
    for row in rows:
        if lacking := missing[row.pk]:
            texts = ", ".join(one.text for one in lacking)
            found[f"{row} lacks what {row.portal} asks for: {texts}."] = None
        if row.invoice_id in uncredited:
            found[
                f"{row.invoice} is superseded and not credited yet. Credit it first, "
                "then submit it with its credit note."
            ] = None
        alone = [
            str(other)
            for other in pairs[row.pk]
            if other.state == PortalState.TO_SUBMIT and other.pk not in chosen
        ]
        if alone:
            found[
                f"{row} belongs with {', '.join(alone)}, still to submit. Upload them "
                "together."
            ] = None
    return tuple(found)[:SENTENCES_SHOWN]
