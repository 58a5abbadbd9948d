"""Quantities, prices and discounts, and their bounds (M1, M9)."""

from dataclasses import replace
from decimal import Decimal, localcontext

import pytest

from contracts.domain.terms import Rates, Stretch, UnplannableTerms, check_terms
from tests.contracts.domain.sold import (
    PLAIN_CONTRACT,
    PLAIN_LINE,
    YEAR_START,
    day,
    price,
)


@pytest.mark.parametrize(
    ("rates", "field", "sentence"),
    [
        (price("-0.01"), "unit_price", "The unit price is negative: -0.01."),
        (price("1", quantity="-1"), "quantity", "The quantity is negative: -1."),
        (price("NaN"), "unit_price", "The unit price is not a number."),
        (price("1", quantity="sNaN"), "quantity", "The quantity is not a number."),
        (price("Infinity"), "unit_price", "The unit price is not a number."),
        (price("1000000000000"), "unit_price", "more than 12 digits before"),
        (price("0.0000001"), "unit_price", "more than 6 decimal places: 1E-7."),
        (price("1", quantity="1E-300"), "quantity", "more than 6 decimal places"),
        (price("999999999999", quantity="1001"), "unit_price", "is too large"),
        (price("1", discount_percent="-1"), "discount_percent", "discount is negative"),
        (price("1", discount_percent="100.001"), "discount_percent", "0 to 100 perc"),
        (price("1", discount_percent="NaN"), "discount_percent", "is not a number"),
        (price("1", discount_percent="0.0001"), "discount_percent", "than 3 decimal"),
    ],
    ids=[
        "negative_price",
        "negative_quantity",
        "nan",
        "signalling_nan",
        "infinite",
        "huge_price",
        "seven_decimals",
        "tiny",
        "huge_amount",
        "negative_discount",
        "discount_over_100",
        "discount_nan",
        "discount_decimals",
    ],
)
def test_numbers_that_cannot_be_billed_or_kept_are_refused(
    rates: Rates, field: str, sentence: str
) -> None:
    """M9: wherever in the line's life."""
    later = Stretch(from_date=day("2026-02-01"), rates=rates)
    second = replace(PLAIN_LINE, line_id=7, stretches=(*PLAIN_LINE.stretches, later))
    contract = replace(PLAIN_CONTRACT, lines=(PLAIN_LINE, second))

    with pytest.raises(UnplannableTerms) as refusal:
        check_terms(contract)

    refused = refusal.value
    assert sentence in refused.sentence
    assert str(refused) == f"Line 2: {refused.sentence}"
    assert (refused.field, refused.line_id, refused.line_number) == (field, 7, 2)


@pytest.mark.parametrize(
    "rates",
    [
        price("999999999999.999999"),
        price("0", quantity="0", discount_percent="100"),
        price("1.0000000000", discount_percent="12.5000"),
    ],
    ids=["largest", "zeros", "trailing_zeros"],
)
def test_numbers_on_the_edge_pass(rates: Rates) -> None:
    """M9"""
    stretch = Stretch(from_date=YEAR_START, rates=rates)

    line = replace(PLAIN_LINE, stretches=(stretch,))

    check_terms(replace(PLAIN_CONTRACT, lines=(line,)))


def test_price_is_exact_whatever_the_threads_context() -> None:
    """M1"""
    rates = price("999999999999.999999", quantity="0.333333", discount_percent="0.001")

    with localcontext(prec=5):
        exact = rates.price

    assert exact == Decimal("333329666669.99999966667033333")
