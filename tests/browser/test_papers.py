"""Edit an address, send the invoice again, see papers of a credit: on the screen."""

from decimal import Decimal

import pytest

from billing.models import BillGroup
from config.clock import today_in
from invoicing.models import CreditNote, Delivery, Invoice
from invoicing.services.credits import credit_invoice
from invoicing.services.delivery import deliver_next
from tests.browser.conftest import Staff
from tests.factories import BillGroupFactory
from tests.staff import active_contract, company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def deliver_all() -> None:
    while deliver_next() is not None:
        pass


def test_staff_sends_a_corrected_invoice_again_and_sees_the_credit(
    staff: Staff,
) -> None:
    group: BillGroup = BillGroupFactory.create(
        legal_entity=company(), email="ap@customer.example"
    )
    today = today_in("Europe/Berlin")
    active_contract(group, today=today)
    invoice = Invoice.objects.get()
    credit_invoice(
        invoice=invoice, reason="Less", actor=None, today=today, amount=Decimal(5)
    )
    deliver_all()

    staff.open(f"/admin/invoicing/invoice/{invoice.pk}/edit-address/")
    staff.fill("Address", "New Street 2")
    staff.page.get_by_label("Reason", exact=True).fill("They moved")
    staff.press("Review")
    staff.press("Change the address")
    staff.press("Send it again")
    staff.fill("To", "a.very.long.name.of.accounts.payable@customer.example")
    staff.page.get_by_label("Reason", exact=True).fill("They moved")
    staff.accept()
    staff.press("Review")
    assert "revision 2" in staff.text
    staff.accept()
    staff.press("Send it")
    assert "is queued to be mailed to" in staff.text
    assert "Revision 1" in staff.text
    staff.accept()
    sent = Delivery.objects.get(sending=2)
    assert sent.recipient.startswith("a.very.long")

    note = CreditNote.objects.get()
    staff.open(f"/admin/invoicing/creditnote/{note.pk}/change/")
    assert "The paper as issued" in staff.text
    staff.accept()
    staff.open("/admin/invoicing/creditnote/")
    staff.accept()
    staff.open("/admin/invoicing/delivery/")
    staff.accept()
