"""The page of an invoice: its lines, papers, history, and the plan it came from."""

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.urls import reverse

from billing.models import BillGroup
from invoicing.models import Invoice, InvoiceRevision
from tests.factories import BillGroupFactory
from tests.staff import ROLES, active_contract, client_of, company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tenth_of_january() -> Iterator[None]:
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def invoice() -> Invoice:
    group: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(group)
    return Invoice.objects.get()


def url(invoice: Invoice) -> str:
    return reverse("admin:invoicing_invoice_change", args=[invoice.pk])


@pytest.mark.parametrize("role", ROLES)
def test_plan_leads_to_contract_and_charge(invoice: Invoice, role: str) -> None:
    page = client_of(role).get(url(invoice))

    ((line, badge),) = page.context["plan"]
    contract = reverse(
        "admin:contracts_contract_change", args=[line.charge.contract_id]
    )
    charge = reverse("admin:contracts_scheduledcharge_change", args=[line.charge_id])
    assert badge.label == "Invoiced"
    assert line.charge.bill_date == date(2026, 1, 1)
    assert contract.encode() in page.content
    assert charge.encode() in page.content


def test_revisions_say_who_made_them_and_which_holds(invoice: Invoice) -> None:
    """D2."""
    made = InvoiceRevision.objects.create(
        invoice=invoice,
        revision=1,
        bill_to=invoice.bill_to,
        reason="New street",
        made_by_name="mara",
        pdf=b"%PDF",
        sha256="0" * 64,
    )
    Invoice.objects.filter(pk=invoice.pk).update(current_revision=made)

    page = client_of("Auditor").get(url(invoice)).content.decode()

    assert "Revision 1" in page
    assert "mara" in page
    assert "New street" in page
    assert "Current" in page


def test_history_says_how_it_was_issued(invoice: Invoice) -> None:
    """M5."""
    page = client_of("Auditor").get(url(invoice))

    told = [line.entries[0].sentence for line in page.context["history"]["lines"]]
    assert told == ["Invoice issued for 100.00 USD"]


def test_invoice_that_nothing_replaces_says_nothing_of_it(invoice: Invoice) -> None:
    page = client_of("Auditor").get(url(invoice))

    assert page.context["replacement"] is None
    assert b"Superseded." not in page.content
