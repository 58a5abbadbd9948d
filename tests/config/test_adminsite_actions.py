"""The frame of every action: permission, review, POST, one call, message."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing.models import DeactivationRequest
from billing.services.bill_groups import request_deactivation
from config.adminsite.actions import (
    ListAction,
    ObjectAction,
    every_action,
    list_actions,
    object_actions,
)
from config.adminsite.bulk import bulk_actions
from contracts.models import Contract, ScheduledCharge, UsageImport
from contracts.services.usage_import import upload_usage
from invoicing.admin.activation import ActivateContract
from invoicing.admin.generate import GenerateNextInvoice
from invoicing.models import (
    CreditNote,
    Invoice,
    NumberSeries,
    ParkedBillGroup,
    Payment,
    PaymentImport,
    PortalSubmission,
)
from invoicing.services.credits import credit_invoice
from invoicing.services.payment_imports import upload_payments
from invoicing.services.payments import record_payment
from tests.factories import UserFactory
from tests.portal import entry_of, portal_invoice
from tests.staff import ROLES, active_contract, client_of, draft_contract

pytestmark = pytest.mark.django_db

NEW_YEAR = date(2026, 1, 1)

MAY: dict[str, set[str]] = {
    "contracts.activate_contract": {"Finance clerk", "Finance manager"},
    "contracts.add_contractimport": {"Finance clerk", "Finance manager"},
    "contracts.apply_contractimport": {"Finance clerk", "Finance manager"},
    "contracts.add_usagerecord": {"Finance clerk", "Finance manager"},
    "contracts.record_late_usage": {"Finance manager"},
    "contracts.change_scheduledcharge": {"Finance clerk", "Finance manager"},
    "contracts.cancel_contract": {"Finance manager"},
    "contracts.release_scheduledcharge": {"Finance manager"},
    "invoicing.generate_invoice": {"Finance clerk", "Finance manager"},
    "invoicing.issue_invoice": {"Finance clerk", "Finance manager"},
    "invoicing.readdress_invoice": {"Finance clerk", "Finance manager"},
    "invoicing.start_invoicerun": {"Finance clerk", "Finance manager"},
    "invoicing.change_delivery": {"Finance clerk", "Finance manager"},
    "invoicing.release_parkedbillgroup": {"Finance manager"},
    "invoicing.credit_invoice": {"Finance clerk", "Finance manager"},
    "invoicing.approve_creditnote": {"Finance manager"},
    "invoicing.void_creditnote": {"Finance manager"},
    "invoicing.add_payment": {"Finance clerk", "Finance manager"},
    "invoicing.take_back_payment": {"Finance manager"},
    "billing.deactivate_billgroup": {"Support"},
    "billing.reactivate_billgroup": {"Finance manager", "Support"},
    "billing.cancel_billgroup": {"Finance manager"},
    "billing.request_deactivation": {"Finance clerk", "Finance manager"},
    "billing.close_accountingperiod": {"Finance manager"},
    "billing.reopen_accountingperiod": {"Finance manager"},
    "contracts.amend_contract": {"Finance clerk", "Finance manager"},
    "invoicing.discard_invoice": {"Finance clerk", "Finance manager"},
    "invoicing.reissue_invoice": {"Finance clerk", "Finance manager"},
    "invoicing.bundle_portalsubmission": {"Finance clerk", "Finance manager"},
    "invoicing.submit_portalsubmission": {"Finance clerk", "Finance manager"},
    "invoicing.accept_portalsubmission": {"Finance clerk", "Finance manager"},
    "invoicing.dispute_portalsubmission": {"Finance clerk", "Finance manager"},
    "invoicing.withdraw_portalsubmission": {"Finance clerk", "Finance manager"},
}


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


def test_each_action_is_registered_with_a_permission_that_exists() -> None:
    existing = {
        f"{label}.{codename}"
        for label, codename in Permission.objects.values_list(
            "content_type__app_label", "codename"
        )
    }

    permissions = {action.permission for action in every_action()}
    permissions |= {action.permission for action in bulk_actions}

    assert permissions <= existing
    assert permissions == set(MAY)


def test_each_action_has_its_page_in_the_admin_of_its_model() -> None:
    for action in object_actions:
        assert action.url(1)
        assert action.model in admin.site._registry
    for listed in list_actions:
        assert listed.url()


@pytest.mark.parametrize("role", ROLES)
def test_server_refuses_list_actions_to_those_who_may_not(role: str) -> None:
    draft_contract()
    client = client_of(role)

    answers = {
        action.url(): (client.get(action.url()), client.post(action.url()))
        for action in list_actions
    }

    for action in list_actions:
        expected = 200 if role in MAY[action.permission] else 403
        assert answers[action.url()][0].status_code == expected
        assert answers[action.url()][1].status_code in {expected, 302}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", object_actions, ids=lambda a: type(a).__name__)
def test_server_refuses_object_actions_to_those_who_may_not(
    role: str, action: ObjectAction
) -> None:
    contract = active_contract()
    subject = subject_of(action, contract)
    client = client_of(role)

    answer = client.post(action.url(subject.pk), {"_confirm": "1"})

    if role in MAY[action.permission]:
        assert answer.status_code != 403
    else:
        assert answer.status_code == 403


def subject_of(action: ObjectAction, contract: Contract) -> Any:
    """Return some object of the action's model, in whatever state."""
    from invoicing.models import Delivery
    from invoicing.services.lifecycle import upload_contracts

    if action.model is ParkedBillGroup:
        return ParkedBillGroup.objects.create(
            bill_group=contract.bill_group, reason="It broke."
        )
    if action.model.__name__ == "ContractImport":
        return upload_contracts(
            content=b"account_number\n",
            file_name="bad.csv",
            legal_entity=contract.bill_group.legal_entity,
            actor=None,
            today=NEW_YEAR,
        )
    if action.model is UsageImport:
        return upload_usage(content=b"line\n", file_name="bad.csv", actor=None)
    if action.model is CreditNote:
        return credit_invoice(
            invoice=Invoice.objects.get(), reason="x", actor=None, today=NEW_YEAR
        )
    if action.model is PortalSubmission:
        return entry_of(portal_invoice())
    if action.model is Payment:
        return record_payment(
            bill_group=contract.bill_group,
            amount=Decimal(1),
            received_on=NEW_YEAR,
            reference="",
            actor=None,
            today=NEW_YEAR,
        )
    if action.model is PaymentImport:
        return upload_payments(
            content=b"line\n", file_name="bad.csv", actor=None, today=NEW_YEAR
        )
    if action.model is DeactivationRequest:
        return request_deactivation(
            bill_group=contract.bill_group, reason="Moved", actor=None
        )
    if action.model is Delivery:
        return Delivery.objects.order_by("pk").first() or Delivery.objects.create(
            invoice=Invoice.objects.get(), kind="PDF"
        )
    return action.model._default_manager.order_by("pk").first()


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


def test_list_action_has_no_object() -> None:
    assert all(isinstance(action, ListAction) for action in list_actions)
    assert User.objects.count() == 0
