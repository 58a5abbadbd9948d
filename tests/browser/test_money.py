"""Credit an invoice, record a payment, take it back, upload payments: on the screen."""

from pathlib import Path

import pytest

from billing.models import BillGroup
from config.clock import today_in
from invoicing.models import CreditLimit, CreditNote, Invoice, Payment
from invoicing.services.generation import generate_next_invoice
from tests.books import broken_invariants
from tests.browser.conftest import Staff
from tests.factories import BillGroupFactory
from tests.staff import active_contract, company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

HEAD = "bill_group,amount,currency,received_on,reference,invoice\n"


def two_invoices() -> BillGroup:
    """A customer with two open invoices of 100.00 USD."""
    today = today_in("Europe/Berlin")
    group: BillGroup = BillGroupFactory.create(
        legal_entity=company(), name="Hamburg plant"
    )
    active_contract(group, today=today)
    generate_next_invoice(bill_group=group, actor=None, today=today)
    return group


def test_staff_credits_and_records_what_was_paid(staff: Staff, tmp_path: Path) -> None:
    group = two_invoices()
    first, second = Invoice.objects.order_by("sequence")
    today = today_in("Europe/Berlin")

    staff.open(f"/admin/invoicing/invoice/{first.pk}/change/")
    staff.press("Credit")
    staff.accept()
    staff.page.get_by_label("Amounts of chosen lines, before tax").check()
    staff.page.locator("input.amount").first.fill("40")
    staff.page.get_by_label("Reason", exact=True).fill("Half of it was down")
    staff.press("Review")
    assert "Lowers what is due" in staff.text
    assert not CreditNote.objects.exists()
    staff.accept()
    staff.press("Credit")
    assert "CN-000001 of 40.00 USD is issued." in staff.text
    staff.accept()

    staff.open(f"/admin/billing/account/{group.account_id}/overview/")
    staff.press("Record payment")
    staff.accept()
    staff.fill("Amount", "200")
    staff.fill("Reference", "Statement 7")
    staff.press("Review")
    assert "40.00 USD" in staff.text  # what is left goes to the balance
    assert not Payment.objects.exists()
    staff.accept()
    staff.press("Record the payment")
    assert "200.00 USD recorded" in staff.text
    staff.accept()
    assert set(Invoice.objects.values_list("status", flat=True)) == {"PAID"}

    staff.open(f"/admin/billing/billgroup/{group.pk}/change/")
    assert "Credit balance" in staff.text
    staff.accept()

    staff.open(f"/admin/invoicing/payment/{Payment.objects.get().pk}/change/")
    staff.press("Take back")
    staff.accept()
    staff.fill("Reason", "The cheque bounced")
    staff.press("Take the payment back")
    assert "is taken back" in staff.text
    staff.accept()
    for page in ("creditnote", "payment", "paymentimport", "creditlimit"):
        staff.open(f"/admin/invoicing/{page}/")
        staff.accept()

    CreditLimit.objects.create(
        legal_entity=group.legal_entity, currency="USD", amount=50
    )
    staff.open(f"/admin/invoicing/invoice/{second.pk}/credit/")
    staff.page.get_by_label("Reason", exact=True).fill("Wrong price")
    staff.press("Review")
    assert "above the limit of 50.00 USD" in staff.text
    staff.accept()
    staff.press("Credit")
    assert "waits for a second person" in staff.text
    staff.accept()
    staff.press("Decline")
    staff.accept()
    staff.fill("Reason", "The price was right")
    staff.press("Decline the credit")
    assert "declined" in staff.text

    path = tmp_path / "payments.csv"
    path.write_text(
        f"{HEAD}{group.public_id},60,USD,{today},Statement 8,{first.number}\n"
        f"{group.public_id},9.999,USD,{today},Statement 9,\n"
    )
    staff.open("/admin/invoicing/payment/upload/")
    staff.accept()
    staff.page.set_input_files("input[type=file]", path)
    staff.press("Upload and check")
    assert "9.999" in staff.text
    staff.accept()
    path.write_text(path.read_text().replace("9.999", "100"))
    staff.open("/admin/invoicing/payment/upload/")
    staff.page.set_input_files("input[type=file]", path)
    staff.press("Upload and check")
    staff.accept()
    staff.press("Record")
    staff.accept()
    staff.press("Record the payments")
    assert "2 payments recorded." in staff.text
    staff.accept()
    assert broken_invariants() == []
