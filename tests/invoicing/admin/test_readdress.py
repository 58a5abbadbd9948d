"""Editing the address of an invoice through the admin (D2, D3)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import BillGroup
from invoicing.admin.readdress import EditAddress
from invoicing.models import Invoice
from invoicing.services import addresses
from invoicing.services.addresses import shown_address
from tests.staff import active_contract, client_of

pytestmark = pytest.mark.django_db

ANSWERS = {
    "name": "Customer Ltd",
    "line1": "New Street 2",
    "city": "Springfield",
    "country": "us",
    "reason": "Moved",
}


@pytest.fixture(autouse=True)
def tenth_of_january(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A day to act on, and papers that are not rendered."""
    monkeypatch.setattr(addresses, "render_pdf", lambda invoice: b"%PDF 2")
    monkeypatch.setattr(
        "invoicing.services.documents.render_pdf", lambda invoice: b"%PDF 1"
    )
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def invoice() -> Invoice:
    active_contract(today=date(2026, 1, 1))
    return Invoice.objects.get()


def confirm(client: Client, url: str, **answers: Any) -> Any:
    """Look at the review, then confirm what it shows."""
    review = client.post(url, answers).context["review"]
    return client.post(
        url, {**answers, "_confirm": "1", "_reviewed": review.fingerprint}
    )


def test_d2_old_and_new_stand_beside_each_other(invoice: Invoice) -> None:
    page = client_of("Finance clerk").post(EditAddress.url(invoice.pk), ANSWERS)

    now, then = page.context["review"].figures
    assert now.note.startswith("Main Street 1")
    assert (then.value, then.note) == ("Customer Ltd", "New Street 2, Springfield, US")
    assert b"the old one is kept" in page.content


def test_d2_the_invoice_changes_and_the_bill_group_does_not(invoice: Invoice) -> None:
    page = confirm(client_of("Finance clerk"), EditAddress.url(invoice.pk), **ANSWERS)

    invoice.refresh_from_db()
    assert page.status_code == 302
    assert shown_address(invoice).line1 == "New Street 2"
    assert invoice.revisions.count() == 2
    assert not BillGroup.objects.get().has_address


def test_d2_also_for_future_invoices(invoice: Invoice) -> None:
    confirm(
        client_of("Finance clerk"),
        EditAddress.url(invoice.pk),
        **ANSWERS,
        also_future="on",
    )

    assert BillGroup.objects.get().bill_to_address.line1 == "New Street 2"


def test_d3_what_could_change_the_tax_is_refused(invoice: Invoice) -> None:
    page = client_of("Finance clerk").post(
        EditAddress.url(invoice.pk), ANSWERS | {"country": "DE"}
    )

    assert page.status_code == 409
    assert b"reissue the invoice instead" in page.content


@pytest.mark.parametrize("role", ["Support", "Auditor"])
def test_others_are_refused_on_the_server(invoice: Invoice, role: str) -> None:
    page = client_of(role).post(EditAddress.url(invoice.pk), ANSWERS)

    assert page.status_code == 403
