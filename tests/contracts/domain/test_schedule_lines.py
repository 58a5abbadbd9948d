"""What the fields of a line do to its charges (P3, P4, P6, M1)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.domain.schedule import plan
from contracts.domain.terms import Proration, Timing, UnplannableTerms
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


def test_arrears_are_billed_the_day_after_the_last_day() -> None:
    """P6: the agreed end's stub as well."""
    contract = replace(PLAIN_CONTRACT, end=day("2026-02-14"), lines=(ARREARS_LINE,))

    assert told(plan(contract, today=YEAR_START)) == [
        "2026-01-01..2026-01-31 2026-02-01: 310.00",
        "2026-02-01..2026-02-14 2026-02-15: 155.00",
    ]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param(
            "2026-01-20",
            "2026-02-14",
            [
                "2026-01-20..2026-01-31 2026-01-20: 310.00",
                "2026-02-01..2026-02-14 2026-02-01: 310.00",
            ],
            id="leading_and_trailing",
        ),
        pytest.param(
            "2026-01-10",
            "2026-01-20",
            ["2026-01-10..2026-01-20 2026-01-10: 310.00"],
            id="both_in_one",
        ),
    ],
)
def test_stub_without_proration_is_at_full_price(
    start: str, end: str, expected: list[str]
) -> None:
    """P4"""
    line = replace(PLAIN_LINE, start=day(start), proration=Proration.NONE)
    contract = replace(PLAIN_CONTRACT, start=day(start), end=day(end), lines=(line,))

    assert told(plan(contract, today=YEAR_START)) == expected


@pytest.mark.parametrize(
    ("currency", "unit_price", "amounts"),
    [
        pytest.param("JPY", "1000", ["387", "1000"], id="yen"),
        pytest.param("KWD", "10", ["3.871", "10.000"], id="dinar"),
        pytest.param("USD", "10", ["3.87", "10.00"], id="dollar"),
    ],
)
def test_amounts_have_the_digits_of_the_currency(
    currency: str, unit_price: str, amounts: list[str]
) -> None:
    """P4, M1"""
    line = replace(
        PLAIN_LINE,
        start=day("2026-01-20"),
        stretches=from_days(d2020_01_01=unit_price),
    )
    contract = replace(
        PLAIN_CONTRACT,
        start=day("2026-01-20"),
        end=day("2026-02-28"),
        currency=currency,
        lines=(line,),
    )

    charges = plan(contract, today=YEAR_START)

    assert [str(charge.amount) for charge in charges] == amounts


def test_amount_is_quantity_times_price_less_discount() -> None:
    """P4, M1: 3 x 9.995 less 10 % is 26.9865."""
    rates = price("9.995", quantity="3", discount_percent="10")
    stretch = replace(PLAIN_LINE.stretches[0], rates=rates)
    contract = replace(
        PLAIN_CONTRACT, lines=(replace(PLAIN_LINE, stretches=(stretch,)),)
    )

    charge = plan(contract, today=YEAR_START)[0]

    assert charge.amount == Decimal("26.99")
    assert (charge.quantity, charge.unit_price) == (Decimal(3), Decimal("9.995"))
    assert charge.discount_percent == Decimal(10)


def test_all_lines_are_anchored_at_the_start_of_the_contract() -> None:
    """P3: quarters from 15 January for a line that starts on 1 February."""
    line = replace(
        PLAIN_LINE,
        months=3,
        start=day("2026-02-01"),
        agreed_end=day("2026-05-14"),
        stretches=from_days(d2026_02_01="900"),
    )
    contract = replace(
        PLAIN_CONTRACT,
        start=day("2026-01-15"),
        end=day("2026-12-31"),
        bill_day=15,
        lines=(line,),
    )

    assert told(plan(contract, today=YEAR_START)) == [
        "2026-02-01..2026-04-14 2026-02-01: 730.00",
        "2026-04-15..2026-05-14 2026-04-15: 296.70",
    ]


def test_one_time_line_is_billed_on_its_day_whatever_its_timing() -> None:
    """P2, P6"""
    line = replace(ONE_TIME_LINE, start=day("2026-02-10"), timing=Timing.ARREARS)
    contract = replace(PLAIN_CONTRACT, lines=(line,))

    [charge] = plan(contract, today=YEAR_START)

    assert told([charge]) == ["2026-02-10..2026-02-10 2026-02-10: 310.00"]
    assert charge.in_advance


def test_usage_is_planned_in_arrears_without_a_price() -> None:
    """P6, P9"""
    line = replace(USAGE_LINE, start=day("2026-01-20"))
    contract = replace(PLAIN_CONTRACT, end=day("2026-02-14"), lines=(line,))

    charges = plan(contract, today=YEAR_START)

    assert told(charges) == [
        "2026-01-20..2026-01-31 2026-02-01: None",
        "2026-02-01..2026-02-14 2026-02-15: None",
    ]
    assert {(charge.quantity, charge.unit_price) for charge in charges} == {
        (None, None)
    }


def test_lines_are_planned_one_after_the_other() -> None:
    """P1"""
    contract = replace(
        PLAIN_CONTRACT,
        lines=(replace(PLAIN_LINE, line_id=9), replace(ONE_TIME_LINE, line_id=4)),
    )

    charges = plan(contract, today=YEAR_START)

    assert [charge.line_id for charge in charges] == [9, 9, 9, 4]


def test_terms_that_cannot_be_planned_are_refused() -> None:
    """P1"""
    with pytest.raises(UnplannableTerms, match="no lines"):
        plan(replace(PLAIN_CONTRACT, lines=()), today=YEAR_START)
