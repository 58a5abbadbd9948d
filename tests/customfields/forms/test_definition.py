"""The form of a definition: choices as lines, the default as text (F1)."""

import pytest

from customfields.forms.definition import CustomFieldForm
from customfields.models import CustomField
from tests.customfields.fields import make_field
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


def form_of(
    posted: dict[str, str], field: CustomField | None = None
) -> CustomFieldForm:
    values = {
        "object": "ACCOUNT",
        "key": "portal",
        "label": "Portal",
        "kind": "TEXT",
        "position": "0",
    }
    return CustomFieldForm(values | posted, instance=field)


@pytest.mark.parametrize(
    ("posted", "default"),
    [
        pytest.param({"default": "Ariba"}, "Ariba", id="text"),
        pytest.param({"default": " "}, None, id="blank"),
        pytest.param({"kind": "NUMBER", "default": "1.50"}, "1.5", id="number"),
        pytest.param({"kind": "YES_NO", "default": "no"}, False, id="no"),
        pytest.param(
            {"kind": "LONG_TEXT", "default": "a\r\nb"}, "a\nb", id="long_text"
        ),
        pytest.param(
            {"kind": "CHOICE", "choices": "a\r\nb", "default": "b"}, "b", id="choice"
        ),
    ],
)
def test_default_is_stored_like_any_value(
    posted: dict[str, str], default: object
) -> None:
    form = form_of(posted)

    assert form.is_valid(), form.errors
    field = form.save()
    field.refresh_from_db()
    assert field.default == default
    assert type(field.default) is type(default)


def test_choices_are_the_lines_that_are_not_blank() -> None:
    form = form_of({"kind": "CHOICE", "choices": " Ariba \r\n\r\nCoupa\r\n"})

    assert form.is_valid(), form.errors
    assert form.save().choices == ["Ariba", "Coupa"]


def test_stored_choices_and_default_stand_in_the_form_as_typed() -> None:
    field = make_field("portal", kind="CHOICE", choices=["a", "b"], default="b")
    answer = make_field("answer", kind="YES_NO", default=True)

    assert CustomFieldForm(instance=field)["choices"].value() == "a\nb"
    assert CustomFieldForm(instance=field)["default"].value() == "b"
    assert CustomFieldForm(instance=answer)["default"].value() == "yes"


def test_form_saved_as_it_was_changes_nothing() -> None:
    field = make_field("portal", kind="CHOICE", choices=["a", "b"], default="b")
    ticked = {"in_list": "on", "in_filter": "on"}
    shown = {"kind": "CHOICE", "choices": "a\r\nb\r\n", "default": "b"} | ticked

    form = form_of(shown, field)

    assert form.is_valid(), form.errors
    assert form.changed_data == []


@pytest.mark.parametrize(
    ("posted", "field", "sentence"),
    [
        pytest.param({"key": "Portal Id"}, "key", "small letter", id="key"),
        pytest.param({"key": "values"}, "key", "reserved", id="reserved"),
        pytest.param({"label": ""}, "label", "required", id="no_label"),
        pytest.param(
            {"kind": "DATE", "default": "soon"}, "default", "YYYY-MM-DD", id="default"
        ),
        pytest.param(
            {"kind": "CHOICE", "choices": "a", "default": "b"},
            "default",
            "not one of the choices",
            id="default_not_offered",
        ),
        pytest.param({"kind": "CHOICE"}, "choices", "Write the choices", id="none"),
        pytest.param(
            {"kind": "CHOICE", "choices": "a\nA"}, "choices", "twice", id="twice"
        ),
        pytest.param({"choices": "a"}, "choices", "Only a field", id="of_text"),
        pytest.param({"kind": "COLOUR", "default": "x"}, "kind", "valid", id="kind"),
        pytest.param({"position": "-1"}, "position", "", id="position"),
    ],
)
def test_wrong_entry_is_refused_at_its_field(
    posted: dict[str, str], field: str, sentence: str
) -> None:
    form = form_of(posted)

    assert list(form.errors) == [field]
    assert sentence in str(form.errors[field])


def test_key_that_collides_is_refused() -> None:
    make_field("portal")

    form = form_of({"label": "Other"})

    assert "perhaps an archived one" in str(form.non_field_errors())


def test_choice_that_is_held_is_not_taken_away() -> None:
    """F1: a changed choice list never orphans a value silently."""
    field = make_field("portal", kind="CHOICE", choices=["Ariba", "Coupa", "Taulia"])
    AccountFactory.create_batch(2, custom_fields={"portal": "Ariba"})
    AccountFactory.create(custom_fields={"portal": "Coupa"})

    form = form_of({"kind": "CHOICE", "choices": "Tungsten"}, field)

    advice = (
        "Keep it here, change it there first, or tick “remove choices that are held”."
    )
    assert form.errors == {
        "choices": [
            f"2 accounts hold the choice Ariba. {advice}",
            f"1 account holds the choice Coupa. {advice}",
        ]
    }


def test_choice_that_nobody_holds_is_taken_away() -> None:
    field = make_field("portal", kind="CHOICE", choices=["Ariba", "Coupa"])
    AccountFactory.create(custom_fields={"portal": "Ariba"})

    form = form_of({"kind": "CHOICE", "choices": "Tungsten\nAriba"}, field)

    assert form.is_valid(), form.errors
    assert form.save().choices == ["Tungsten", "Ariba"]


def test_choice_removed_while_held_is_kept_and_offered_by_filters() -> None:
    field = make_field("portal", kind="CHOICE", choices=["Ariba", "Coupa", "Taulia"])
    AccountFactory.create(custom_fields={"portal": "Ariba"})

    removed = {"kind": "CHOICE", "choices": "Coupa", "keep_held": "on"}
    form_of(removed, field).save()

    field.refresh_from_db()
    assert (field.choices, field.retired) == (["Coupa"], ["Ariba"])

    form_of({"kind": "CHOICE", "choices": "Coupa\nAriba"}, field).save()

    field.refresh_from_db()
    assert (field.choices, field.retired) == (["Coupa", "Ariba"], [])


def test_key_under_which_values_are_left_is_refused() -> None:
    """A field that was deleted while somebody saved a value of it."""
    AccountFactory.create(custom_fields={"portal": "Ariba"})

    form = form_of({"object": "ACCOUNT", "key": "portal", "label": "P", "kind": "DATE"})

    assert form.errors["key"] == [
        "1 account holds a value under the key portal from before. Choose another key."
    ]
