"""The text of the QR code for credit transfers (EPC069-12)."""

import doctest
from decimal import Decimal
from typing import Any

import pytest

from invoicing.domain import giro_code as module
from invoicing.domain.giro_code import giro_code


def code(**values: Any) -> str:
    return giro_code(
        **{
            "name": "Nordhaven GmbH",
            "iban": "DE89 3704 0044 0532 0130 00",
            "bic": "COBADEFFXXX",
            "amount": Decimal("10.00"),
            "currency": "EUR",
            "remittance": "NH-1",
            **values,
        }
    )


def test_examples_are_true() -> None:
    results = doctest.testmod(module)

    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"currency": "CHF"}, id="not_euro"),
        pytest.param({"iban": ""}, id="no_iban"),
        pytest.param({"iban": "DE89370400440532013001"}, id="wrong_iban"),
        pytest.param({"amount": Decimal(0)}, id="nothing"),
        pytest.param({"amount": Decimal("1000000000.00")}, id="too_much"),
        pytest.param({"name": " "}, id="no_holder"),
        pytest.param({"remittance": "x" * 141}, id="long_reference"),
        pytest.param({"remittance": ""}, id="no_reference"),
        pytest.param(
            {"name": "\u5317" * 70, "remittance": "x" * 90}, id="too_many_bytes"
        ),
    ],
)
def test_nothing_is_made_where_the_standard_allows_none(values: dict[str, Any]) -> None:
    assert code(**values) == ""


def test_most_and_least_that_can_be_paid() -> None:
    assert "EUR0.01" in code(amount=Decimal("0.01"))
    assert "EUR999999999.99" in code(amount=Decimal("999999999.99"))


def test_long_name_is_cut_and_stays_on_its_line() -> None:
    lines = code(name="Nord\nhaven " + "x" * 90).split("\n")

    assert lines[5] == ("Nord haven " + "x" * 90)[:70]
    assert lines[6].startswith("DE89")


def test_wrong_bic_is_left_out() -> None:
    assert code(bic="NOBANK1").split("\n")[4] == ""
