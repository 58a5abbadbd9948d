"""Editing the address of an invoice (D1-D3)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.address import Address
from billing.models import AuditEvent, BillGroup, InvoicingSettings
from billing.services.reasons import ReasonMissing
from invoicing.models import Delivery, Invoice, InvoiceRevision
from invoicing.services import addresses
from invoicing.services.addresses import (
    AddressStays,
    change_invoice_address,
    shown_address,
)
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, sold

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)


@pytest.fixture(autouse=True)
def papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers that only say where they go: rendering has its own tests."""

    def render(invoice: Invoice) -> bytes:
        return f"%PDF {shown_address(invoice).line1}".encode()

    monkeypatch.setattr(addresses, "render_pdf", render)
    monkeypatch.setattr("invoicing.services.documents.render_pdf", render)


def generate(**settings: Any) -> Invoice:
    contract = sold(today=JAN_1)
    if settings:
        InvoicingSettings.objects.create(
            legal_entity=contract.bill_group.legal_entity, **settings
        )
    run_invoicing(as_of=JAN_1)
    return Invoice.objects.get()


@pytest.fixture
def invoice() -> Invoice:
    return generate()


def change(invoice: Invoice, **fields: Any) -> Invoice:
    values: dict[str, Any] = {
        "address": shown_address(invoice)._replace(line1="New Street 2"),
        "reason": "Moved",
        "actor": None,
    }
    return change_invoice_address(invoice=invoice, **(values | fields))


def revisions() -> list[tuple[int, str]]:
    rows = InvoiceRevision.objects.order_by("revision")
    return [(row.revision, bytes(row.pdf).decode()) for row in rows]


def test_d1_the_bill_groups_address_changes_no_invoice(invoice: Invoice) -> None:
    before = shown_address(invoice)
    BillGroup.objects.update(address_line1="Elsewhere 9", city="Reno", country="US")

    invoice.refresh_from_db()
    assert shown_address(invoice) == before


def test_d2_a_new_revision_and_the_old_paper_kept(invoice: Invoice) -> None:
    changed = change(invoice)

    assert revisions() == [(1, "%PDF Main Street 1"), (2, "%PDF New Street 2")]
    assert shown_address(changed).line1 == "New Street 2"
    assert changed.bill_to["line1"] == "Main Street 1"
    assert (changed.number, changed.total) == (invoice.number, invoice.total)
    assert broken_invariants() == []


def test_d2_who_when_and_why_are_kept(invoice: Invoice) -> None:
    change(invoice)

    entry = AuditEvent.objects.get(code="invoice.address_changed")
    assert (entry.reason, entry.invoice_id) == ("Moved", invoice.pk)
    assert entry.before["line1"] == "Main Street 1"
    assert entry.after["line1"] == "New Street 2"


def test_d2_the_bill_group_only_on_a_tick(invoice: Invoice) -> None:
    change(invoice)
    group = BillGroup.objects.get()
    assert not group.has_address

    changed = Invoice.objects.get()
    other = shown_address(changed)._replace(line1="Third Street 3")
    change(changed, address=other, also_future=True)

    group.refresh_from_db()
    assert group.bill_to_address == other
    assert len(revisions()) == 3


def test_d3_allowed_on_a_paid_invoice(invoice: Invoice) -> None:
    record_payment(
        bill_group=invoice.bill_group,
        amount=invoice.total,
        received_on=JAN_1,
        reference="",
        actor=None,
        today=JAN_1,
    )

    changed = change(invoice)

    assert (changed.status, changed.paid) == ("PAID", Decimal(100))


@pytest.mark.parametrize("field", ["country", "region"])
def test_d3_what_could_change_the_tax_is_refused(invoice: Invoice, field: str) -> None:
    address = shown_address(invoice)._replace(**{field: "CA"})

    with pytest.raises(AddressStays, match="reissue the invoice instead"):
        change(invoice, address=address)

    assert len(revisions()) <= 1
    assert not AuditEvent.objects.filter(code="invoice.address_changed").exists()


def test_d3_settings_can_forbid_it_once_sent() -> None:
    invoice = generate(address_fixed_once_sent=True)
    change(invoice)
    Delivery.objects.create(invoice=invoice, kind="EMAIL", state="SENT")

    with pytest.raises(AddressStays, match="was sent"):
        change(
            invoice,
            address=shown_address(invoice)._replace(line1="Third Street 3"),
        )


def test_d2_a_draft_has_no_revisions() -> None:
    draft = generate(review_before_issue=True)
    address = shown_address(draft)._replace(country="CA")

    changed = change(draft, address=address)

    assert shown_address(changed) == address
    assert revisions() == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"address": Address(name="", line1="x")}, "has a name"),
        ({"address": Address(name="Halden")}, "has a name and at least"),
    ],
)
def test_d2_what_makes_no_sense_is_refused(
    invoice: Invoice, fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(AddressStays, match=sentence):
        change(invoice, **fields)


def test_d2_needs_a_reason(invoice: Invoice) -> None:
    with pytest.raises(ReasonMissing, match="invoice"):
        change(invoice, reason=" ")


def test_d2_the_same_address_changes_nothing(invoice: Invoice) -> None:
    with pytest.raises(AddressStays, match="Nothing is changed"):
        change(invoice, address=shown_address(invoice))


def test_d2_of_two_changes_at_once_the_second_is_told(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(one: Invoice) -> bytes:
        monkeypatch.setattr(addresses, "render_pdf", lambda invoice: b"%PDF other")
        change(invoice, address=shown_address(invoice)._replace(line1="Other 5"))
        return b"%PDF mine"

    monkeypatch.setattr(addresses, "render_pdf", meanwhile)

    with pytest.raises(AddressStays, match="Someone else"):
        change(invoice)

    assert revisions()[-1] == (2, "%PDF other")
