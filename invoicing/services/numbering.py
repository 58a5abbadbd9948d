"""Numbers of documents: gapless, in order of issue (M2, M8).

They are taken last in the issuing transaction, with one UPDATE that is also the lock
of the series, so that the counter is held as short as can be and a rolled-back
transaction gives its numbers back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from billing.domain.dates import day_text
from billing.models import LegalEntity
from invoicing.domain.states import SeriesKind
from invoicing.models import NumberSeries

DEFAULT_PREFIXES = {SeriesKind.INVOICE: "INV-", SeriesKind.CREDIT_NOTE: "CN-"}

TAKE_NUMBERS = """
UPDATE invoicing_numberseries
SET next_sequence = next_sequence + %(count)s, last_issue_date = %(issue_date)s
WHERE legal_entity_id = %(legal_entity)s AND kind = %(kind)s
  AND (last_issue_date IS NULL OR last_issue_date <= %(issue_date)s)
RETURNING next_sequence - %(count)s, prefix, digits
"""


class IssueDateTooEarly(ValueError):
    """A document would be dated before the last one of its series (M8)."""

    def __init__(self, issue_date: date, last: date | None) -> None:
        since = day_text(last) if last else "a later day"
        super().__init__(
            f"The last document of this number series is dated {since}; a new one "
            f"can't be dated {day_text(issue_date)}. Numbers and dates rise together: "
            "choose that day or a later one."
        )


@dataclass(frozen=True, slots=True)
class DocumentNumber:
    """A number taken from a series: the count and how it is printed."""

    sequence: int
    text: str


def take_numbers(
    *, legal_entity: LegalEntity, kind: SeriesKind, count: int, issue_date: date
) -> Sequence[DocumentNumber]:
    """Take the next `count` numbers of a series for documents of one date.

    Raises `IssueDateTooEarly`. Waits for whoever holds the series: they take it last
    and commit at once.
    """
    parameters = {
        "count": count,
        "issue_date": issue_date,
        "legal_entity": legal_entity.pk,
        "kind": kind.value,
    }
    row = _take(parameters)
    if row is None:  # no series yet, or one that is further on
        ensure_series(legal_entity)
        row = _take(parameters)
    if row is None:
        last = last_issue_date(legal_entity=legal_entity, kind=kind)
        raise IssueDateTooEarly(issue_date, last)
    first, prefix, digits = row
    return [
        DocumentNumber(sequence, f"{prefix}{sequence:0{digits}d}")
        for sequence in range(first, first + count)
    ]


def _take(parameters: Mapping[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', '60s', true)")
        cursor.execute(TAKE_NUMBERS, parameters)
        return cursor.fetchone()


def last_issue_date(*, legal_entity: LegalEntity, kind: SeriesKind) -> date | None:
    """Return the date of the last document of a series, if it has one."""
    return (
        NumberSeries.objects.filter(legal_entity=legal_entity, kind=kind)
        .values_list("last_issue_date", flat=True)
        .first()
    )


def refuse_too_early(legal_entity: LegalEntity, *, issue_date: date) -> None:
    """Raise `IssueDateTooEarly` if an invoice of that date would come too late (M8)."""
    last = last_issue_date(legal_entity=legal_entity, kind=SeriesKind.INVOICE)
    if last is not None and issue_date < last:
        raise IssueDateTooEarly(issue_date, last)


def ensure_series(legal_entity: LegalEntity) -> None:
    """Make the number series that a legal entity lacks; harmless when repeated."""
    NumberSeries.objects.bulk_create(
        [
            NumberSeries(legal_entity=legal_entity, kind=kind, prefix=prefix)
            for kind, prefix in DEFAULT_PREFIXES.items()
        ],
        ignore_conflicts=True,
    )
