from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.domain.decimals import NotANumber, format_decimal, parse_decimal


@pytest.mark.parametrize(
    "text", ["0", "1", "1234.50", "007", "0.000001", "999999999999.999999"]
)
def test_plain_number_is_read_as_written(text: str) -> None:
    assert parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param("1,5", "decimal comma", id="decimal_comma"),
        pytest.param("1,234.50", "thousands separator", id="thousands_comma"),
        pytest.param("1.234.567", "thousands separators", id="thousands_points"),
        pytest.param("1 234", "thousands separators", id="thousands_blank"),
        pytest.param("1\u00a0234", "thousands separators", id="no_break_space"),
        pytest.param("1\u202f234", "thousands separators", id="narrow_blank"),
        pytest.param("1'234", "thousands separators", id="apostrophe"),
        pytest.param("1_000", "thousands separators", id="underscore"),
        pytest.param("$5", "digits with a decimal point only", id="dollar"),
        pytest.param("5 EUR", "digits with a decimal point only", id="currency_code"),
        pytest.param("10%", "percent sign", id="percent"),
        pytest.param("1e3", "exponent", id="exponent"),
        pytest.param("1.5E+11", "exponent", id="spreadsheet_exponent"),
        pytest.param("NaN", "It is not a number. Write", id="nan"),
        pytest.param("sNaN", "It is not a number. Write", id="signalling_nan"),
        pytest.param("Infinity", "It is not a number. Write", id="infinity"),
        pytest.param("-inf", "It is not a number. Write", id="minus_infinity"),
        pytest.param("+5", "leading plus", id="plus"),
        pytest.param("-5", "negative", id="minus"),
        pytest.param("\u22125", "negative", id="typographic_minus"),
        pytest.param("\uff11\uff12", "digits 0-9", id="full_width"),
        pytest.param("٣", "digits 0-9", id="arabic"),
        pytest.param("²", "decimal point", id="superscript"),
        pytest.param("½", "not a number", id="vulgar_fraction"),
        pytest.param(".5", "decimal point", id="no_digit_before_point"),
        pytest.param("5.", "decimal point", id="no_digit_after_point"),
        pytest.param("ten", "not a number", id="word"),
        pytest.param("", "not a number", id="blank"),
        pytest.param("0x10", "decimal point", id="hexadecimal"),
        pytest.param("1\n", "decimal point", id="line_break"),
        pytest.param("1.0000001", "more than 6 digits after", id="seven_decimals"),
        pytest.param("1" * 13, "more than 12 digits before", id="thirteen_digits"),
        pytest.param("0" * 5000 + "x", "too long", id="long"),
    ],
)
def test_anything_else_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(NotANumber, match=advice):
        parse_decimal(text)


@settings(deadline=None)
@given(
    st.decimals(min_value=0, max_value=10**12 - 1, places=6),
)
def test_formatted_number_reads_back_equal(number: Decimal) -> None:
    assert parse_decimal(format_decimal(number)) == number


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_number_or_refused(text: str) -> None:
    with suppress(NotANumber):
        assert parse_decimal(text) >= 0
