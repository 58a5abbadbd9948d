"""Currencies and rounding (M1)."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.money import (
    UnknownCurrency,
    currency_digits,
    is_currency,
    round_money,
)

DIGITS = {"JPY": 0, "KRW": 0, "ISK": 0, "EUR": 2, "USD": 2, "KWD": 3, "TND": 3}


@pytest.mark.parametrize(("currency", "digits"), DIGITS.items())
def test_digits_are_those_of_iso_4217(currency: str, digits: int) -> None:
    """M1"""
    assert currency_digits(currency) == digits
    assert is_currency(currency)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        pytest.param("HUF", 2, id="forint"),
        pytest.param("IDR", 2, id="rupiah"),
        pytest.param("IQD", 3, id="iraqi_dinar"),
        pytest.param("UGX", 0, id="ugandan_shilling"),
        pytest.param("TWD", 2, id="taiwan_dollar"),
    ],
)
def test_digits_differ_from_what_locales_show(currency: str, digits: int) -> None:
    """M1: CLDR gives these others."""
    assert currency_digits(currency) == digits


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("BGN", id="withdrawn_2026"),
        pytest.param("ANG", id="withdrawn_2025"),
        pytest.param("HRK", id="withdrawn_2023"),
        pytest.param("DEM", id="historic"),
        pytest.param("XAU", id="gold"),
        pytest.param("XXX", id="no_currency"),
        pytest.param("CLF", id="four_digits"),
        pytest.param("eur", id="lower_case"),
        pytest.param("EUR ", id="trailing_blank"),
        pytest.param("", id="blank"),
        pytest.param("€", id="sign"),
    ],
)
def test_code_that_is_no_active_currency_is_refused(code: str) -> None:
    """M1"""
    assert not is_currency(code)
    with pytest.raises(UnknownCurrency):
        currency_digits(code)
    with pytest.raises(UnknownCurrency):
        round_money(Decimal(1), code)


def test_refusal_says_why_four_digits_are_too_many() -> None:
    with pytest.raises(UnknownCurrency, match="UYW has four decimal digits"):
        currency_digits("UYW")


def test_refusal_quotes_the_code_and_says_what_to_write() -> None:
    with pytest.raises(UnknownCurrency, match=r"“euro” .* three capital letters"):
        currency_digits("euro")


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        pytest.param("10.005", "EUR", "10.01", id="half_cent_goes_up"),
        pytest.param("10.015", "EUR", "10.02", id="half_cent_over_odd_goes_up"),
        pytest.param("10.004999999999", "EUR", "10.00", id="just_below_half"),
        pytest.param("10.004999999999999999999999999999999", "EUR", "10.00", id="long"),
        pytest.param("5", "EUR", "5.00", id="whole_number_gets_cents"),
        pytest.param("1.10000", "EUR", "1.10", id="zeros_are_cut"),
        pytest.param("0.5", "JPY", "1", id="yen_half"),
        pytest.param("1199.49", "JPY", "1199", id="yen"),
        pytest.param("1.2345", "KWD", "1.235", id="dinar_half"),
        pytest.param("0.0004", "KWD", "0.000", id="dinar_to_zero"),
        pytest.param("-10.005", "EUR", "-10.01", id="negative_like_its_opposite"),
        pytest.param("999999999999999.995", "EUR", "1000000000000000.00", id="large"),
        pytest.param("1E+3", "JPY", "1000", id="exponent"),
    ],
)
def test_amount_is_rounded_half_up_to_the_minor_unit(
    amount: str, currency: str, expected: str
) -> None:
    """M1"""
    assert str(round_money(Decimal(amount), currency)) == expected


def test_zero_has_no_sign() -> None:
    assert str(round_money(Decimal("-0.001"), "EUR")) == "0.00"


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_money(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount of money"):
        round_money(Decimal(amount), "EUR")


def test_rounding_does_not_depend_on_the_threads_context() -> None:
    """M1"""
    with localcontext(prec=4, rounding="ROUND_DOWN"):
        assert str(round_money(Decimal("123456.785"), "EUR")) == "123456.79"


@given(
    amount=st.decimals(
        min_value=-(10**15), max_value=10**15, allow_nan=False, places=9
    ),
    currency=st.sampled_from(sorted(DIGITS)),
)
def test_rounding_law(amount: Decimal, currency: str) -> None:
    """M1: a half at most away, digits exact, once rounded it stays."""
    rounded = round_money(amount, currency)

    unit = Fraction(1, 10 ** DIGITS[currency])
    distance = Fraction(rounded) - Fraction(amount)
    away = distance if amount >= 0 else -distance
    assert -unit / 2 < away <= unit / 2
    assert rounded.as_tuple().exponent == -DIGITS[currency]
    assert round_money(rounded, currency) == rounded
