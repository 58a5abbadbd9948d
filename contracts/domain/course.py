"""When a line is served and billed: its uncut charges and their bill dates (P1-P3, P6).

An uncut charge is an anchored period clipped to what was sold: the line's start and its
agreed end. They are numbered from 0, the one that contains the line's start, so that
how many are planned is arithmetic on months, however long ago the line began. Days are
half-open here; `date.max` stands for no end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Self

from billing.domain.period import Anchor, Period, add_months
from contracts.domain.terms import ContractTerms, LineTerms, Timing

HORIZON_MONTHS: Final = 13

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When a recurring or usage line is served and billed; days are half-open.

    The uncut charges are numbered from 0, the one that contains the line's start.
    """

    anchor: Anchor
    first_index: int
    start: date
    agreed_end: date
    served_end: date
    in_advance: bool
    is_evergreen: bool

    @classmethod
    def of(cls, line: LineTerms, terms: ContractTerms, *, months: int) -> Self:
        """Return the course of a line that is billed every so many months."""
        anchor = Anchor(
            start=terms.start,
            bill_day=terms.bill_day,
            months=months,
            bill_month=terms.bill_month,
        )
        agreed_end = end_after(line.agreed_end, terms.end)
        return cls(
            anchor=anchor,
            first_index=anchor.index_containing(line.start),
            start=line.start,
            agreed_end=agreed_end,
            served_end=min(agreed_end, end_after(line.last_day, terms.last_day)),
            in_advance=line.timing is Timing.ADVANCE,
            is_evergreen=terms.end is None and terms.last_day is None,
        )

    def uncut_charges(self, today: date) -> Iterator[tuple[Period, int]]:
        """Yield each uncut charge to plan, with the days of its anchored period."""
        count = self._held(today)
        if not count:
            return
        boundary = self.anchor.boundary
        first = self.first_index
        wholes = [boundary(k) for k in range(first, first + count + 1)]
        edges = [self.start, *wholes[1:-1], min(wholes[-1], self.agreed_end)]
        days = [(end - start).days for start, end in pairwise(wholes)]
        for (start, end), whole_days in zip(pairwise(edges), days, strict=True):
            yield Period(start, end), whole_days

    def next_extension(self, today: date) -> date | None:
        """Return the first day after today on which more is held; None: never."""
        held = self._held(today)
        if held == self._total():
            return None
        reached = first_day_reaching(self._bill_date(held))
        return min(reached, self._bill_date(held - 1))

    def _held(self, today: date) -> int:
        """Return how many uncut charges are planned (P1)."""
        total = self._total()
        if total is not None and not self.is_evergreen:
            return total
        horizon = add_months(today, HORIZON_MONTHS)
        held = max(self._billed_by(horizon), self._billed_by(today) + 1)
        return held if total is None else min(held, total)

    def _total(self) -> int | None:
        """Return how many uncut charges are served; None: no end."""
        if self.served_end <= self.start:
            return 0
        if self.served_end == date.max:
            return None
        last_index = self.anchor.index_containing(self.served_end - _ONE_DAY)
        return last_index - self.first_index + 1

    def _billed_by(self, day: date) -> int:
        """Return how many uncut charges have a bill date up to the day, if served."""
        if day < self.start:
            return 0
        completed = self.anchor.index_containing(day) - self.first_index
        is_last_billed = self.in_advance or day >= self.served_end
        return completed + 1 if is_last_billed else completed

    def _bill_date(self, number: int) -> date:
        boundary = self.anchor.boundary
        if self.in_advance:
            return max(boundary(self.first_index + number), self.start)
        return min(boundary(self.first_index + number + 1), self.served_end)


def first_day_reaching(bill_date: date) -> date:
    """Return the first day whose horizon holds the bill date (P1).

    No extension on a later day adds a charge that is billed by then: what it adds lies
    beyond the horizon of the day before.
    """
    day = add_months(bill_date, -HORIZON_MONTHS)
    return day if day.day == bill_date.day else day + _ONE_DAY


def end_after(*last_days: date | None) -> date:
    """Return the day after the earliest of the last days; `date.max` without any."""
    days = [day for day in last_days if day is not None]
    return min(days) + _ONE_DAY if days else date.max
