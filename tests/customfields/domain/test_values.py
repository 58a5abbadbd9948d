"""The one check of an owner's values (F2)."""

import json

from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import Kind
from customfields.domain.values import (
    FieldError,
    PrintedFields,
    change_values,
    read_values,
)

PORTAL = FieldDefinition(
    key="portal",
    label="Portal",
    kind=Kind.CHOICE,
    choices=("Ariba", "Coupa"),
    default="Ariba",
    printed=True,
)
SEATS = FieldDefinition(key="seats", label="Seats", kind=Kind.NUMBER, required=True)
AUDITED = FieldDefinition(
    key="audited", label="Audited", kind=Kind.YES_NO, default=False, printed=True
)
FIELDS = (PORTAL, SEATS, AUDITED)


def test_texts_become_stored_values() -> None:
    raw = {"portal": "Coupa", "seats": "12.0", "audited": "yes"}

    assert read_values(FIELDS, raw) == (
        {"portal": "Coupa", "seats": "12", "audited": True},
        [],
    )


def test_field_not_named_gets_its_default() -> None:
    values, errors = read_values(FIELDS, {"seats": "1"})

    assert values == {"portal": "Ariba", "seats": "1", "audited": False}
    assert not errors


def test_field_named_without_a_value_stays_empty() -> None:
    values, errors = read_values(FIELDS, {"portal": " ", "seats": "1", "audited": ""})

    assert values == {"seats": "1"}
    assert not errors


def test_required_field_is_missed_whether_it_is_blank_or_left_out() -> None:
    missed = FieldError(key="seats", value="", message="Seats is required. Fill it in.")

    assert read_values(FIELDS, {})[1] == [missed]
    assert read_values(FIELDS, {"seats": ""})[1] == [missed]


def test_default_stands_for_a_required_field() -> None:
    field = FieldDefinition(
        key="tier", label="Tier", kind=Kind.TEXT, required=True, default="Basic"
    )

    assert read_values((field,), {}) == ({"tier": "Basic"}, [])


def test_everything_wrong_is_said_at_once_and_bad_values_are_left_out() -> None:
    raw = {"portal": "Tungsten", "seats": "many", "colour": "red"}

    values, errors = read_values(FIELDS, raw)

    assert values == {"audited": False}
    assert [(error.key, error.value) for error in errors] == [
        ("colour", "red"),
        ("portal", "Tungsten"),
        ("seats", "many"),
    ]
    assert "There is no custom field colour." in errors[0].message


def test_only_printed_fields_with_a_value_are_kept_for_the_paper() -> None:
    """F2: what the invoice keeps is a copy."""
    printed = PrintedFields(FIELDS)

    assert printed.keys == ("portal", "audited")
    assert printed.entries([None, None]) == []
    assert [json.loads(entry) for entry in printed.entries([None, "true"])] == [
        {"key": "audited", "label": "Audited", "kind": "YES_NO", "value": True}
    ]


def test_printed_entry_of_a_contract_names_it_and_keeps_any_text() -> None:
    label = 'Ort "Nord"\\'
    field = FieldDefinition(key="place", label=label, kind=Kind.LONG_TEXT, printed=True)

    (entry,) = PrintedFields([field]).entries(['"Köln\\n\\"x\\""'], contract='C "1"')

    assert json.loads(entry) == {
        "key": "place",
        "label": label,
        "kind": "LONG_TEXT",
        "value": 'Köln\n"x"',
        "contract": 'C "1"',
    }


def test_change_keeps_what_is_not_named_and_what_is_no_longer_offered() -> None:
    stored: dict[str, str | bool] = {"portal": "Tungsten", "seats": "4", "gone": "x"}

    values, errors = change_values(FIELDS, stored, {"portal": "Tungsten"})

    assert (values, errors) == (stored, [])


def test_change_asks_for_a_required_field_that_nobody_has_named() -> None:
    values, errors = change_values(FIELDS, {}, {"portal": "Coupa", "mystery": "1"})

    assert values == {"portal": "Coupa"}
    assert [(error.key, error.message) for error in errors] == [
        (
            "mystery",
            (
                "There is no custom field mystery. Define it in Settings > Custom "
                "Fields, or leave it out."
            ),
        ),
        ("seats", "Seats is required. Fill it in."),
    ]


def test_blank_text_empties_a_field() -> None:
    values, _ = change_values(FIELDS, {"audited": True, "seats": "1"}, {"audited": " "})

    assert values == {"seats": "1"}
