"""Terms that can't be planned, and the words of the domain (P1-P4, M9)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from contracts.domain.terms import (
    LIVE_STATES,
    ChargeState,
    ContractTerms,
    LineTerms,
    Timing,
    UnplannableTerms,
    check_terms,
)
from tests.contracts.domain.sold import (
    EVERGREEN,
    ONE_TIME_LINE,
    PLAIN_CONTRACT,
    PLAIN_LINE,
    USAGE_LINE,
    YEAR_START,
    contracts,
    day,
    from_days,
)


def refusal(terms: ContractTerms) -> UnplannableTerms:
    with pytest.raises(UnplannableTerms) as refused:
        check_terms(terms)
    return refused.value


def with_line(line: LineTerms, terms: ContractTerms = PLAIN_CONTRACT) -> ContractTerms:
    return replace(terms, lines=(line,))


@given(contract=contracts())
def test_terms_that_can_be_planned_pass(contract: ContractTerms) -> None:
    check_terms(contract)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        pytest.param({"lines": ()}, "lines", "The contract has no lines.", id="empty"),
        pytest.param(
            {"lines": (PLAIN_LINE, PLAIN_LINE)},
            "lines",
            "The same line is given twice.",
            id="line_twice",
        ),
        pytest.param(
            {"currency": "EURO"}, "currency", "“EURO” is not an active", id="currency"
        ),
        pytest.param(
            {"currency": "CLF"}, "currency", "CLF has four decimal", id="four_digits"
        ),
        pytest.param(
            {"bill_day": 0}, "bill_day", "The bill day is 1 to 31, not 0.", id="day_0"
        ),
        pytest.param(
            {"bill_day": 32},
            "bill_day",
            "The bill day is 1 to 31, not 32.",
            id="day_32",
        ),
        pytest.param(
            {"bill_month": 0},
            "bill_month",
            "bill month is 1 to 12, not 0.",
            id="month_0",
        ),
        pytest.param(
            {"bill_month": 13}, "bill_month", "1 to 12, not 13.", id="month_13"
        ),
        pytest.param(
            {"end": day("2025-12-31")},
            "end",
            "The contract ends on 2025-12-31, before its start, 2026-01-01.",
            id="end_before_start",
        ),
        pytest.param(
            {"start": day("1899-12-31")},
            "start",
            "1899-12-31 lies outside the years 1900 to 2200.",
            id="before_1900",
        ),
        pytest.param(
            {"end": day("2201-01-01")},
            "end",
            "2201-01-01 lies outside the years 1900 to 2200.",
            id="after_2200",
        ),
        pytest.param(
            {"end": day("2126-01-01")},
            "end",
            "From 2026-01-01 to 2126-01-01 is longer than 100 years.",
            id="over_100_years",
        ),
        pytest.param(
            {"end": None, "last_day": day("2126-01-01")},
            "last_day",
            "is longer than 100 years.",
            id="canceled_after_100_years",
        ),
        pytest.param(
            {"last_day": day("2025-12-30")},
            "last_day",
            "can't be 2025-12-30: 2025-12-31, the day before the start, already",
            id="canceled_too_early",
        ),
        pytest.param(
            {"last_day": day("2026-04-01")},
            "last_day",
            "of service, 2026-04-01, lies after the end, 2026-03-31.",
            id="canceled_after_the_end",
        ),
    ],
)
def test_contract_that_cannot_be_planned_is_refused(
    changes: dict[str, Any], field: str, sentence: str
) -> None:
    """P1-P3, S1"""
    refused = refusal(replace(PLAIN_CONTRACT, **changes))

    assert sentence in str(refused)
    assert refused.field == field
    assert refused.line_number is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"end": YEAR_START}, id="one_day"),
        pytest.param({"last_day": day("2025-12-31")}, id="never_served"),
        pytest.param({"last_day": day("2026-03-31")}, id="canceled_on_the_end"),
        pytest.param({"end": day("2125-12-31")}, id="hundred_years"),
        pytest.param({"bill_day": 31, "bill_month": 12}, id="last_bill_day"),
        pytest.param({"currency": "KWD"}, id="three_digits"),
    ],
)
def test_contract_on_the_edge_passes(changes: dict[str, Any]) -> None:
    """P1-P3, S1"""
    check_terms(replace(PLAIN_CONTRACT, **changes))


def test_dates_from_1900_to_2200_pass() -> None:
    first = replace(PLAIN_LINE, start=day("1900-01-01"))
    never_served = day("1899-12-31")
    last = replace(PLAIN_LINE, start=day("2200-12-31"))

    oldest = with_line(first, replace(EVERGREEN, start=day("1900-01-01")))
    check_terms(oldest)
    check_terms(replace(oldest, last_day=never_served))
    check_terms(with_line(last, replace(EVERGREEN, start=day("2200-12-31"))))


@pytest.mark.parametrize(
    ("line", "field", "sentence"),
    [
        pytest.param(
            replace(PLAIN_LINE, months=0),
            "months",
            "bills every 1 to 60 months",
            id="zero_months",
        ),
        pytest.param(
            replace(PLAIN_LINE, months=61), "months", "1 to 60 months", id="61_months"
        ),
        pytest.param(
            replace(PLAIN_LINE, months=None),
            "months",
            "1 to 60 months",
            id="recurring_without_frequency",
        ),
        pytest.param(
            replace(ONE_TIME_LINE, months=1),
            "months",
            "A one-time line has no frequency",
            id="one_time_with_frequency",
        ),
        pytest.param(
            replace(USAGE_LINE, timing=Timing.ADVANCE),
            "timing",
            "Usage is always billed in arrears",
            id="usage_in_advance",
        ),
        pytest.param(
            replace(PLAIN_LINE, start=day("2025-12-31")),
            "start",
            "starts on 2025-12-31, before the contract does, 2026-01-01",
            id="starts_before_the_contract",
        ),
        pytest.param(
            replace(PLAIN_LINE, start=day("2026-04-01")),
            "start",
            "starts on 2026-04-01, after the contract's end, 2026-03-31",
            id="starts_after_the_contract",
        ),
        pytest.param(
            replace(PLAIN_LINE, start=day("2026-02-02"), agreed_end=day("2026-02-01")),
            "agreed_end",
            "ends on 2026-02-01, before its start, 2026-02-02",
            id="ends_before_it_starts",
        ),
        pytest.param(
            replace(PLAIN_LINE, agreed_end=day("2026-04-01")),
            "agreed_end",
            "ends on 2026-04-01, after the contract's end, 2026-03-31",
            id="ends_after_the_contract",
        ),
        pytest.param(
            replace(PLAIN_LINE, stretches=()),
            "stretches",
            "no price on its first day, 2026-01-01",
            id="no_rates",
        ),
        pytest.param(
            replace(PLAIN_LINE, stretches=from_days(d2026_01_02="1")),
            "stretches",
            "no price on its first day, 2026-01-01",
            id="rates_too_late",
        ),
        pytest.param(
            replace(PLAIN_LINE, stretches=from_days(d2026_01_01="1") * 2),
            "stretches",
            "not in order of their dates",
            id="two_rates_on_one_day",
        ),
    ],
)
def test_line_that_cannot_be_planned_is_refused(
    line: LineTerms, field: str, sentence: str
) -> None:
    """P1-P4"""
    refused = refusal(with_line(line))

    assert sentence in refused.sentence
    assert refused.field == field
    assert (refused.line_number, refused.line_id) == (1, 1)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (replace(PLAIN_LINE, start=day("2201-01-01")), "start"),
        (replace(PLAIN_LINE, agreed_end=day("2201-01-01")), "agreed_end"),
        (replace(PLAIN_LINE, agreed_end=day("2126-01-01")), "agreed_end"),
    ],
    ids=["starts_after_2200", "ends_after_2200", "over_100_years"],
)
def test_line_of_an_evergreen_contract_keeps_the_bounds(
    line: LineTerms, field: str
) -> None:
    """P1"""
    assert refusal(with_line(line, EVERGREEN)).field == field


@pytest.mark.parametrize("months", [5, 7, 8, 9, 10, 11, 13, 18, 24, 36, 60])
def test_bill_month_is_refused_for_months_that_do_not_divide_the_year(
    months: int,
) -> None:
    """P3"""
    contract = replace(PLAIN_CONTRACT, bill_month=1)

    refused = refusal(with_line(replace(PLAIN_LINE, months=months), contract))

    assert f"Every {months} months can't go with a bill month" in refused.sentence
    check_terms(with_line(replace(PLAIN_LINE, months=months)))


@pytest.mark.parametrize("months", [1, 2, 3, 4, 6, 12])
def test_bill_month_goes_with_months_that_divide_the_year(months: int) -> None:
    """P3"""
    contract = replace(PLAIN_CONTRACT, bill_month=1)

    check_terms(with_line(replace(PLAIN_LINE, months=months), contract))
    check_terms(with_line(ONE_TIME_LINE, contract))


def test_superseded_and_canceled_charges_are_not_live() -> None:
    """Section 0"""
    assert set(ChargeState) - LIVE_STATES == {
        ChargeState.SUPERSEDED,
        ChargeState.CANCELED,
    }
