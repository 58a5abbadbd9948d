"""How far an evergreen contract is planned, and when it is next extended (P1)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.domain.schedule import next_extension, plan
from contracts.domain.terms import ContractTerms, LineTerms, Timing, UnplannableTerms
from tests.contracts.domain.sold import (
    ARREARS_LINE,
    EVERGREEN,
    ONE_TIME_LINE,
    PLAIN_CONTRACT,
    PLAIN_LINE,
    USAGE_LINE,
    YEAR_START,
    contracts,
    day,
)

ONE_DAY = timedelta(days=1)


def bill_dates(contract: ContractTerms, today: str) -> list[str]:
    return [str(charge.bill_date) for charge in plan(contract, today=day(today))]


@pytest.mark.parametrize(
    ("line", "today", "count", "last"),
    [
        pytest.param(PLAIN_LINE, "2026-01-01", 14, "2027-02-01", id="on_the_start"),
        pytest.param(PLAIN_LINE, "2026-01-31", 14, "2027-02-01", id="last_day_before"),
        pytest.param(PLAIN_LINE, "2026-02-01", 15, "2027-03-01", id="a_month_later"),
        pytest.param(PLAIN_LINE, "2025-06-01", 7, "2026-07-01", id="before_the_start"),
        pytest.param(PLAIN_LINE, "2024-11-30", 1, "2026-01-01", id="start_far_off"),
        pytest.param(ARREARS_LINE, "2026-01-01", 13, "2027-02-01", id="arrears"),
        pytest.param(USAGE_LINE, "2026-01-01", 13, "2027-02-01", id="usage"),
    ],
)
def test_evergreen_contract_is_planned_13_months_ahead_by_bill_date(
    line: LineTerms, today: str, count: int, last: str
) -> None:
    """P1"""
    planned = bill_dates(replace(EVERGREEN, lines=(line,)), today)

    assert len(planned) == count
    assert planned[-1] == last


@pytest.mark.parametrize(
    ("timing", "months", "today", "expected"),
    [
        pytest.param(
            Timing.ADVANCE,
            18,
            "2026-01-01",
            ["2026-01-01", "2027-07-01"],
            id="due_today_is_not_the_next",
        ),
        pytest.param(
            Timing.ADVANCE,
            18,
            "2025-12-31",
            ["2026-01-01"],
            id="next_is_tomorrow",
        ),
        pytest.param(
            Timing.ARREARS,
            60,
            "2026-01-01",
            ["2031-01-01"],
            id="five_years_in_arrears",
        ),
        pytest.param(
            Timing.ADVANCE,
            60,
            "2031-01-01",
            ["2026-01-01", "2031-01-01", "2036-01-01"],
            id="five_years_on_a_boundary",
        ),
    ],
)
def test_next_charge_of_a_line_is_planned_however_far_off(
    timing: Timing, months: int, today: str, expected: list[str]
) -> None:
    """P1"""
    line = replace(PLAIN_LINE, timing=timing, months=months)

    assert bill_dates(replace(EVERGREEN, lines=(line,)), today) == expected


def test_one_time_charge_of_an_evergreen_contract_is_always_planned() -> None:
    """P1"""
    line = replace(ONE_TIME_LINE, start=day("2029-01-01"))

    assert bill_dates(replace(EVERGREEN, lines=(line,)), "2026-01-01") == ["2029-01-01"]


def test_line_that_ends_is_planned_no_further_than_its_evergreen_contract() -> None:
    """P1"""
    line = replace(PLAIN_LINE, agreed_end=day("2030-12-31"))

    assert len(bill_dates(replace(EVERGREEN, lines=(line,)), "2026-01-01")) == 14
    assert len(bill_dates(replace(EVERGREEN, lines=(line,)), "2030-01-01")) == 60


@pytest.mark.parametrize(
    ("line", "bill_day", "today", "expected"),
    [
        pytest.param(PLAIN_LINE, 1, "2026-01-15", "2026-02-01", id="monthly"),
        pytest.param(PLAIN_LINE, 1, "2026-02-01", "2026-03-01", id="on_an_extension"),
        pytest.param(ARREARS_LINE, 1, "2026-01-15", "2026-02-01", id="arrears"),
        pytest.param(PLAIN_LINE, 31, "2026-02-15", "2026-03-01", id="day_is_missing"),
        pytest.param(PLAIN_LINE, 31, "2026-03-01", "2026-03-30", id="reaches_30_april"),
        pytest.param(
            replace(PLAIN_LINE, months=18), 1, "2026-01-15", "2027-07-01", id="long"
        ),
        pytest.param(
            replace(PLAIN_LINE, agreed_end=day("2027-02-15")),
            1,
            "2026-01-01",
            None,
            id="planned_through_its_end",
        ),
        pytest.param(
            replace(PLAIN_LINE, last_day=day("2026-01-10")),
            1,
            "2025-12-01",
            None,
            id="ended_by_an_amendment",
        ),
        pytest.param(ONE_TIME_LINE, 1, "2025-01-01", None, id="one_time"),
    ],
)
def test_plan_is_next_extended_when_the_horizon_reaches_a_charge(
    line: LineTerms, bill_day: int, today: str, expected: str | None
) -> None:
    """P1"""
    contract = replace(EVERGREEN, bill_day=bill_day, lines=(line,))

    extension = next_extension(contract, today=day(today))

    assert extension == (day(expected) if expected else None)


def test_plan_is_extended_on_the_first_bill_date_of_a_long_stub() -> None:
    """P1: the stub's start, not the boundary before it, which is past."""
    line = replace(PLAIN_LINE, months=18, start=day("2026-01-15"))
    contract = replace(EVERGREEN, start=day("2026-01-15"), lines=(line,))

    assert bill_dates(contract, "2026-01-10") == ["2026-01-15"]
    assert next_extension(contract, today=day("2026-01-10")) == day("2026-01-15")


def test_earliest_line_extends_the_contract() -> None:
    """P1"""
    yearly = replace(PLAIN_LINE, line_id=2, months=12)
    ended = replace(PLAIN_LINE, line_id=3, last_day=day("2026-01-10"))
    contract = replace(EVERGREEN, lines=(ended, yearly, PLAIN_LINE))

    assert next_extension(contract, today=day("2026-01-15")) == day("2026-02-01")


@pytest.mark.parametrize(
    "contract",
    [PLAIN_CONTRACT, replace(EVERGREEN, last_day=day("2030-01-01"))],
    ids=["with_an_end", "canceled"],
)
def test_contract_that_ends_is_never_extended(contract: ContractTerms) -> None:
    """P1: its plan doesn't depend on today."""
    assert next_extension(contract, today=YEAR_START) is None
    assert plan(contract, today=day("2020-01-01")) == plan(
        contract, today=day("2040-01-01")
    )


def test_extension_of_terms_that_cannot_be_planned_is_refused() -> None:
    with pytest.raises(UnplannableTerms):
        next_extension(replace(EVERGREEN, lines=()), today=YEAR_START)


@settings(deadline=None)
@given(
    contract=contracts(evergreen=True),
    today=st.dates(min_value=day("2022-06-01"), max_value=day("2030-12-31")),
)
def test_plan_grows_on_the_day_of_extension_and_not_before(
    contract: ContractTerms, today: date
) -> None:
    """P1"""
    planned = plan(contract, today=today)

    extension = next_extension(contract, today=today)

    if extension is None:
        assert plan(contract, today=day("2045-01-01")) == planned
        return
    assert extension > today
    assert plan(contract, today=extension - ONE_DAY) == planned
    extended = plan(contract, today=extension)
    assert len(extended) > len(planned)
    assert set(planned) < set(extended)


@settings(deadline=None)
@given(
    contract=contracts(evergreen=True),
    today=st.dates(day("2022-06-01"), day("2030-12-31")),
)
def test_something_upcoming_is_always_planned(
    contract: ContractTerms, today: date
) -> None:
    """P1: for each line that goes on."""
    planned = plan(contract, today=today)

    for line in contract.lines:
        goes_on = line.months and line.agreed_end is None and line.last_day is None
        upcoming = [
            charge
            for charge in planned
            if charge.line_id == line.line_id and charge.bill_date > today
        ]
        assert upcoming or not goes_on
