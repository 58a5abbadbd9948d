"""Settings > Custom Fields (F1)."""

import unicodedata

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from customfields.models import CustomField
from tests.customfields.fields import make_field
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/customfields/customfield/"
PORTAL = {
    "object": "ACCOUNT",
    "key": "portal",
    "label": "Portal",
    "kind": "CHOICE",
    "choices": "Ariba\r\nCoupa",
    "default": "Coupa",
    "position": "1",
    "required": "on",
}


def staff(*actions: str) -> Client:
    user = UserFactory.create(is_staff=True)
    codes = [f"{action}_customfield" for action in actions]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def manager() -> Client:
    return staff("view", "add", "change", "delete")


def test_field_is_defined_and_logged(manager: Client) -> None:
    answer = manager.post(f"{LIST}add/", PORTAL)

    field = CustomField.objects.get()
    assert answer.status_code == 302
    assert (field.choices, field.default, field.required) == (
        ["Ariba", "Coupa"],
        "Coupa",
        True,
    )
    assert LogEntry.objects.get().action_flag == ADDITION


def test_choices_are_composed_however_they_were_pasted(manager: Client) -> None:
    pasted = unicodedata.normalize("NFD", "Café\nTee")

    manager.post(f"{LIST}add/", PORTAL | {"choices": pasted, "default": ""})

    assert CustomField.objects.get().choices == ["Café", "Tee"]


def test_label_changes_and_key_does_not(manager: Client) -> None:
    """F1: renaming a label keeps values."""
    manager.post(f"{LIST}add/", PORTAL)
    field = CustomField.objects.get()
    account = AccountFactory.create(custom_fields={"portal": "Ariba"})

    manager.post(
        f"{LIST}{field.pk}/change/",
        PORTAL | {"label": "Gate", "key": "gate", "kind": "TEXT", "object": "CONTRACT"},
    )

    field.refresh_from_db()
    account.refresh_from_db()
    assert (field.label, field.key, field.kind) == ("Gate", "portal", "CHOICE")
    assert field.object == "ACCOUNT"
    assert account.custom_fields == {"portal": "Ariba"}
    assert LogEntry.objects.filter(action_flag=CHANGE).count() == 1


def test_list_and_form_say_what_a_field_is(manager: Client) -> None:
    field = make_field("portal", kind="LONG_TEXT", required=True, printed=True)
    AccountFactory.create_batch(2, custom_fields={"portal": "x"})

    listed = manager.get(LIST).content.decode()
    form = manager.get(f"{LIST}{field.pk}/change/").content.decode()

    assert "Long text" in listed
    assert "required, shown on the invoice" in listed
    assert "2 accounts hold a value" in form
    assert 'name="key"' not in form


def test_add_form_asks_for_everything(manager: Client) -> None:
    form = manager.get(f"{LIST}add/").content.decode()

    assert all(f'name="{name}"' in form for name in PORTAL)


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "No account holds a value"), (1, "1 account holds a value")],
)
def test_form_says_how_many_hold_a_value(
    manager: Client, count: int, said: str
) -> None:
    field = make_field("portal")
    AccountFactory.create_batch(count, custom_fields={"portal": "x"})

    form = manager.get(f"{LIST}{field.pk}/change/").content.decode()

    assert said in form


def test_field_that_holds_values_is_not_deleted(manager: Client) -> None:
    field = make_field("portal")
    AccountFactory.create(custom_fields={"portal": "x"})
    address = f"{LIST}{field.pk}/delete/"

    for answer in (
        manager.get(address, follow=True),
        manager.post(address, {"post": "yes"}, follow=True),
    ):
        assert answer.redirect_chain == [(f"{LIST}{field.pk}/change/", 302)]
        page = answer.content.decode()
        assert "can&#x27;t be deleted: 1 account holds a value of it. Archive" in page

    assert CustomField.objects.exists()
    assert not LogEntry.objects.exists()


def test_field_that_holds_none_is_deleted_and_logged(manager: Client) -> None:
    field = make_field("portal")

    asked = manager.get(f"{LIST}{field.pk}/delete/")
    manager.post(f"{LIST}{field.pk}/delete/", {"post": "yes"})

    assert asked.status_code == 200
    assert not CustomField.objects.exists()
    assert LogEntry.objects.get().action_flag == DELETION


def test_nothing_is_deleted_in_bulk(manager: Client) -> None:
    field = make_field("portal")

    manager.post(LIST, {"action": "delete_selected", "_selected_action": field.pk})

    assert CustomField.objects.exists()


@pytest.mark.parametrize(
    "actions", [pytest.param((), id="nothing"), pytest.param(("view",), id="view")]
)
def test_who_may_not_change_definitions_is_refused(actions: tuple[str, ...]) -> None:
    field = make_field("portal")
    client = staff(*actions)

    refused = [
        client.post(f"{LIST}add/", PORTAL),
        client.post(f"{LIST}{field.pk}/change/", PORTAL),
        client.post(f"{LIST}{field.pk}/delete/", {"post": "yes"}),
        client.get(f"{LIST}{field.pk}/delete/"),
    ]

    assert [answer.status_code for answer in refused] == [403] * 4
    assert client.get(LIST).status_code == (200 if actions else 403)
    assert CustomField.objects.get().label == "Portal"


def test_field_that_is_not_there_is_said_to_be_gone(manager: Client) -> None:
    assert manager.get(f"{LIST}99/delete/").status_code == 302
    assert manager.get(f"{LIST}99/change/").status_code == 302
