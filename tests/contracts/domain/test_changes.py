from datetime import date
from decimal import Decimal

import pytest

from contracts.domain.changes import Change, served_through, stretches, value_on
from contracts.domain.rates import Rates

START = date(2026, 1, 1)
MARCH = date(2026, 3, 1)
JUNE = date(2026, 6, 1)
ORIGINAL = Rates(
    quantity=Decimal(2), unit_price=Decimal(10), discount_percent=Decimal(0)
)


def prices(*changes: Change) -> list[tuple[date, Decimal]]:
    """Return from which day on which unit price holds, and the quantity beside it."""
    return [
        (stretch.from_date, stretch.rates.unit_price)
        for stretch in stretches(ORIGINAL, start=START, changes=changes)
    ]


def test_a_line_without_changes_has_its_original_rates() -> None:
    assert prices() == [(START, Decimal(10))]


def test_a_change_sets_only_the_fields_it_names_from_its_date_on() -> None:
    """A1."""
    changes = [
        Change(from_date=MARCH, unit_price=Decimal(12)),
        Change(from_date=JUNE, quantity=Decimal(5)),
    ]

    last = stretches(ORIGINAL, start=START, changes=changes)[-1]

    assert last.from_date == JUNE
    assert last.rates == Rates(
        quantity=Decimal(5), unit_price=Decimal(12), discount_percent=Decimal(0)
    )


def test_the_newest_change_wins_where_dates_are_equal() -> None:
    """A1: changes come oldest first."""
    older = Change(from_date=MARCH, unit_price=Decimal(12))
    newer = Change(from_date=MARCH, unit_price=Decimal(11))

    assert prices(older, newer) == [(START, Decimal(10)), (MARCH, Decimal(11))]


def test_a_change_from_the_start_or_before_it_replaces_the_original_rates() -> None:
    at_start = Change(from_date=START, unit_price=Decimal(9))
    before = Change(from_date=date(2025, 1, 1), unit_price=Decimal(8))

    assert prices(at_start) == [(START, Decimal(9))]
    assert prices(before) == [(START, Decimal(8))]


@pytest.mark.parametrize(
    ("day", "tiers"),
    [
        pytest.param(date(2026, 2, 28), "", id="day_before"),
        pytest.param(MARCH, "volume *:2", id="first_day"),
        pytest.param(date(2026, 5, 31), "volume *:2", id="until_the_next"),
        pytest.param(JUNE, "", id="taken_away_again"),
    ],
)
def test_value_on_a_day_is_that_of_the_latest_change(day: date, tiers: str) -> None:
    """A1; an empty text is a value, None is none."""
    changes = [
        Change(from_date=MARCH, tiers="volume *:2"),
        Change(from_date=date(2026, 4, 1), unit_price=Decimal(1)),
        Change(from_date=JUNE, tiers=""),
    ]

    assert value_on(day, "", changes, lambda change: change.tiers) == tiers


@pytest.mark.parametrize(
    ("changes", "last_day"),
    [
        pytest.param([], None, id="no_change"),
        pytest.param([Change(from_date=MARCH)], None, id="other_fields"),
        pytest.param(
            [Change(from_date=MARCH, last_day=date(2026, 2, 28))],
            date(2026, 2, 28),
            id="ended_from_a_day",
        ),
        pytest.param([Change(from_date=START, last_day=JUNE)], JUNE, id="ended_ahead"),
        pytest.param(
            [
                Change(from_date=MARCH, last_day=date(2026, 2, 28)),
                Change(from_date=JUNE, last_day=date(2026, 5, 31)),
            ],
            date(2026, 2, 28),
            id="ended_again_later",
        ),
        pytest.param(
            [
                Change(from_date=START, last_day=JUNE),
                Change(from_date=START, last_day=date(2026, 9, 30)),
            ],
            date(2026, 9, 30),
            id="newest_end_of_one_date",
        ),
        pytest.param(
            [
                Change(from_date=START, last_day=JUNE),
                Change(from_date=MARCH, last_day=date(2026, 9, 30)),
            ],
            date(2026, 9, 30),
            id="extended_before_it_came",
        ),
        pytest.param(
            [Change(from_date=MARCH, last_day=date(2025, 12, 31))],
            date(2026, 2, 28),
            id="never_before_its_own_date",
        ),
        pytest.param(
            [Change(from_date=START, last_day=date(2025, 12, 31))],
            date(2025, 12, 31),
            id="never_served",
        ),
    ],
)
def test_end_of_a_line_follows_from_its_changes(
    changes: list[Change], last_day: date | None
) -> None:
    """A1."""
    assert served_through(changes) == last_day
