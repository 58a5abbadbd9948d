"""What reviews of the portal worklist show: documents, sums, and what to look at."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet

from billing.display import badge, count_text, money_text
from config.adminsite.actions import Figure
from config.clock import today_in
from invoicing.choices import PORTAL_STATES
from invoicing.domain.portal import PortalState
from invoicing.models import PortalSubmission
from invoicing.queries.portal import missing_of
from invoicing.queries.portal_pairs import (
    outside_of,
    pairs_of,
    superseded_uncredited,
)

SENTENCES_SHOWN: Final = 8


def rows_of(chosen: QuerySet[Any]) -> list[PortalSubmission]:
    """Return the chosen documents with what a review shows of them."""
    return list(
        chosen.select_related(
            "invoice__account",
            "credit_note",
            "portal",
            "bill_group__account",
            "bill_group__legal_entity",
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


def documents_of(
    rows: Sequence[PortalSubmission], to: PortalState
) -> list[dict[str, Any]]:
    """Return the rows of a review's table, each with what it lacks to be uploaded."""
    missing = missing_of(rows) if to is PortalState.SUBMITTED else {}
    return [
        {
            "row": row,
            "badge": badge(PORTAL_STATES.badge(row.standing)),
            "lacks": ", ".join(one.text for one in missing.get(row.pk, ())),
        }
        for row in rows
    ]


def first_of(sentences: Iterable[str]) -> tuple[str, ...]:
    """Return as many sentences as are read at once, and how many more there are."""
    said = tuple(dict.fromkeys(sentences))
    more = len(said) - SENTENCES_SHOWN
    if more <= 0:
        return said
    others = f"{count_text(more, 'more sentence')} like these. Choose fewer documents."
    return (*said[:SENTENCES_SHOWN], others)


def warnings_of(rows: Sequence[PortalSubmission], to: PortalState) -> tuple[str, ...]:
    """Return what to look at before documents are uploaded; nothing for other steps."""
    if to is not PortalState.SUBMITTED:
        return ()
    return first_of(
        (*_claims(rows), *_broken_pairs(rows), *_demands(rows)),
    )


def _demands(rows: Sequence[PortalSubmission]) -> Iterator[str]:
    missing = missing_of(rows)
    for row in rows:
        if lacking := missing[row.pk]:
            texts = ", ".join(one.text for one in lacking)
            yield f"{row} lacks what {row.portal} asks for: {texts}."


def _claims(rows: Sequence[PortalSubmission]) -> Iterator[str]:
    uncredited = superseded_uncredited(rows)
    for row in rows:
        if row.is_void:
            yield f"{row} is void. Withdraw it, in the portal too."
        if row.invoice_id in uncredited:
            yield (
                f"{row.invoice} is superseded and not credited yet. Credit it first, "
                "then submit it with its credit note."
            )


def _broken_pairs(rows: Sequence[PortalSubmission]) -> Iterator[str]:
    """Say which documents belong with others that are not uploaded with them."""
    chosen = {row.pk for row in rows}
    pairs, outside = pairs_of(rows), outside_of(rows)
    for row in rows:
        others = [
            other
            for other in pairs[row.pk]
            if other.pk not in chosen and not other.is_void
        ]
        here = [other for other in others if other.portal_id == row.portal_id]
        if waiting := [o for o in here if o.state == PortalState.TO_SUBMIT]:
            yield (
                f"{row} belongs with {_named(waiting)}, still to submit. Upload them "
                "together."
            )
        if withdrawn := [o for o in here if o.state == PortalState.WITHDRAWN]:
            yield f"{row} belongs with {_named(withdrawn)}, which was withdrawn."
        for other in others:
            if other.portal_id != row.portal_id:
                yield f"{row} belongs with {other}, which is for {other.portal}."
        if outside[row.pk]:
            yield (
                f"{row} belongs with {', '.join(outside[row.pk])}, which is for no "
                "portal. Check what the customer has."
            )


def _named(rows: Iterable[PortalSubmission]) -> str:
    return ", ".join(map(str, rows))
