"""Charges split where the rates change inside them (P5, P6, P9, A1)."""

from dataclasses import replace
from datetime import date

import pytest

from contracts.domain.schedule import plan
from contracts.domain.terms import ContractTerms, LineTerms, Proration, Stretch
from tests.contracts.domain.sold import (
    ARREARS_LINE,
    ONE_TIME_LINE,
    PLAIN_CONTRACT,
    PLAIN_LINE,
    USAGE_LINE,
    YEAR_START,
    day,
    from_days,
    price,
    told,
)


def contract_with(line: LineTerms, *, end: str = "2026-01-31") -> ContractTerms:
    return replace(PLAIN_CONTRACT, end=day(end), lines=(line,))


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        pytest.param(
            from_days(d2026_01_01="310", d2026_01_11="620"),
            [
                "2026-01-01..2026-01-10 2026-01-01: 100.00",
                "2026-01-11..2026-01-31 2026-01-01: 420.00",
            ],
            id="inside",
        ),
        pytest.param(
            from_days(d2026_01_01="310", d2026_01_11="620", d2026_01_31="0"),
            [
                "2026-01-01..2026-01-10 2026-01-01: 100.00",
                "2026-01-11..2026-01-30 2026-01-01: 400.00",
                "2026-01-31..2026-01-31 2026-01-01: 0.00",
            ],
            id="twice_inside",
        ),
        pytest.param(
            from_days(d2026_01_01="100", d2026_01_16="101"),
            [
                "2026-01-01..2026-01-15 2026-01-01: 48.39",
                "2026-01-16..2026-01-31 2026-01-01: 52.13",
            ],
            id="rounded_differences",
        ),
        pytest.param(
            from_days(d2026_01_01="310", d2026_02_01="620"),
            ["2026-01-01..2026-01-31 2026-01-01: 310.00"],
            id="after_the_term",
        ),
        pytest.param(
            from_days(d2025_01_01="1", d2025_06_01="2", d2026_01_01="310"),
            ["2026-01-01..2026-01-31 2026-01-01: 310.00"],
            id="before_the_start_and_on_it",
        ),
        pytest.param(
            from_days(d2026_01_01="310", d2026_01_11="310.00"),
            ["2026-01-01..2026-01-31 2026-01-01: 310.00"],
            id="to_equal_rates",
        ),
        pytest.param(
            from_days(d2026_01_01="310", d2026_01_11="620", d2026_01_21="310"),
            [
                "2026-01-01..2026-01-10 2026-01-01: 100.00",
                "2026-01-11..2026-01-20 2026-01-01: 200.00",
                "2026-01-21..2026-01-31 2026-01-01: 110.00",
            ],
            id="there_and_back",
        ),
    ],
)
def test_charge_is_split_where_its_price_changes(
    stretches: tuple[Stretch, ...], expected: list[str]
) -> None:
    """P5, P6, A2: pieces keep the bill date of the uncut charge."""
    line = replace(PLAIN_LINE, stretches=stretches)

    assert told(plan(contract_with(line), today=YEAR_START)) == expected


def test_price_change_on_a_boundary_splits_nothing() -> None:
    """P5"""
    line = replace(
        PLAIN_LINE, stretches=from_days(d2026_01_01="310", d2026_02_01="620")
    )

    assert told(plan(contract_with(line, end="2026-02-28"), today=YEAR_START)) == [
        "2026-01-01..2026-01-31 2026-01-01: 310.00",
        "2026-02-01..2026-02-28 2026-02-01: 620.00",
    ]


def test_other_quantity_at_the_same_price_splits() -> None:
    """A1: the invoice shows quantities."""
    stretches = (
        Stretch(from_date=YEAR_START, rates=price("310", quantity="2")),
        Stretch(from_date=day("2026-01-11"), rates=price("620")),
    )
    line = replace(PLAIN_LINE, stretches=stretches)

    assert told(plan(contract_with(line), today=YEAR_START)) == [
        "2026-01-01..2026-01-10 2026-01-01: 200.00",
        "2026-01-11..2026-01-31 2026-01-01: 420.00",
    ]


def test_pieces_in_arrears_keep_the_bill_date_of_the_uncut_charge() -> None:
    """P6"""
    line = replace(
        ARREARS_LINE, stretches=from_days(d2026_01_01="310", d2026_01_11="620")
    )

    assert told(plan(contract_with(line), today=YEAR_START)) == [
        "2026-01-01..2026-01-10 2026-02-01: 100.00",
        "2026-01-11..2026-01-31 2026-02-01: 420.00",
    ]


def test_stub_is_split_from_its_own_first_day() -> None:
    """P5: 12 days of January from the 20th, 6 of them dearer."""
    line = replace(
        PLAIN_LINE,
        start=day("2026-01-20"),
        stretches=from_days(d2026_01_20="310", d2026_01_26="620"),
    )

    assert told(plan(contract_with(line), today=YEAR_START)) == [
        "2026-01-20..2026-01-25 2026-01-20: 60.00",
        "2026-01-26..2026-01-31 2026-01-20: 120.00",
    ]


def test_full_price_stub_is_split_over_its_own_days() -> None:
    """P4, P5: half of the stub at each full price."""
    line = replace(
        PLAIN_LINE,
        start=day("2026-01-20"),
        proration=Proration.NONE,
        stretches=from_days(d2026_01_20="310", d2026_01_26="620"),
    )

    assert told(plan(contract_with(line), today=YEAR_START)) == [
        "2026-01-20..2026-01-25 2026-01-20: 155.00",
        "2026-01-26..2026-01-31 2026-01-20: 310.00",
    ]


def test_one_time_charge_has_the_price_of_its_day() -> None:
    """A1: a later price doesn't touch it, one from its day on does."""
    line = replace(
        ONE_TIME_LINE,
        start=day("2026-01-10"),
        stretches=from_days(d2026_01_01="1", d2026_01_10="2", d2026_01_11="3"),
    )

    assert told(plan(contract_with(line), today=YEAR_START)) == [
        "2026-01-10..2026-01-10 2026-01-10: 2.00"
    ]


def test_usage_is_not_split_by_a_price_change() -> None:
    """P9: rated over the whole period, at the discount of its last day."""
    stretches = (
        Stretch(from_date=YEAR_START, rates=price("1", discount_percent="5")),
        Stretch(from_date=day("2026-01-11"), rates=price("2", discount_percent="8")),
        Stretch(from_date=day("2026-02-01"), rates=price("2", discount_percent="9")),
    )
    line = replace(USAGE_LINE, stretches=stretches)

    [charge] = plan(contract_with(line), today=YEAR_START)

    assert told([charge]) == ["2026-01-01..2026-01-31 2026-02-01: None"]
    assert charge.discount_percent == 8


def test_uncut_charge_and_base_are_kept_for_later_cuts() -> None:
    """P5: what a piece is a piece of."""
    line = replace(
        PLAIN_LINE,
        start=day("2026-01-20"),
        stretches=from_days(d2026_01_20="310", d2026_01_26="620"),
    )

    charges = plan(contract_with(line), today=YEAR_START)

    assert {
        (charge.uncut.start, charge.uncut.last_day, charge.base_days)
        for charge in charges
    } == {(date(2026, 1, 20), date(2026, 1, 31), 31)}
