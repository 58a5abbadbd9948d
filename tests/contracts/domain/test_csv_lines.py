"""What the cells of one row must say together: a line within its contract."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.domain.csv_file import shown
from contracts.domain.terms import ChargeType, Proration, Timing
from tests.contracts.domain.contract_csv import (
    USAGE,
    contracts_of,
    errors_of,
    places,
    row,
)

TIERS = "graduated 100:0.50;1000:0.40;*:0.30"
ONE_TIME = {"charge_type": "one_time"}


def test_blank_optional_cells_are_their_defaults() -> None:
    (contract,) = contracts_of(row())

    (line,) = contract.lines
    assert line.months == 1
    assert line.timing is Timing.ADVANCE
    assert line.proration is Proration.DAILY
    assert line.discount_percent == 0
    assert (line.start, line.end, line.tax_percent) == (None, None, None)
    assert line.included_quantity == 0
    assert line.tiers == line.description == ""


@pytest.mark.parametrize("quantity", ["", "0", "0.00"])
def test_p9_usage_has_no_quantity_and_is_billed_in_arrears(quantity: str) -> None:
    (contract,) = contracts_of(
        row(charge_type="usage", quantity=quantity, included_quantity="50")
    )

    (line,) = contract.lines
    assert line.charge_type is ChargeType.USAGE
    assert line.quantity is None
    assert line.unit_price == Decimal("10.50")
    assert line.timing is Timing.ARREARS
    assert line.included_quantity == 50


@pytest.mark.parametrize("unit_price", ["", "0", "0.00"])
def test_p9_tiers_take_the_place_of_the_unit_price(unit_price: str) -> None:
    (contract,) = contracts_of(row(**USAGE, unit_price=unit_price, tiers=TIERS))

    (line,) = contract.lines
    assert line.unit_price is None
    assert line.tiers == "graduated 100:0.5;1000:0.4;*:0.3"


def test_usage_may_cost_nothing() -> None:
    (contract,) = contracts_of(row(**USAGE, unit_price="0"))

    assert contract.lines[0].unit_price == 0


def test_m9_quantity_and_price_may_be_zero() -> None:
    (contract,) = contracts_of(row(quantity="0", unit_price="0"))

    assert contract.lines[0].quantity == contract.lines[0].unit_price == 0


def test_one_time_line_has_no_frequency_and_its_own_date() -> None:
    (contract,) = contracts_of(
        row(**ONE_TIME, timing="advance", line_start_date="2026-03-01")
    )

    (line,) = contract.lines
    assert line.months is None
    assert line.start == date(2026, 3, 1)


def test_one_time_line_may_end_on_its_day() -> None:
    contracts_of(
        row(**ONE_TIME, line_start_date="2026-03-01", line_end_date="2026-03-01"),
        row(**ONE_TIME, product="Setup", line_end_date="2026-01-01"),
    )


def test_line_dates_may_be_the_first_and_last_of_the_contract() -> None:
    (contract,) = contracts_of(
        row(
            end_date="2026-12-31",
            line_start_date="2026-01-01",
            line_end_date="2026-12-31",
        )
    )

    (line,) = contract.lines
    assert (line.start, line.end) == (date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("cells", "column", "complaint"),
    [
        pytest.param(
            {"charge_type": "usage", "quantity": "5"},
            "quantity",
            "counted later",
            id="usage_with_quantity",
        ),
        pytest.param(
            USAGE | {"timing": "advance"},
            "timing",
            "billed in arrears",
            id="usage_in_advance",
        ),
        pytest.param(
            USAGE | {"unit_price": ""},
            "unit_price",
            "a unit price or tiers",
            id="usage_without_price",
        ),
        pytest.param(
            USAGE | {"tiers": TIERS},
            "unit_price",
            "The tiers hold the prices",
            id="tiers_and_unit_price",
        ),
        pytest.param(
            USAGE | {"tiers": "graduated 10:1", "unit_price": ""},
            "tiers",
            "last tier must be open",
            id="tiers_without_open_end",
        ),
        pytest.param(
            USAGE | {"tiers": "volume " + "1:1;" * 400, "unit_price": ""},
            "tiers",
            "at most 1000 characters",
            id="tiers_too_long",
        ),
        pytest.param({"tiers": TIERS}, "tiers", "Only usage", id="recurring_tiers"),
        pytest.param(
            {"included_quantity": "5"},
            "included_quantity",
            "Only usage",
            id="recurring_included",
        ),
        pytest.param(
            ONE_TIME | {"frequency": "monthly"},
            "frequency",
            "no frequency",
            id="one_time_frequency",
        ),
        pytest.param(
            ONE_TIME | {"timing": "arrears"},
            "timing",
            "on its own date",
            id="one_time_arrears",
        ),
        pytest.param(
            ONE_TIME | {"line_end_date": "2026-02-01"},
            "line_end_date",
            "a single day",
            id="one_time_end",
        ),
        pytest.param(
            {"quantity": "999999999", "unit_price": "999999999"},
            "unit_price",
            "too large",
            id="amount_too_large",
        ),
        pytest.param(
            {"bill_month": "1", "frequency": "every:5"},
            "frequency",
            "Every 5 months can't go with a bill month",
            id="bill_month_not_dividing",
        ),
        pytest.param(
            {"bill_month": "4", "frequency": "every:24"},
            "frequency",
            "Every 24 months",
            id="bill_month_over_a_year",
        ),
        pytest.param(
            {"end_date": "2025-12-31"},
            "end_date",
            "ends before its start, 2026-01-01",
            id="end_before_start",
        ),
        pytest.param(
            {"end_date": "2126-01-01"},
            "end_date",
            "more than 100 years",
            id="term_over_100_years",
        ),
        pytest.param(
            {"line_start_date": "2025-12-31"},
            "line_start_date",
            "before the start of the contract, 2026-01-01",
            id="line_before_contract",
        ),
        pytest.param(
            {"end_date": "2026-06-30", "line_start_date": "2026-07-01"},
            "line_start_date",
            "after the end of the contract, 2026-06-30",
            id="line_after_contract",
        ),
        pytest.param(
            {"end_date": "2026-06-30", "line_end_date": "2026-07-01"},
            "line_end_date",
            "after the end of the contract",
            id="line_ends_after_contract",
        ),
        pytest.param(
            {"line_start_date": "2026-03-02", "line_end_date": "2026-03-01"},
            "line_end_date",
            "ends before its start, 2026-03-02",
            id="line_end_before_start",
        ),
        pytest.param(
            {"line_end_date": "2025-12-31"},
            "line_end_date",
            "before the start of the contract",
            id="line_ends_before_contract",
        ),
        pytest.param(
            {"line_end_date": "2126-01-01"},
            "line_end_date",
            "more than 100 years",
            id="line_over_100_years",
        ),
    ],
)
def test_cells_that_contradict_each_other_are_refused(
    cells: dict[str, str], column: str, complaint: str
) -> None:
    (error,) = errors_of(row(**cells))

    assert (error.line, error.column) == (2, column)
    assert error.value == shown(row(**cells)[column])
    assert complaint in error.message


@pytest.mark.parametrize(
    "frequency", ["monthly", "every:2", "quarterly", "every:4", "semiannual", "annual"]
)
def test_p3_bill_month_goes_with_what_divides_a_year(frequency: str) -> None:
    (contract,) = contracts_of(row(bill_month="4", frequency=frequency))

    assert contract.bill_month == 4


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("2026-01-01", id="one_day"),
        pytest.param("2125-12-31", id="100_years"),
    ],
)
def test_shortest_and_longest_terms_are_accepted(end: str) -> None:
    contracts_of(row(end_date=end))


def test_all_faults_of_a_row_are_named_in_the_order_of_its_columns() -> None:
    errors = errors_of(
        row(
            account_name="",
            start_date="1.1.26",
            currency="EURO",
            charge_type="rent",
            quantity="1,5",
            unit_price="-1",
            frequency="daily",
            country="Germany",
        )
    )

    assert places(errors) == [
        (2, "account_name"),
        (2, "start_date"),
        (2, "currency"),
        (2, "charge_type"),
        (2, "quantity"),
        (2, "unit_price"),
        (2, "frequency"),
        (2, "country"),
    ]


def test_cell_that_cannot_be_read_is_not_complained_about_twice() -> None:
    errors = errors_of(row(**USAGE | {"tiers": "stairs", "unit_price": ""}))

    assert places(errors) == [(2, "tiers")]
