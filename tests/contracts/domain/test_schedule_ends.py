"""Charges cut by an end that an amendment or a cancellation sets (P4-P6, A1, S1)."""

from dataclasses import replace

import pytest

from contracts.domain.schedule import plan
from contracts.domain.terms import ContractTerms, LineTerms, Proration, Stretch
from tests.contracts.domain.sold import (
    ARREARS_LINE,
    EVERGREEN,
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


LAST_DAYS = [
    pytest.param(
        "2026-02-14",
        [
            "2026-01-01..2026-01-31 2026-01-01: 310.00",
            "2026-02-01..2026-02-14 2026-02-01: 155.00",
        ],
        [
            "2026-01-01..2026-01-31 2026-02-01: 310.00",
            "2026-02-01..2026-02-14 2026-02-15: 155.00",
        ],
        id="cancel_inside_period",
    ),
    pytest.param(
        "2026-01-31",
        ["2026-01-01..2026-01-31 2026-01-01: 310.00"],
        ["2026-01-01..2026-01-31 2026-02-01: 310.00"],
        id="cancel_on_period_end",
    ),
    pytest.param(
        "2026-02-01",
        [
            "2026-01-01..2026-01-31 2026-01-01: 310.00",
            "2026-02-01..2026-02-01 2026-02-01: 11.07",
        ],
        [
            "2026-01-01..2026-01-31 2026-02-01: 310.00",
            "2026-02-01..2026-02-01 2026-02-02: 11.07",
        ],
        id="cancel_on_period_start",
    ),
    pytest.param(
        "2026-01-01",
        ["2026-01-01..2026-01-01 2026-01-01: 10.00"],
        ["2026-01-01..2026-01-01 2026-01-02: 10.00"],
        id="one_day_served",
    ),
    pytest.param("2025-12-31", [], [], id="never_served"),
]


@pytest.mark.parametrize(("last_day", "in_advance", "in_arrears"), LAST_DAYS)
def test_cancellation_cuts_the_charge_across_it_and_takes_the_later_ones(
    last_day: str, in_advance: list[str], in_arrears: list[str]
) -> None:
    """S1, P6: arrears are billed by the new last day."""
    canceled = replace(PLAIN_CONTRACT, last_day=day(last_day))

    advance = plan(canceled, today=YEAR_START)
    arrears = plan(replace(canceled, lines=(ARREARS_LINE,)), today=YEAR_START)

    assert told(advance) == in_advance
    assert told(arrears) == in_arrears


@pytest.mark.parametrize(("last_day", "in_advance", "in_arrears"), LAST_DAYS)
def test_line_ended_by_an_amendment_is_cut_like_a_canceled_contract(
    last_day: str, in_advance: list[str], in_arrears: list[str]
) -> None:
    """A1, P6"""
    advance = replace(PLAIN_LINE, last_day=day(last_day))
    arrears = replace(ARREARS_LINE, last_day=day(last_day))
    term = {"end": "2026-03-31"}

    assert told(plan(contract_with(advance, **term), today=YEAR_START)) == in_advance
    assert told(plan(contract_with(arrears, **term), today=YEAR_START)) == in_arrears


@pytest.mark.parametrize("line", [PLAIN_LINE, ARREARS_LINE, USAGE_LINE])
def test_line_that_would_start_inside_a_period_is_never_served(
    line: LineTerms,
) -> None:
    """S1: not even for no days."""
    late = replace(line, start=day("2026-01-20"))
    canceled = replace(contract_with(late), last_day=day("2026-01-19"))
    ended = contract_with(replace(late, last_day=day("2026-01-19")))

    assert plan(canceled, today=YEAR_START) == ()
    assert plan(ended, today=YEAR_START) == ()


def test_cancellation_counts_days_without_proration() -> None:
    """P4, S1: 10 of 31 days, though stubs are at full price."""
    line = replace(PLAIN_LINE, proration=Proration.NONE)
    canceled = replace(contract_with(line), last_day=day("2026-01-10"))

    assert told(plan(canceled, today=YEAR_START)) == [
        "2026-01-01..2026-01-10 2026-01-01: 100.00"
    ]


def test_cancellation_inside_a_full_price_stub_counts_the_days_of_the_stub() -> None:
    """P4, S1: 6 of the 12 days that cost a full month."""
    line = replace(PLAIN_LINE, start=day("2026-01-20"), proration=Proration.NONE)
    canceled = replace(contract_with(line), last_day=day("2026-01-25"))

    assert told(plan(canceled, today=YEAR_START)) == [
        "2026-01-20..2026-01-25 2026-01-20: 155.00"
    ]


def test_agreed_end_of_a_line_is_a_stub_at_full_price() -> None:
    """P4"""
    line = replace(PLAIN_LINE, agreed_end=day("2026-01-10"), proration=Proration.NONE)

    assert told(plan(contract_with(line), today=YEAR_START)) == [
        "2026-01-01..2026-01-10 2026-01-01: 310.00"
    ]


def test_price_change_before_a_cancellation_in_arrears() -> None:
    """P5, P6: both pieces are billed by the new last day."""
    line = replace(
        ARREARS_LINE, stretches=from_days(d2026_01_01="310", d2026_01_11="620")
    )
    canceled = replace(contract_with(line), last_day=day("2026-01-20"))

    assert told(plan(canceled, today=YEAR_START)) == [
        "2026-01-01..2026-01-10 2026-01-21: 100.00",
        "2026-01-11..2026-01-20 2026-01-21: 200.00",
    ]


def test_price_change_after_the_last_day_changes_nothing() -> None:
    """S1"""
    line = replace(
        PLAIN_LINE,
        last_day=day("2026-01-10"),
        stretches=from_days(d2026_01_01="310", d2026_01_11="620"),
    )

    assert told(plan(contract_with(line), today=YEAR_START)) == [
        "2026-01-01..2026-01-10 2026-01-01: 100.00"
    ]


def test_last_day_after_the_agreed_end_changes_nothing() -> None:
    """A1"""
    line = replace(
        ARREARS_LINE, agreed_end=day("2026-01-10"), last_day=day("2026-01-20")
    )

    assert told(plan(contract_with(line), today=YEAR_START)) == [
        "2026-01-01..2026-01-10 2026-01-11: 100.00"
    ]


def test_line_that_would_start_after_the_cancellation_is_never_served() -> None:
    """S1"""
    late = replace(PLAIN_LINE, start=day("2026-02-01"))
    canceled = replace(
        contract_with(late, end="2026-03-31"), last_day=day("2026-01-31")
    )

    assert plan(canceled, today=YEAR_START) == ()


@pytest.mark.parametrize(
    ("last_day", "count"),
    [("2026-02-10", 1), ("2026-02-09", 0), ("2026-03-01", 1)],
    ids=["on_its_day", "the_day_before", "later"],
)
def test_one_time_charge_is_canceled_when_it_lies_after_the_last_day(
    last_day: str, count: int
) -> None:
    """S1"""
    line = replace(ONE_TIME_LINE, start=day("2026-02-10"))
    canceled = replace(contract_with(line, end="2026-03-31"), last_day=day(last_day))
    ended = contract_with(replace(line, last_day=day(last_day)), end="2026-03-31")

    assert len(plan(canceled, today=YEAR_START)) == count
    assert len(plan(ended, today=YEAR_START)) == count


def test_usage_is_cut_by_a_cancellation_and_billed_after_it() -> None:
    """S1, P6, P9: at the discount of its new last day."""
    stretches = (
        Stretch(from_date=YEAR_START, rates=price("1", discount_percent="5")),
        Stretch(from_date=day("2026-01-11"), rates=price("1", discount_percent="8")),
    )
    line = replace(USAGE_LINE, stretches=stretches)
    canceled = replace(contract_with(line), last_day=day("2026-01-10"))

    [charge] = plan(canceled, today=YEAR_START)

    assert told([charge]) == ["2026-01-01..2026-01-10 2026-01-11: None"]
    assert charge.discount_percent == 5


def test_canceled_evergreen_contract_is_planned_through_its_last_day() -> None:
    """P1, S2: however far off."""
    canceled = replace(EVERGREEN, last_day=day("2029-06-15"))

    charges = plan(canceled, today=YEAR_START)

    assert len(charges) == 42
    assert told(charges[-1:]) == ["2029-06-01..2029-06-15 2029-06-01: 155.00"]
