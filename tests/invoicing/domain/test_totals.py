"""M1, M8, M9: sums, tax once for each rate, due dates, the status at issue."""

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.money import UnknownCurrency, currency_digits, round_money
from invoicing.domain.states import InvoiceStatus
from invoicing.domain.totals import (
    UnroundedAmount,
    due_date,
    invoice_totals,
    status_at_issue,
)


def decimal_lines(
    lines: list[tuple[str, str | None]],
) -> list[tuple[Decimal, Decimal | None]]:
    return [
        (Decimal(amount), None if percent is None else Decimal(percent))
        for amount, percent in lines
    ]


@pytest.mark.parametrize(
    ("currency", "lines", "subtotal", "tax", "total"),
    [
        ("EUR", [], "0.00", "0.00", "0.00"),
        ("EUR", [("100.00", None)], "100.00", "0.00", "100.00"),
        ("EUR", [("100.00", "0")], "100.00", "0.00", "100.00"),
        ("EUR", [("100.00", "19")], "100.00", "19.00", "119.00"),
        ("EUR", [("0.13", "19")] * 3, "0.39", "0.07", "0.46"),
        ("EUR", [("0.50", "1")], "0.50", "0.01", "0.51"),
        ("EUR", [("0.49", "1")], "0.49", "0.00", "0.49"),
        ("USD", [("19.99", "8.875")], "19.99", "1.77", "21.76"),
        ("USD", [("33.33", "8.8750"), ("33.33", "8.875")], "66.66", "5.92", "72.58"),
        (
            "EUR",
            [("10.01", "19"), ("10.01", "7"), ("5.00", None)],
            "25.02",
            "2.60",
            "27.62",
        ),
        ("JPY", [("1", "10")] * 5, "5", "1", "6"),
        ("JPY", [("4", "10")], "4", "0", "4"),
        ("JPY", [("1234", "10"), ("1234", "8")], "2468", "222", "2690"),
        ("KWD", [("0.001", "50")], "0.001", "0.001", "0.002"),
        ("KWD", [("16.350", "5")], "16.350", "0.818", "17.168"),
        ("EUR", [("10.500", "19.000")], "10.50", "2.00", "12.50"),
        (
            "EUR",
            [("999999999999999.99", "25")],
            "999999999999999.99",
            "250000000000000.00",
            "1249999999999999.99",
        ),
    ],
    ids=[
        "no_lines",
        "no_rate",
        "rate_of_zero",
        "whole_tax",
        "rounded_once_not_per_line",
        "half_a_cent_up",
        "less_than_half_a_cent",
        "three_digit_rate",
        "one_rate_written_in_two_ways",
        "two_rates_and_none",
        "yen_rounded_once",
        "yen_under_half",
        "yen_two_rates",
        "kuwaiti_half_a_fils_up",
        "kuwaiti_dinar",
        "digits_as_the_database_keeps_them",
        "as_much_as_the_column_holds",
    ],
)
def test_totals_are_sums_of_what_is_printed(
    currency: str,
    lines: list[tuple[str, str | None]],
    subtotal: str,
    tax: str,
    total: str,
) -> None:
    """M1."""
    totals = invoice_totals(decimal_lines(lines), currency)

    assert [str(totals.subtotal), str(totals.tax), str(totals.total)] == [
        subtotal,
        tax,
        total,
    ]


def test_every_rate_used_has_its_row_and_no_rate_has_none() -> None:
    """M1: highest rate first; a rate of 0 % is a row, no rate is not."""
    lines = decimal_lines(
        [("5.00", None), ("8.00", "0"), ("10.00", "7"), ("2.00", "19"), ("1.00", "7")]
    )

    rows = [
        (str(row.percent), str(row.taxable), str(row.tax))
        for row in invoice_totals(lines, "EUR").taxes
    ]

    assert rows == [
        ("19", "2.00", "0.38"),
        ("7", "11.00", "0.77"),
        ("0", "8.00", "0.00"),
    ]


def test_order_of_lines_changes_no_figure() -> None:
    """M1."""
    lines = decimal_lines(
        [("0.13", "19"), ("0.13", "7"), ("0.05", None), ("0.13", "19")]
    )

    assert len({invoice_totals(order, "EUR") for order in permutations(lines)}) == 1


@pytest.mark.parametrize(
    ("amount", "percent", "currency"),
    [
        ("0.005", "19", "EUR"),
        ("0.005", None, "EUR"),
        ("0.5", "10", "JPY"),
        ("1.0001", "5", "KWD"),
    ],
)
def test_line_that_was_not_rounded_is_refused(
    amount: str, percent: str | None, currency: str
) -> None:
    """M1."""
    with pytest.raises(UnroundedAmount, match="Round each line first"):
        invoice_totals(decimal_lines([(amount, percent)]), currency)


def test_unknown_currency_is_refused() -> None:
    """M1."""
    with pytest.raises(UnknownCurrency):
        invoice_totals([], "ABC")


@st.composite
def invoices(
    draw: st.DrawFn,
) -> tuple[list[tuple[Decimal, Decimal | None]], str]:
    currency = draw(st.sampled_from(["EUR", "USD", "JPY", "KWD"]))
    amount = st.integers(min_value=0, max_value=10**9).map(
        lambda units: Decimal(units).scaleb(-currency_digits(currency))
    )
    percent = st.none() | st.sampled_from(
        [Decimal(text) for text in ("0", "2.1", "5", "7", "8.875", "19.000", "25.5")]
    )
    return draw(st.lists(st.tuples(amount, percent), max_size=12)), currency


@given(invoices())
def test_laws_of_totals(
    invoice: tuple[list[tuple[Decimal, Decimal | None]], str],
) -> None:
    """M1, BR-CO-14, BR-CO-15, BR-CO-17."""
    lines, currency = invoice

    totals = invoice_totals(lines, currency)

    assert totals.subtotal == sum(amount for amount, _ in lines)
    assert totals.tax == sum(row.tax for row in totals.taxes)
    assert totals.total == totals.subtotal + totals.tax
    for row in totals.taxes:
        assert row.taxable == sum(
            amount for amount, percent in lines if percent == row.percent
        )
        assert row.tax == round_money(row.taxable * row.percent / 100, currency)
    assert {row.percent for row in totals.taxes} == {
        percent for _, percent in lines if percent is not None
    }
    digits = -currency_digits(currency)
    for money in (totals.subtotal, totals.tax, totals.total):
        assert money.as_tuple().exponent == digits


@pytest.mark.parametrize(
    ("issue_date", "bill_date", "net_terms", "due"),
    [
        (date(2026, 3, 1), date(2026, 3, 1), 30, date(2026, 3, 31)),
        (date(2026, 3, 1), date(2026, 3, 1), 0, date(2026, 3, 1)),
        (date(2026, 3, 9), date(2026, 3, 1), 30, date(2026, 4, 8)),
        (date(2026, 2, 1), date(2026, 3, 1), 14, date(2026, 3, 1)),
        (date(2026, 2, 1), date(2026, 3, 1), 30, date(2026, 3, 3)),
        (date(2028, 1, 31), date(2028, 1, 31), 30, date(2028, 3, 1)),
    ],
    ids=[
        "net_30",
        "due_at_once",
        "issued_late",
        "never_before_the_bill_date",
        "issued_early_with_long_terms",
        "across_a_leap_day",
    ],
)
def test_due_date_is_issue_date_plus_net_terms_never_before_the_bill_date(
    issue_date: date, bill_date: date, net_terms: int, due: date
) -> None:
    """M8."""
    assert due_date(issue_date, bill_date, net_terms) == due


@pytest.mark.parametrize(
    ("total", "status"),
    [
        ("0.00", InvoiceStatus.PAID),
        ("0.01", InvoiceStatus.OPEN),
        ("1200", InvoiceStatus.OPEN),
    ],
)
def test_invoice_of_zero_is_paid_when_issued(total: str, status: InvoiceStatus) -> None:
    """M9."""
    assert status_at_issue(Decimal(total)) is status
