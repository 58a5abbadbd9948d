"""Dates as people read them, the same on screens, on papers and in sentences."""

from calendar import monthrange
from datetime import date
from typing import Final

MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_LONG_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


def day_text(day: date) -> str:
    """Write a date as people read it, whatever the locale.

    >>> day_text(date(2026, 3, 1))
    '1 Mar 2026'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def period_text(first: date, last: date) -> str:
    """Write a period by its first and last day, the year once where it is one.

    >>> period_text(date(2026, 1, 1), date(2026, 3, 31))
    '1 Jan to 31 Mar 2026'
    >>> period_text(date(2026, 1, 1), date(2026, 1, 1))
    '1 Jan 2026'
    """
    if first == last:
        return day_text(first)
    if first.year == last.year:
        return f"{first.day} {MONTHS[first.month - 1]} to {day_text(last)}"
    return f"{day_text(first)} to {day_text(last)}"


def month_end(day: date) -> date:
    """Return the last day of a day's month.

    >>> month_end(date(2028, 2, 10))
    datetime.date(2028, 2, 29)
    """
    return day.replace(day=monthrange(day.year, day.month)[1])


def month_text(day: date) -> str:
    """Write a day's month as people read it.

    >>> month_text(date(2026, 3, 1))
    'March 2026'
    """
    return f"{_LONG_MONTHS[day.month - 1]} {day.year}"
