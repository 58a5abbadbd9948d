"""Today is a date in a legal entity's time zone."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from config.clock import now, today_in


@pytest.mark.parametrize(
    ("time_zone", "expected"),
    [
        pytest.param("UTC", date(2026, 3, 31), id="utc"),
        pytest.param("Europe/Berlin", date(2026, 4, 1), id="east_of_midnight"),
        pytest.param("America/New_York", date(2026, 3, 31), id="west_of_midnight"),
        pytest.param("Pacific/Kiritimati", date(2026, 4, 1), id="fourteen_hours_east"),
    ],
)
def test_today_is_the_date_of_the_time_zone(time_zone: str, expected: date) -> None:
    with time_machine.travel(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), tick=False):
        assert today_in(time_zone) == expected


def test_now_is_aware() -> None:
    assert now().tzinfo is not None
