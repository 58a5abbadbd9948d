"""The frame of every action: permission, review, POST, one call, message."""

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client, RequestFactory
from django.urls import reverse

from billing.models import AuditEvent
from config.adminsite.actions import (
    ListAction,
    list_actions,
    object_actions,
)
from config.adminsite.bulk import bulk_actions
from config.adminsite.refusals import NotPermitted
from contracts.models import Contract, ScheduledCharge
from invoicing.admin.activation import ActivateContract
from invoicing.admin.generate import GenerateNextInvoice
from invoicing.models import (
    Invoice,
    NumberSeries,
    ParkedBillGroup,
)
from tests.factories import UserFactory
from tests.staff import active_contract, client_of, draft_contract

pytestmark = pytest.mark.django_db

NEW_YEAR = date(2026, 1, 1)


@pytest.fixture(autouse=True)
def new_year() -> Iterator[None]:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        yield


def rows_changed() -> dict[str, int]:
    """Count what actions write, to tell that a page wrote nothing."""
    return {
        "invoices": Invoice.objects.count(),
        "charges": ScheduledCharge.objects.count(),
        "numbers": sum(NumberSeries.objects.values_list("next_sequence", flat=True)),
        "active": Contract.objects.filter(status="ACTIVE").count(),
        "parked": ParkedBillGroup.objects.filter(released_at=None).count(),
    }


def test_each_action_has_its_page_in_the_admin_of_its_model() -> None:
    for action in object_actions:
        assert action.url(1)
        assert action.model in admin.site._registry
    for listed in list_actions:
        assert listed.url()


def test_get_shows_the_review_and_writes_nothing() -> None:
    contract = draft_contract()
    client = client_of("Finance clerk")
    before = rows_changed()

    page = client.get(ActivateContract.url(contract.pk))

    assert page.status_code == 200
    assert b"Nothing is written yet" in page.content
    assert "100.00 USD" in page.content.decode()
    assert rows_changed() == before


def test_post_without_confirmation_shows_the_review_again() -> None:
    contract = draft_contract()
    client = client_of("Finance clerk")
    before = rows_changed()

    page = client.post(ActivateContract.url(contract.pk))

    assert page.status_code == 200
    assert rows_changed() == before


def confirm(client: Client, url: str, **answers: str) -> object:
    """Look at a review and confirm it, as a person does."""
    review = client.get(url).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint, **answers}
    return client.post(url, fields, follow=True)


def test_confirmed_action_says_what_happened_with_a_link() -> None:
    contract = draft_contract()
    client = client_of("Finance clerk")

    page = confirm(client, ActivateContract.url(contract.pk))

    contract.refresh_from_db()
    invoice = Invoice.objects.get()
    assert contract.status == "ACTIVE"
    text = page.content.decode()  # type: ignore[attr-defined]
    assert "is active, and its first invoice is made." in text
    assert reverse("admin:invoicing_invoice_change", args=[invoice.pk]) in text


def test_second_click_of_the_same_review_makes_no_second_invoice() -> None:
    """G9: one per click."""
    contract = active_contract()
    client = client_of("Finance clerk")
    url = GenerateNextInvoice.url(contract.bill_group_id)
    review = client.get(url).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint}

    client.post(url, fields)
    second = client.post(url, fields)

    assert Invoice.objects.count() == 2  # that of the activation, and one by hand
    assert second.status_code == 200
    assert b"the figures have changed" in second.content


def test_refusal_of_the_service_is_a_sentence_on_the_page() -> None:
    contract = active_contract()
    client = client_of("Finance clerk")

    page = client.get(ActivateContract.url(contract.pk))

    assert page.status_code == 409
    assert b"only a draft can be activated" in page.content
    assert b"_confirm" not in page.content


def test_button_is_shown_only_to_those_who_may() -> None:
    contract = draft_contract()
    page = reverse("admin:contracts_contract_change", args=[contract.pk])
    url = ActivateContract.url(contract.pk)

    assert url.encode() in client_of("Finance clerk").get(page).content
    assert url.encode() not in client_of("Auditor").get(page).content


def test_unknown_object_is_not_found() -> None:
    client = client_of("Finance clerk")

    assert client.get(ActivateContract.url(99)).status_code == 404


def test_nobody_who_is_no_staff_gets_in() -> None:
    contract = draft_contract()
    client = Client()
    client.force_login(UserFactory.create(is_staff=False))

    answer = client.get(ActivateContract.url(contract.pk))

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/")


def test_list_action_is_refused_to_those_who_may_not_see_the_list() -> None:
    """The permission of the action alone is not enough."""
    action = next(one for one in list_actions if one.slug == "upload")
    app, _, codename = action.permission.partition(".")
    user = UserFactory.create(is_staff=True)
    user.user_permissions.add(
        Permission.objects.get(content_type__app_label=app, codename=codename)
    )
    client = Client()
    client.force_login(user)

    answers = [client.get(action.url()), client.post(action.url())]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert AuditEvent.objects.filter(code="action.refused").count() == 2


def test_bulk_action_refuses_by_itself_whoever_calls_it() -> None:
    """The list refuses before it; the action doesn't rely on that."""
    request = RequestFactory().post("/", {"_confirm": "1"})
    request.user = UserFactory.create(is_staff=True)

    for action in bulk_actions:
        with pytest.raises(NotPermitted, match=action.permission):
            action.answer(
                admin.site._registry[action.model],
                request,
                action.model._default_manager.all(),
            )


def test_list_action_has_no_object() -> None:
    assert all(isinstance(action, ListAction) for action in list_actions)
    assert User.objects.count() == 0
