"""How old what is due is, by days after the due date.

A day's buckets hold each open amount once: they sum to what is due. An invoice is
overdue from the day after its due date on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeSpan:
    """A bucket: its first and last day after the due date; None is without end."""

    label: str
    first: int | None
    last: int | None

    def due_dates(self, on: date) -> tuple[date | None, date | None]:
        """Return the due dates that lie in the bucket on a day, first and last.

        >>> AGES[1].due_dates(date(2026, 3, 31))
        (datetime.date(2026, 3, 1), datetime.date(2026, 3, 30))
        """
        if self.first is None:
            return on, None
        earliest = on - timedelta(days=self.last) if self.last is not None else None
        return earliest, on - timedelta(days=self.first)


AGES: Final = (
    AgeSpan(label="Not due", first=None, last=0),
    AgeSpan(label="1 to 30 days", first=1, last=30),
    AgeSpan(label="31 to 60", first=31, last=60),
    AgeSpan(label="61 to 90", first=61, last=90),
    AgeSpan(label="Over 90", first=91, last=None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """What is due of one invoice on a day; amounts with tax."""

    invoice_id: int
    number: str
    issue_date: date
    due_date: date
    total: Decimal
    due: Decimal

    def days_late(self, on: date) -> int:
        """Return how many days it is overdue on a day; 0 while it is not."""
        return max((on - self.due_date).days, 0)


def bucket_of(due_date: date, *, on: date) -> int:
    """Return the position in `AGES` of what falls due on a date, on a day.

    >>> [bucket_of(date(2026, 1, 31), on=day) for day in
    ...  (date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 3), date(2026, 6, 1))]
    [0, 1, 2, 4]
    """
    late = (on - due_date).days
    return next(
        position
        for position, span in enumerate(AGES)
        if span.last is None or late <= span.last
    )


def age_items(items: Iterable[OpenItem], *, on: date) -> tuple[Decimal, ...]:
    """Return what is due in each bucket of `AGES` on a day; they sum to all of it."""
    sums = [Decimal(0)] * len(AGES)
    for item in items:
        sums[bucket_of(item.due_date, on=on)] += item.due
    return tuple(sums)
