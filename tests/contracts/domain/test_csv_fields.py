"""I5: what one cell can say; anything ambiguous is refused, not guessed."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.domain.csv_fields import country
from tests.contracts.domain.contract_csv import USAGE, contracts_of, errors_of, row

WRONG_DATES = [
    pytest.param("01/02/2026", "more than one way", id="slashes"),
    pytest.param("01.02.2026", "more than one way", id="points"),
    pytest.param("2026/01/31", "more than one way", id="year_first_slashes"),
    pytest.param("2026-1-2", "more than one way", id="single_digits"),
    pytest.param("20260102", "more than one way", id="no_hyphens"),
    pytest.param("26-01-02", "more than one way", id="short_year"),
    pytest.param("2026-W01-1", "more than one way", id="week"),
    pytest.param("1 Jan 2026", "more than one way", id="words"),
    pytest.param("２０２６-01-01", "more than one way", id="full_width"),  # noqa: RUF001
    pytest.param("+2026-01-01", "more than one way", id="sign"),
    pytest.param("46022", "spreadsheet's number", id="spreadsheet_serial"),
    pytest.param("2026-01-01T00:00:00", "after the day", id="time"),
    pytest.param("2026-01-01 00:00", "after the day", id="blank_and_time"),
    pytest.param("2026-01-01Z", "after the day", id="zone"),
    pytest.param("2026-02-29", "no such day", id="no_leap_year"),
    pytest.param("2026-02-30", "no such day", id="february_30th"),
    pytest.param("2026-13-01", "no such day", id="month_13"),
    pytest.param("2026-00-01", "no such day", id="month_0"),
    pytest.param("0000-01-01", "no such day", id="year_0"),
    pytest.param("0026-01-01", "between 1900 and 2200", id="year_26"),
    pytest.param("9999-12-31", "where there is no end", id="end_of_time"),
]
WRONG_NUMBERS = [
    pytest.param("1,5", "decimal comma", id="decimal_comma"),
    pytest.param("1,000", "thousands separator", id="thousands_comma"),
    pytest.param("1.000,50", "thousands separator", id="continental"),
    pytest.param("1.000.000", "thousands separators", id="points"),
    pytest.param("1 000", "thousands separators", id="blank_inside"),
    pytest.param("1\u00a0000", "thousands separators", id="no_break_space"),
    pytest.param("1'000", "thousands separators", id="apostrophe"),
    pytest.param("€10", "digits with a decimal point", id="euro"),
    pytest.param("10 USD", "digits with a decimal point", id="currency"),
    pytest.param("(10)", "digits with a decimal point", id="accounting_negative"),
    pytest.param("=1+1", "digits with a decimal point", id="formula"),
    pytest.param("1e3", "exponent", id="exponent"),
    pytest.param("NaN", "not a number", id="nan"),
    pytest.param("Infinity", "not a number", id="infinity"),
    pytest.param("+1", "leading plus", id="plus"),
    pytest.param("-1", "negative", id="negative"),
    pytest.param("１", "digits 0-9", id="full_width"),  # noqa: RUF001
    pytest.param("1.1234567", "more than 6 digits after", id="seven_decimals"),
    pytest.param("1234567890123", "more than 12 digits before", id="thirteen_digits"),
    pytest.param("two", "not a number", id="word"),
    pytest.param("#REF!", "not a number", id="spreadsheet_error"),
]
WRONG_TEXTS = [
    pytest.param("a\x07b", "invisible character (U+0007)", id="bell"),
    pytest.param("a\nb", "invisible character (U+000A)", id="line_break"),
    pytest.param("a\tb", "invisible character (U+0009)", id="tab"),
    pytest.param("a\x85b", "invisible character (U+0085)", id="c1_control"),
    pytest.param("a\u202eb", "invisible character (U+202E)", id="right_to_left"),
    pytest.param("a\u200bb", "invisible character (U+200B)", id="zero_width"),
    pytest.param("a\ufeffb", "invisible character (U+FEFF)", id="byte_order_mark"),
    pytest.param("Andr\ufffd", "A character was lost", id="lost_character"),
    pytest.param("#N/A", "error of the spreadsheet", id="spreadsheet_error"),
]
LENGTHS = {
    "account_number": 100,
    "account_name": 200,
    "bill_group": 200,
    "contract_number": 100,
    "product": 200,
    "description": 500,
    "bill_to": 200,
    "portal": 60,
    "po_number": 100,
    "address_line1": 200,
    "address_line2": 200,
    "city": 100,
    "region": 100,
    "postal_code": 20,
    "cf:note": 10_000,
}


def assert_refused(column: str, value: str, advice: str, **others: str) -> None:
    (error,) = errors_of(row(**{**others, column: value}))

    assert (error.line, error.column) == (2, column)
    assert error.value
    assert advice in error.message
    assert error.message.endswith(".")


@pytest.mark.parametrize(("value", "advice"), WRONG_DATES)
@pytest.mark.parametrize(
    "column", ["start_date", "end_date", "line_start_date", "line_end_date"]
)
def test_date_that_is_not_iso_is_refused(column: str, value: str, advice: str) -> None:
    assert_refused(column, value, advice)


@pytest.mark.parametrize(("value", "advice"), WRONG_NUMBERS)
@pytest.mark.parametrize("column", ["quantity", "unit_price", "included_quantity"])
def test_number_that_could_be_misread_is_refused(
    column: str, value: str, advice: str
) -> None:
    others = USAGE if column == "included_quantity" else {}

    assert_refused(column, value, advice, **others)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        pytest.param("100.001", "between 0 and 100", id="over_100"),
        pytest.param("-1", "negative", id="negative"),
        pytest.param("10%", "without the percent sign", id="percent_sign"),
        pytest.param("0.1234", "more than 3 digits after", id="four_decimals"),
        pytest.param("7,7", "decimal comma", id="decimal_comma"),
    ],
)
@pytest.mark.parametrize("column", ["discount_percent", "tax_rate"])
def test_percentage_out_of_bounds_is_refused(
    column: str, value: str, advice: str
) -> None:
    assert_refused(column, value, advice)


@pytest.mark.parametrize(
    ("column", "bounds", "values"),
    [
        ("bill_day", "from 1 to 31", ["0", "32", "1.0", "-1", "last", "99999", "１"]),  # noqa: RUF001
        ("bill_month", "from 1 to 12", ["0", "13", "January", "1.5", "+1"]),
        ("net_terms", "from 0 to 365", ["366", "-1", "30 days", "30.0", "1e2"]),
    ],
    ids=["bill_day", "bill_month", "net_terms"],
)
def test_whole_number_out_of_bounds_is_refused(
    column: str, bounds: str, values: list[str]
) -> None:
    for value in values:
        assert_refused(column, value, bounds)


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        pytest.param(
            "charge_type", "subscription", "recurring, usage, one_time", id="type"
        ),
        pytest.param(
            "charge_type", "Recurring", "recurring, usage, one_time", id="capital"
        ),
        pytest.param("charge_type", "one-time", "one_time", id="hyphen"),
        pytest.param("timing", "upfront", "advance, arrears", id="timing"),
        pytest.param("proration", "monthly", "daily, none", id="proration"),
        pytest.param("invoicing", "auto", "automatic, manual", id="invoicing"),
        pytest.param("delivery", "mail", "email, portal, both, none", id="delivery"),
        pytest.param(
            "frequency", "sometimes", "monthly, quarterly, semiannual", id="frequency"
        ),
        pytest.param("frequency", "yearly", "annual", id="yearly"),
        pytest.param("frequency", "every:0", "from 1 to 60", id="every_0"),
        pytest.param("frequency", "every:61", "from 1 to 60", id="every_61"),
        pytest.param("frequency", "every:1.5", "from 1 to 60", id="every_fraction"),
        pytest.param("frequency", "every:-3", "from 1 to 60", id="every_negative"),
        pytest.param("frequency", "every:", "from 1 to 60", id="every_nothing"),
        pytest.param("frequency", "every 3", "from 1 to 60", id="every_blank"),
    ],
)
def test_unknown_word_is_refused_with_the_allowed_ones(
    column: str, value: str, allowed: str
) -> None:
    assert_refused(column, value, allowed)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("", 1),
        ("monthly", 1),
        ("quarterly", 3),
        ("semiannual", 6),
        ("annual", 12),
        ("every:1", 1),
        ("every:18", 18),
        ("every:60", 60),
    ],
)
def test_p2_frequency_is_read_as_months(text: str, months: int) -> None:
    (contract,) = contracts_of(row(frequency=text))

    assert contract.lines[0].months == months


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        pytest.param("eur", "“eur” is not an active", id="small_letters"),
        pytest.param("€", "not an active", id="sign"),
        pytest.param("DEM", "not an active", id="withdrawn"),
        pytest.param("XXX", "not an active", id="no_currency"),
        pytest.param("CLF", "four decimal digits", id="four_digits"),
        pytest.param("EURO", "not an active", id="four_letters"),
    ],
)
def test_m1_unknown_currency_is_refused(value: str, advice: str) -> None:
    assert_refused("currency", value, advice)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        pytest.param("Germany", "ISO code", id="name"),
        pytest.param("DEU", "ISO code", id="three_letters"),
        pytest.param("de", "ISO code", id="small_letters"),
        pytest.param("ZZ", "ISO code", id="unknown_region"),
        pytest.param("EU", "ISO code", id="union"),
        pytest.param("UK", "is GB", id="united_kingdom"),
        pytest.param("EL", "is GR", id="greece"),
    ],
)
def test_country_that_is_no_iso_code_is_refused(value: str, advice: str) -> None:
    assert_refused("country", value, advice)


@pytest.mark.parametrize("code", ["DE", "US", "GB", "AX", "XK"])
def test_country_codes_are_kept(code: str) -> None:
    assert country(code) == code


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("acme", id="no_at"),
        pytest.param("a@b", id="no_point"),
        pytest.param("a@b.c", id="one_letter"),
        pytest.param("a@b.1", id="digit_for_domain"),
        pytest.param("@b.com", id="no_name"),
        pytest.param("a@", id="no_host"),
        pytest.param("a@@b.com", id="two_ats"),
        pytest.param("a b@c.com", id="blank"),
        pytest.param(".a@b.com", id="leading_point"),
        pytest.param("a.@b.com", id="trailing_point"),
        pytest.param("a..b@c.com", id="two_points"),
        pytest.param("a@-b.com", id="leading_hyphen"),
        pytest.param("a@b_c.com", id="underscore_in_host"),
        pytest.param("a@b.com, c@d.com", id="two"),
        pytest.param("a@b.com;c@d.com", id="two_by_semicolon"),
        pytest.param("Acme <a@b.com>", id="display_name"),
        pytest.param("mailto:a@b.com", id="link"),
        pytest.param("ä@b.com", id="accent_in_name"),
        pytest.param("x" * 65 + "@b.com", id="long_name"),
        pytest.param("a@" + "b" * 250 + ".com", id="long"),
    ],
)
def test_what_is_not_one_mail_address_is_refused(value: str) -> None:
    assert_refused("email", value, "one mail address")


@pytest.mark.parametrize(
    "address",
    ["a@b.de", "first.last+tag@sub.example.co.uk", "o'neil@x-y.com", "i@müller.de"],
)
def test_mail_addresses_are_kept(address: str) -> None:
    (contract,) = contracts_of(row(email=address))

    assert contract.bill_group.email == address


@pytest.mark.parametrize(("value", "advice"), WRONG_TEXTS)
@pytest.mark.parametrize("column", ["account_number", "product", "city"])
def test_text_with_what_nobody_sees_is_refused(
    column: str, value: str, advice: str
) -> None:
    assert_refused(column, value, advice)


@pytest.mark.parametrize(("column", "length"), LENGTHS.items(), ids=LENGTHS)
def test_text_is_as_long_as_the_database_keeps(column: str, length: int) -> None:
    contracts_of(row(**{column: "x" * length}))

    assert_refused(column, "x" * (length + 1), f"at most {length} fit")


@pytest.mark.parametrize(
    "column", ["account_number", "contract_number", "po_number", "postal_code"]
)
def test_number_that_a_spreadsheet_rounded_is_refused(column: str) -> None:
    assert_refused(column, "1.23457E+11", "spreadsheet has rounded")


@pytest.mark.parametrize(
    "column",
    [
        "account_number",
        "account_name",
        "bill_group",
        "contract_number",
        "start_date",
        "currency",
        "product",
        "charge_type",
        "quantity",
        "unit_price",
    ],
)
@pytest.mark.parametrize("blank", ["", "  ", "\u00a0", "\t"], ids=ascii)
def test_required_cell_must_not_be_blank(column: str, blank: str) -> None:
    (error,) = errors_of(row(**{column: blank}))

    assert (error.line, error.column) == (2, column)
    assert "must not be blank" in error.message


def test_blanks_around_a_cell_do_not_count() -> None:
    assert contracts_of(row(product=" Licence \u00a0", quantity="\t2 ")) == (
        contracts_of(row(product="Licence", quantity="2"))
    )


def test_accents_are_composed_so_that_one_name_is_one_name() -> None:
    decomposed = "Mu\u0308ller"

    (contract,) = contracts_of(
        row(account_name=decomposed), row(account_name="M\u00fcller", product="Support")
    )

    assert contract.bill_group.account_name == "M\u00fcller"


def test_custom_field_keeps_its_line_breaks() -> None:
    (contract,) = contracts_of(row(**{"cf:note": "one\ntwo\tthree"}))

    assert contract.custom_fields == {"note": "one\ntwo\tthree"}


def test_values_are_kept_exactly() -> None:
    (contract,) = contracts_of(
        row(
            start_date="2024-02-29",
            quantity="0.000001",
            unit_price="999999999999.999999",
            discount_percent="33.333",
            tax_rate="7.7",
        )
    )

    assert contract.start == date(2024, 2, 29)
    assert contract.lines[0].quantity == Decimal("0.000001")
    assert contract.lines[0].unit_price == Decimal("999999999999.999999")
    assert contract.lines[0].discount_percent == Decimal("33.333")
    assert contract.lines[0].tax_percent == Decimal("7.7")


def test_formulas_in_texts_are_kept_as_texts() -> None:
    (contract,) = contracts_of(row(product="=HYPERLINK(1)", description="@SUM(1)"))

    assert contract.lines[0].product == "=HYPERLINK(1)"
