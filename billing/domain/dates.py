"""Dates as people read them, the same on screens, on papers and in sentences."""

from datetime import date
from typing import Final

MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def day_text(day: date) -> str:
    """Write a date as people read it, whatever the locale.

    >>> day_text(date(2026, 3, 1))
    '1 Mar 2026'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
