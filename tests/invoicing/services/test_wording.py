"""How figures and dates are written: the examples in the docstrings, and the edges."""

import doctest
from datetime import date
from decimal import Decimal
from types import ModuleType

import pytest

from billing.domain.address import Address
from invoicing.queries import nights
from invoicing.services import mail, wording
from invoicing.services.wording import Writer

NO_BREAK = "\u00a0"
EURO = Writer.of("en", "EUR")


@pytest.mark.parametrize("module", [wording, mail, nights])
def test_examples_are_true(module: ModuleType) -> None:
    results = doctest.testmod(module)

    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize(
    ("price", "written"),
    [
        pytest.param("36", "36.00", id="at_least_the_digits_of_the_currency"),
        pytest.param("0.012500", "0.0125", id="more_digits_where_it_has_them"),
        pytest.param("1234567.123456", "1,234,567.123456", id="all_six"),
    ],
)
def test_unit_price_keeps_its_digits(price: str, written: str) -> None:
    assert EURO.price(Decimal(price)) == written


def test_yen_price_may_have_decimals_and_need_not() -> None:
    yen = Writer.of("en", "JPY")

    assert yen.price(Decimal(120)) == "120"
    assert yen.price(Decimal("0.35")) == "0.35"


def test_quantity_has_no_digits_too_many() -> None:
    assert EURO.number(Decimal("2.500000")) == "2.5"
    assert EURO.number(Decimal("1000.000000")) == "1,000"


def test_negative_number_has_a_true_minus() -> None:
    assert EURO.percent(Decimal("-12.500")) == f"\u221212.5{NO_BREAK}%"


def test_unknown_language_is_written_in_english() -> None:
    assert Writer.of("tlh-KX", "EUR").day(date(2026, 5, 1)) == "1 May 2026"


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        pytest.param(
            Address(
                name="", line1="Kai 4", city="Kiel", postal_code="24143", country="DE"
            ),
            ("Kai 4", "24143 Kiel", "Germany"),
            id="code_before_city",
        ),
        pytest.param(
            Address(
                name="",
                line1="1 Main St",
                city="Springfield",
                region="IL",
                postal_code="62701",
                country="US",
            ),
            ("1 Main St", "Springfield, IL 62701", "United States"),
            id="city_state_code",
        ),
        pytest.param(Address(name="Only a name"), (), id="no_address"),
        pytest.param(
            Address(name="", city="Nowhere", country="ZZ"),
            ("Nowhere", "Unknown Region"),
            id="no_such_country",
        ),
    ],
)
def test_address_is_written_as_its_country_does(
    address: Address, lines: tuple[str, ...]
) -> None:
    assert EURO.address(address) == lines
