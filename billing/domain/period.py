"""Billing periods: half-open runs of days, with boundaries from an anchor (P2, P3).

A boundary is the first day of a billing period. Every boundary is computed from the
anchor by month arithmetic, never from the boundary before it, so that bill day 31 gives
31 Jan, 28 Feb, 31 Mar. Anchored periods tile the calendar without hole or overlap; a
charge that begins or ends off a boundary is a stub of the anchored period it lies in.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Self

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to, not including, `end`; at least one.

    >>> january = Period.from_inclusive(date(2026, 1, 1), date(2026, 1, 31))
    >>> january.days, january.end, january.last_day
    (31, datetime.date(2026, 2, 1), datetime.date(2026, 1, 31))
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"A period can't start on {self.start}, end {self.end}.")

    @classmethod
    def from_inclusive(cls, first: date, last: date) -> Self:
        """Return the period of all days from `first` through `last`."""
        return cls(first, last + _ONE_DAY)

    @property
    def days(self) -> int:
        """The number of days, at least one."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        """The last day inside, as people write a period."""
        return self.end - _ONE_DAY

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def overlaps(self, other: "Period") -> bool:
        """Tell whether the two share a day."""
        return self.start < other.end and other.start < self.end

    def intersection(self, other: "Period") -> "Period | None":
        """Return the days that both have; None when there are none."""
        start = max(self.start, other.start)
        end = min(self.end, other.end)
        return Period(start, end) if start < end else None


def subtract(period: Period, covered: Iterable[Period]) -> tuple[Period, ...]:
    """Return what of the period is not covered, in order (P7).

    >>> january = Period(date(2026, 1, 1), date(2026, 2, 1))
    >>> [(gap.start.day, gap.last_day.day) for gap in subtract(
    ...     january, [Period(date(2026, 1, 10), date(2026, 1, 20))])]
    [(1, 9), (20, 31)]
    """
    gaps = []
    start = period.start
    for cover in sorted(covered, key=lambda cover: cover.start):
        if start < min(cover.start, period.end):
            gaps.append(Period(start, min(cover.start, period.end)))
        start = max(start, cover.end)
    if start < period.end:
        gaps.append(Period(start, period.end))
    return tuple(gaps)


def add_months(day: date, months: int, *, anchor_day: int | None = None) -> date:
    """Return the same day so many months later, clamped to the month's last day.

    `anchor_day` (1-31) is the day wanted instead of the day's own. Raises `ValueError`
    when the result lies outside the years 1-9999.

    >>> add_months(date(2026, 1, 31), 1), add_months(date(2026, 2, 28), -1)
    (datetime.date(2026, 2, 28), datetime.date(2026, 1, 28))
    """
    return _clamped(_month_number(day) + months, anchor_day or day.day)


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _clamped(month_number: int, day: int) -> date:
    year, month = divmod(month_number, 12)
    if day <= 28:
        return date(year, month + 1, day)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What billing boundaries are computed from (P2, P3).

    `start` is the contract's start, for all its lines; `bill_day` is 1-31; a period has
    1-60 months. A bill month (1-12) puts the boundaries into the months that lie a
    multiple of `months` from it, and `months` must then divide 12. Raises `ValueError`
    otherwise.
    """

    start: date
    bill_day: int
    months: int
    bill_month: int | None = None
    _first_month: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.months <= 60:
            raise ValueError(f"A billing period has 1-60 months, not {self.months}.")
        if not 1 <= self.bill_day <= 31:
            raise ValueError(f"A bill day is 1-31, not {self.bill_day}.")
        if self.bill_month is not None and not 1 <= self.bill_month <= 12:
            raise ValueError(f"A bill month is 1-12, not {self.bill_month}.")
        if self.bill_month is not None and 12 % self.months:
            raise ValueError(f"A bill month can't go with {self.months} months.")

        month = _month_number(self.start)
        if self.bill_month is not None:
            month += (self.bill_month - 1 - month) % self.months
        if _clamped(month, self.bill_day) < self.start:
            month += self.months
        object.__setattr__(self, "_first_month", month)

    def first_boundary(self) -> date:
        """Return the first boundary on or after the start (P3).

        >>> Anchor(start=date(2026, 1, 15), bill_day=1, months=3).first_boundary()
        datetime.date(2026, 4, 1)
        >>> Anchor(
        ...     start=date(2026, 2, 15), bill_day=1, months=3, bill_month=1
        ... ).first_boundary()
        datetime.date(2026, 4, 1)
        """
        return self.boundary(0)

    def boundary(self, k: int) -> date:
        """Return the k-th boundary; the first has k = 0, those before it negative k.

        >>> anchor = Anchor(start=date(2026, 1, 31), bill_day=31, months=1)
        >>> [str(anchor.boundary(k)) for k in range(-1, 3)]
        ['2025-12-31', '2026-01-31', '2026-02-28', '2026-03-31']
        """
        return _clamped(self._first_month + k * self.months, self.bill_day)

    def index_containing(self, day: date) -> int:
        """Return the k for which the day lies from boundary k up to boundary k + 1."""
        k = (_month_number(day) - self._first_month) // self.months
        return k if self.boundary(k) <= day else k - 1
