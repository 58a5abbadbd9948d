"""What the model and the database refuse of a definition (F1)."""

from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models

from customfields.choices import FIELD_OBJECTS, KINDS, OWNERS
from customfields.domain.definition import RESERVED_KEYS, FieldObject
from customfields.domain.kinds import Kind
from customfields.models import CustomField
from tests.customfields.fields import make_field

pytestmark = pytest.mark.django_db


def test_field_reads_as_its_label() -> None:
    assert str(make_field("portal_id")) == "Portal id"


def test_every_object_and_type_has_its_words() -> None:
    assert [value for value, _ in FIELD_OBJECTS] == list(FieldObject)
    assert [value for value, _ in KINDS] == list(Kind)


@pytest.mark.parametrize("name", FieldObject)
def test_every_object_is_a_model_that_keeps_values(name: FieldObject) -> None:
    column = apps.get_model(OWNERS[name].model)._meta.get_field("custom_fields")

    assert isinstance(column, models.JSONField)
    assert not column.null


def test_every_lookup_of_a_json_column_is_reserved() -> None:
    assert set(models.JSONField().get_lookups()) <= RESERVED_KEYS


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        pytest.param({"key": "Portal"}, "key", "small letter", id="key"),
        pytest.param({"key": "contains"}, "key", "reserved", id="reserved_key"),
        pytest.param({"label": "a\u202eb"}, "label", "invisible", id="label"),
        pytest.param({"label": ""}, "label", "blank", id="no_label"),
        pytest.param({"help_text": "a\x07"}, "help_text", "invisible", id="help"),
        pytest.param({"object": "INVOICELINE"}, "object", "not a valid", id="object"),
        pytest.param({"kind": "COLOUR"}, "kind", "not a valid", id="kind"),
        pytest.param({"kind": "CHOICE"}, "choices", "Write the choices", id="choice"),
        pytest.param({"choices": ["a"]}, "choices", "Only a field", id="text"),
        pytest.param(
            {"kind": "NUMBER", "default": "1.50"}, "default", "stored", id="default"
        ),
        pytest.param(
            {"kind": "CHOICE", "choices": ["a"], "default": "b"},
            "default",
            "not one of the choices",
            id="default_not_offered",
        ),
        pytest.param(
            {"object": "INVOICE", "printed": True},
            "__all__",
            "own fields are not printed",
            id="printed_field_of_invoice",
        ),
    ],
)
def test_wrong_definition_is_refused_with_a_sentence(
    values: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        make_field(**({"key": "portal"} | values))

    assert list(refusal.value.message_dict) == [field]
    assert sentence in refusal.value.message_dict[field][0]


def test_key_is_taken_once_an_object_even_by_an_archived_field() -> None:
    make_field("portal", archived=True)
    make_field("portal", object="CONTRACT")

    with pytest.raises(ValidationError, match="perhaps an archived one"):
        make_field("portal", label="Other")


def test_label_is_taken_once_among_the_fields_in_use() -> None:
    make_field("old", label="Portal", archived=True)
    make_field("new", label="Portal")

    with pytest.raises(ValidationError, match="this label already"):
        make_field("third", label="PORTAL")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        pytest.param({}, "custom_field_key_once_an_object", id="key_twice"),
        pytest.param(
            {"key": "b", "label": "PORTAL"},
            "custom_field_label_once_an_object",
            id="label_twice",
        ),
        pytest.param({"object": "ORDER"}, "custom_field_object_known", id="object"),
        pytest.param(
            {"key": "b", "label": "B", "kind": "COLOUR"},
            "custom_field_type_known",
            id="type",
        ),
        *(
            pytest.param(
                {"key": key, "label": "B"},
                "custom_field_key_is_an_identifier",
                id=f"key_{name}",
            )
            for name, key in [
                ("blank", ""),
                ("capital", "Portal"),
                ("line_break", "portal\n"),
                ("lookup", "a__b"),
            ]
        ),
        pytest.param(
            {"key": "b", "label": "B", "choices": ["x"]},
            "custom_field_choices_for_choice_only",
            id="choices_of_text",
        ),
        pytest.param(
            {"key": "b", "label": "B", "kind": "CHOICE"},
            "custom_field_choices_for_choice_only",
            id="choice_without_choices",
        ),
        pytest.param(
            {"object": "INVOICE", "printed": True},
            "custom_field_of_invoice_not_printed",
            id="printed_field_of_invoice",
        ),
    ],
)
def test_database_refuses_what_goes_past_the_model(
    values: dict[str, Any], constraint: str
) -> None:
    make_field("portal")
    row = {"object": "ACCOUNT", "key": "portal", "label": "Portal"} | values

    with pytest.raises(IntegrityError, match=constraint):
        CustomField.objects.create(**row)


@pytest.mark.parametrize(
    "change", [{"object": "CONTRACT"}, {"key": "other"}, {"kind": "NUMBER"}]
)
def test_object_key_and_type_never_change(change: dict[str, str]) -> None:
    field = make_field("portal")

    with pytest.raises(IntegrityError, match="of custom field portal never change"):
        CustomField.objects.filter(pk=field.pk).update(**change)


def test_all_else_changes() -> None:
    field = make_field("portal")

    CustomField.objects.filter(pk=field.pk).update(label="Gate", archived=True)

    field.refresh_from_db()
    assert (field.label, field.archived) == ("Gate", True)


def test_key_stays_against_raw_sql() -> None:
    field = make_field("portal")

    with (
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match="never change"),
    ):
        cursor.execute(
            "UPDATE customfields_customfield SET key = 'x' WHERE id = %s", [field.pk]
        )
