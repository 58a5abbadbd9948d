"""Custom fields on the form of their owner (F2)."""

from typing import TYPE_CHECKING

import pytest
from django import forms
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from billing.models import Account
from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import InvalidValue, Kind, Stored
from customfields.domain.values import read_value, read_values
from customfields.forms.owner import CustomFieldsForm, CustomValueField, owner_form
from tests.factories import AccountFactory

if TYPE_CHECKING:
    AccountModelForm = forms.ModelForm[Account]
else:
    AccountModelForm = forms.ModelForm

PORTAL = FieldDefinition(
    key="portal",
    label="Portal",
    kind=Kind.CHOICE,
    choices=("Ariba", "Coupa"),
    help_text="Where <b>invoices</b> go",
)
SEATS = FieldDefinition(key="seats", label="Seats", kind=Kind.NUMBER, required=True)
AUDITED = FieldDefinition(
    key="audited", label="Audited", kind=Kind.YES_NO, default=False
)
NOTE = FieldDefinition(key="note", label="Note", kind=Kind.LONG_TEXT)
FIELDS = (PORTAL, SEATS, AUDITED, NOTE)

ADDED = {"number": "A-1", "name": "Ocean GmbH"}


class AccountForm(AccountModelForm):
    class Meta:
        model = Account
        fields = ["number", "name"]


def add_form(posted: dict[str, str] | None = None) -> CustomFieldsForm:
    form = owner_form(AccountForm, FIELDS)
    return form() if posted is None else form(QueryDict(mutable=True) | posted)


def change_form(account: Account, posted: dict[str, str]) -> CustomFieldsForm:
    named = {"number": account.number, "name": account.name}
    return owner_form(AccountForm, FIELDS)(named | posted, instance=account)


def saved(form: CustomFieldsForm) -> dict[str, Stored]:
    assert form.is_valid(), form.errors
    form.save()
    form.instance.refresh_from_db()
    values: dict[str, Stored] = form.instance.custom_fields
    return values


def test_form_has_a_labelled_field_for_each_definition_after_its_own() -> None:
    form = add_form()

    assert list(form.fields) == [
        "number",
        "name",
        *("cf_portal", "cf_seats", "cf_audited", "cf_note"),
    ]
    assert form.fields["cf_seats"].label == "Seats"
    assert form.fields["cf_seats"].required


def test_form_without_definitions_is_the_form_as_it_was() -> None:
    assert list(owner_form(AccountForm, ())().fields) == ["number", "name"]


def test_each_type_has_its_own_widget_and_default() -> None:
    page = add_form().as_p()

    assert '<input type="text" name="cf_seats" class="vTextField"' in page
    assert '<textarea name="cf_note"' in page
    assert '<option value="no" selected>No</option>' in page


def test_texts_of_staff_are_escaped_on_the_form() -> None:
    page = add_form().as_p()

    assert "Where &lt;b&gt;invoices&lt;/b&gt; go" in page


@pytest.mark.parametrize(
    ("kind", "widget"),
    [
        pytest.param(Kind.DATE, '<input type="date" name="cf_a" value="2026-03-02"'),
        pytest.param(Kind.URL, '<input type="url" name="cf_a" value="2026-03-02"'),
    ],
)
def test_stored_text_stands_in_the_widget_as_the_browser_wants_it(
    kind: Kind, widget: str
) -> None:
    definition = FieldDefinition(key="a", label="A", kind=kind)
    account = Account(pk=1, custom_fields={"a": "2026-03-02"})

    form = owner_form(AccountForm, [definition])(instance=account)

    assert widget in form.as_p()


@pytest.mark.django_db
def test_added_owner_stores_what_was_typed() -> None:
    posted = {"cf_portal": "Coupa", "cf_seats": "12.0", "cf_audited": "yes"}

    form = add_form(ADDED | posted | {"cf_note": "a\r\nb"})

    assert saved(form) == {
        "portal": "Coupa",
        "seats": "12",
        "audited": True,
        "note": "a\nb",
    }


@pytest.mark.django_db
def test_added_owner_gets_defaults_of_fields_that_the_page_did_not_have() -> None:
    assert saved(add_form(ADDED | {"cf_seats": "1"})) == {
        "seats": "1",
        "audited": False,
    }


@pytest.mark.django_db
def test_default_that_was_blanked_stays_blank() -> None:
    posted = {"cf_seats": "1", "cf_audited": ""}

    assert saved(add_form(ADDED | posted)) == {"seats": "1"}


@pytest.mark.django_db
def test_each_error_stands_at_its_field_and_nothing_is_saved() -> None:
    posted = {"cf_portal": "Tungsten", "cf_seats": "", "cf_note": "a\x07"}

    form = add_form(ADDED | posted)

    assert form.errors == {
        "cf_portal": ["It is not one of the choices. Write one of: Ariba, Coupa."],
        "cf_seats": ["Seats is required. Fill it in."],
        "cf_note": ["There is an invisible character (U+0007) in it. Type it again."],
    }
    assert not Account.objects.exists()


@pytest.mark.django_db
def test_blank_text_takes_the_value_away() -> None:
    account = AccountFactory.create(custom_fields={"seats": "1", "portal": "Ariba"})

    assert saved(change_form(account, {"cf_portal": " ", "cf_seats": "1"})) == {
        "seats": "1"
    }


@pytest.mark.django_db
def test_values_of_fields_not_on_the_form_are_kept() -> None:
    account = AccountFactory.create(
        custom_fields={"seats": "1", "archived_one": "x", "audited": True}
    )

    assert saved(change_form(account, {"cf_seats": "2"})) == {
        "seats": "2",
        "archived_one": "x",
        "audited": True,
    }


@pytest.mark.django_db
def test_required_field_added_later_is_asked_for_at_the_next_save() -> None:
    account = AccountFactory.create()

    form = change_form(account, {"cf_seats": ""})

    assert form.errors == {"cf_seats": ["Seats is required. Fill it in."]}


@pytest.mark.django_db
def test_default_is_not_put_on_an_owner_that_was_saved_without_it() -> None:
    account = AccountFactory.create(custom_fields={"seats": "1"})

    form = owner_form(AccountForm, FIELDS)(instance=account)

    assert form["cf_audited"].value() == ""
    assert saved(change_form(account, {"cf_seats": "1"})) == {"seats": "1"}


@pytest.mark.django_db
def test_choice_no_longer_offered_is_shown_and_kept_until_it_is_changed() -> None:
    account = AccountFactory.create(custom_fields={"seats": "1", "portal": "Taulia"})
    posted = {"cf_seats": "2", "cf_portal": "Taulia"}

    form = change_form(account, posted)

    assert "Taulia (no longer offered)" in form.as_p()
    assert saved(form) == {"seats": "2", "portal": "Taulia"}


@pytest.mark.django_db
def test_changed_fields_are_named_by_what_changed_and_not_by_how_it_was_typed() -> None:
    account = AccountFactory.create(
        custom_fields={"seats": "1", "audited": True, "portal": "Ariba"}
    )
    posted = {"cf_seats": "1.0", "cf_audited": "yes", "cf_portal": "Coupa"}

    form = change_form(account, posted)

    assert form.is_valid()
    assert form.changed_data == ["cf_portal"]


any_definition = st.sampled_from(
    [
        FieldDefinition(key="a", label="A", kind=kind, choices=("x", "y"))
        for kind in Kind
    ]
)


@given(
    definition=any_definition,
    text=st.text() | st.dates().map(str) | st.sampled_from(["x", "yes", "1.50"]),
)
def test_form_and_file_store_the_same_or_both_refuse(
    definition: FieldDefinition, text: str
) -> None:
    """F2: one check on every way in."""
    values, errors = read_values([definition], {"a": text})
    refusals: list[str] = []
    stored = None

    try:
        stored = CustomValueField(definition).clean(text)
    except forms.ValidationError as refusal:
        refusals = refusal.messages

    assert refusals == [error.message for error in errors]
    assert stored == values.get("a")


@given(definition=any_definition, text=st.text(min_size=1))
def test_what_is_shown_and_posted_again_is_no_change(
    definition: FieldDefinition, text: str
) -> None:
    try:
        stored = read_value(definition, text)
    except InvalidValue:
        return
    field = CustomValueField(definition)
    field.hold(stored)

    posted = field.prepare_value(stored).replace("\n", "\r\n")

    assert not field.has_changed(stored, posted)
    assert field.clean(posted) == stored
