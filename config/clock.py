"""The only place that reads the clock.

The shell (views, tasks, commands) asks here and hands the answer down as ``today``,
``as_of`` or an instant; services and the domain never look at a clock themselves.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone


def now() -> datetime:
    """Return this instant, aware, in UTC."""
    return timezone.now()


def today_in(time_zone: str) -> date:
    """Return today's date in an IANA time zone such as ``Europe/Berlin``."""
    return now().astimezone(ZoneInfo(time_zone)).date()
