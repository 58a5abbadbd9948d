"""I5: unknown columns are named, missing ones too, and nothing is guessed."""

import pytest

from contracts.domain.csv_columns import (
    KNOWN,
    REQUIRED,
    header_errors,
    read_header,
)
from contracts.domain.csv_rows import parse_contracts
from tests.contracts.domain.contract_csv import PLAIN, contract_csv, errors_of, row


def complaints(*names: str) -> list[tuple[str, str]]:
    return [
        (error.column, error.message) for error in header_errors(read_header(names))
    ]


def test_required_columns_are_those_of_the_design() -> None:
    assert set(REQUIRED) == set(PLAIN)


def test_required_columns_are_enough_in_any_order_and_with_blanks_around() -> None:
    assert complaints(*(f" {name} " for name in reversed(REQUIRED))) == []


def test_all_known_columns_and_custom_fields_are_accepted() -> None:
    assert complaints(*KNOWN, "cf:cost_center", "cf:Portal-2") == []


@pytest.mark.parametrize("name", REQUIRED)
def test_missing_required_column_is_named(name: str) -> None:
    names = [column for column in REQUIRED if column != name]

    assert complaints(*names) == [(name, "This column is missing. Add it.")]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        pytest.param("net_term", "Did you mean net_terms?", id="misspelt"),
        pytest.param("Tax Rate", "Did you mean tax_rate?", id="capitals_and_blank"),
        pytest.param("postal-code", "Did you mean postal_code?", id="hyphen"),
        pytest.param("adress_line1", "Did you mean address_line1?", id="typo"),
        pytest.param("weather", "Remove it", id="foreign"),
        pytest.param("cf_cost_center", "cf: and the key", id="custom_without_colon"),
        pytest.param("CF:cost_center", "cf: and the key", id="custom_in_capitals"),
        pytest.param("x" * 5000, "Remove it", id="immense"),
    ],
)
def test_unknown_column_is_named_with_advice(name: str, advice: str) -> None:
    ((column, message),) = complaints(*REQUIRED, name)

    assert column == name[:99] + "…" * (len(name) > 100)
    assert message.startswith("This column is not known.")
    assert advice in message


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        pytest.param([*REQUIRED, "product"], "there twice", id="twice"),
        pytest.param([*REQUIRED, "cf:a", "cf:a"], "there twice", id="custom_twice"),
        pytest.param([*REQUIRED, ""], "Column 11 has no name", id="no_name"),
        pytest.param([*REQUIRED, "cf:"], "After cf:", id="no_key"),
        pytest.param([*REQUIRED, "cf:a b"], "After cf:", id="blank_in_key"),
        pytest.param([";".join(REQUIRED)], "semicolons", id="semicolons"),
        pytest.param(["\t".join(REQUIRED)], "tabs", id="tabs"),
        pytest.param(["|".join(REQUIRED)], "bars", id="bars"),
        pytest.param(["sep="], "first line", id="spreadsheet_hint"),
        pytest.param(["sep=;"], "first line", id="semicolon_hint"),
        pytest.param(
            [*REQUIRED, *map(str, range(200))], "more than 200", id="too_many"
        ),
    ],
)
def test_unclear_header_is_refused(names: list[str], complaint: str) -> None:
    ((_, message),) = complaints(*names)

    assert complaint in message


def test_rows_below_a_semicolon_header_are_not_complained_about() -> None:
    data = contract_csv(row(), row()).replace(b",", b";")

    (error,) = parse_contracts(data).errors

    assert error.line == 1


def test_rows_are_checked_although_a_column_is_unknown() -> None:
    errors = errors_of(row(weather="fine", quantity="1,5"))

    assert [(error.line, error.column) for error in errors] == [
        (1, "weather"),
        (2, "quantity"),
    ]


def test_rows_are_not_checked_where_a_required_column_is_missing() -> None:
    data = contract_csv(row(quantity="1,5"), columns=[*PLAIN][:-1])

    (error,) = parse_contracts(data).errors

    assert (error.line, error.column) == (1, "unit_price")
