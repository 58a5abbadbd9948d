"""Custom fields on the admin page of their owner (F2)."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from billing.models import Account
from tests.customfields.admin.urls import FIELDS, account_admin, plain_account_admin
from tests.customfields.fields import make_field
from tests.factories import AccountFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.customfields.admin.urls")]

LIST = "/owners/billing/account/"


def staff(*codes: str) -> Client:
    user = UserFactory.create(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def clerk() -> Client:
    return staff("view_account", "add_account", "change_account")


def test_field_defined_now_is_on_the_next_page(clerk: Client) -> None:
    """F1: no deploy, no restart."""
    assert b"Custom fields</h2>" not in clerk.get(f"{LIST}add/").content

    make_field("portal_id", help_text="As the <portal> shows it")

    page = clerk.get(f"{LIST}add/").content.decode()
    assert "Custom fields</h2>" in page
    assert 'name="cf_portal_id"' in page
    assert "As the &lt;portal&gt; shows it" in page


def test_values_are_added_changed_and_logged(clerk: Client) -> None:
    make_field("seats", kind="NUMBER")
    make_field("audited", kind="YES_NO", default=True)
    posted = {"number": "A-1", "name": "Ocean", "email": ""}

    clerk.post(f"{LIST}add/", posted | {"cf_seats": "12.0", "cf_audited": "yes"})
    account = Account.objects.get()
    assert account.custom_fields == {"seats": "12", "audited": True}

    clerk.post(
        f"{LIST}{account.pk}/change/", posted | {"cf_seats": "9", "cf_audited": "yes"}
    )
    account.refresh_from_db()
    assert account.custom_fields == {"seats": "9", "audited": True}
    assert LogEntry.objects.latest("pk").get_change_message() == "Changed Seats."


def test_bad_value_is_refused_at_its_field_and_nothing_is_saved(clerk: Client) -> None:
    make_field("seats", kind="NUMBER")
    account = AccountFactory.create(name="Before")

    answer = clerk.post(
        f"{LIST}{account.pk}/change/",
        {"number": account.number, "name": "After", "email": "", "cf_seats": "1,5"},
    )

    assert "A comma can be a decimal comma" in answer.content.decode()
    account.refresh_from_db()
    assert (account.name, account.custom_fields) == ("Before", {})


def test_who_may_only_view_reads_the_values() -> None:
    make_field("portal", kind="URL")
    make_field("note", kind="LONG_TEXT")
    make_field("signed_on", kind="DATE")
    account = AccountFactory.create(
        custom_fields={"portal": "https://x.example/", "note": "<b>a</b>\nb"}
    )

    page = staff("view_account").get(f"{LIST}{account.pk}/change/").content.decode()

    assert 'name="cf_' not in page
    assert '<a href="https://x.example/" rel="noopener noreferrer">' in page
    assert "&lt;b&gt;a&lt;/b&gt;<br>b" in page
    assert "Signed on" in page


def test_who_may_only_view_changes_nothing() -> None:
    make_field("portal")
    account = AccountFactory.create()

    answer = staff("view_account").post(
        f"{LIST}{account.pk}/change/",
        {"number": account.number, "name": account.name, "cf_portal": "x"},
    )

    assert answer.status_code == 403
    account.refresh_from_db()
    assert account.custom_fields == {}


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("view", ["add/", "change/"])
def test_number_of_queries_does_not_depend_on_the_number_of_fields(
    clerk: Client, view: str
) -> None:
    account = AccountFactory.create(custom_fields={"field_1": "x"})
    address = f"{LIST}add/" if view == "add/" else f"{LIST}{account.pk}/change/"
    make_field("portal")
    clerk.get(address)  # what a process looks up once and keeps
    with_one = queries_of(clerk, address)

    for number in range(30):
        make_field(f"field_{number}", kind="CHOICE", choices=["x", "y"])

    assert queries_of(clerk, address) == with_one


def request_of(user: User | AnonymousUser) -> Any:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_admin_without_fieldsets_shows_each_field_once_and_never_the_column() -> None:
    make_field("portal")
    request = request_of(UserFactory.create(is_superuser=True))

    fieldsets = plain_account_admin.get_fieldsets(request)

    own, custom = (options["fields"] for _, options in fieldsets)
    assert "number" in own
    assert "custom_fields" not in own
    assert "cf_portal" not in own
    assert custom == ["cf_portal"]
    form = plain_account_admin.get_form(request)
    assert "custom_fields" not in form.base_fields


def test_definitions_are_read_once_a_request() -> None:
    make_field("portal")
    request = request_of(UserFactory.create(is_superuser=True))

    with CaptureQueriesContext(connection) as queries:
        account_admin.get_fieldsets(request)
        account_admin.get_form(request)
        account_admin.get_fieldsets(request)

    assert len(queries) == 1


def test_own_fieldsets_are_left_as_they_are() -> None:
    make_field("portal")
    request = request_of(UserFactory.create(is_superuser=True))

    first = account_admin.get_fieldsets(request)

    assert first[0] == (None, {"fields": [("number", "name"), "email"]})
    assert account_admin.get_fieldsets(request) == first
    assert account_admin.fieldsets == ((None, {"fields": FIELDS}),)
