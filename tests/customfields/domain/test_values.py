"""The one check of an owner's values (F2)."""

from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import Kind, Stored
from customfields.domain.values import FieldError, printed_values, read_values

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
    values: dict[str, Stored] = {"seats": "12", "audited": True, "gone": "x"}

    assert printed_values(FIELDS, values) == [
        {"key": "audited", "label": "Audited", "kind": "YES_NO", "value": True}
    ]
