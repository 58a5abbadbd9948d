"""The paper asks for what is due after the balance that was used at issue (M3, M4)."""

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from PIL import ImageOps
from pypdf import PdfReader

from billing.models import BillGroup, InvoicingSettings
from invoicing.models import (
    BalanceUse,
    CreditLimit,
    CreditNote,
    Invoice,
    Payment,
)
from invoicing.queries.balances import used_at_issue
from invoicing.services.addresses import change_invoice_address, shown_address
from invoicing.services.corrections import finish_replacement, reissue_invoice
from invoicing.services.credit_decisions import approve_credit
from invoicing.services.documents import render_html, render_pdf
from invoicing.services.drafts import issue_draft
from invoicing.services.generation import generate_next_invoice, run_invoicing
from invoicing.services.payments import record_payment
from invoicing.services.payments_taken_back import take_back_payment
from tests.books import sold
from tests.factories import BillGroupFactory, LegalEntityFactory, UserFactory
from tests.invoicing.services.test_documents import pages_of

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, FEB_1 = date(2026, 1, 1), date(2026, 2, 1)
NO_BREAK = "\u00a0"


@pytest.fixture
def group() -> BillGroup:
    """100.00 EUR a month, payable by a code."""
    entity = LegalEntityFactory.create(iban="DE89370400440532013000")
    made: BillGroup = BillGroupFactory.create(currency="EUR", legal_entity=entity)
    sold(
        today=date(2025, 12, 31),
        bill_group=made,
        start_date=JAN_1,
        end_date=date(2026, 3, 31),
        lines=[{"unit_price": D(100)}],
    )
    return made


def pay(group: BillGroup, amount: str, day: date = JAN_1) -> Payment:
    return record_payment(
        bill_group=group,
        amount=D(amount),
        received_on=day,
        reference="",
        actor=None,
        today=day,
    )


def text_of(invoice: Invoice) -> str:
    return "\n".join(pages_of(render_html(Invoice.objects.get(pk=invoice.pk))))


def asked_by_code(invoice: Invoice) -> list[str]:
    """Return the amounts that the codes on a paper ask for."""
    pdf: Any = PdfReader(BytesIO(render_pdf(invoice)))
    return [
        code.text.splitlines()[7]
        for picture in pdf.pages[0].images
        for code in zxingcpp.read_barcodes(
            ImageOps.expand(picture.image.convert("L"), border=40, fill=255)
        )
    ]


def test_m4_total_balance_and_what_is_due_stand_below_each_other(
    group: BillGroup,
) -> None:
    pay(group, "30")
    run_invoicing(as_of=JAN_1)
    invoice = Invoice.objects.get()

    lines = text_of(invoice).splitlines()

    at = lines.index("Less credit balance applied")
    assert "Total" in lines[:at]
    assert "\u221230.00" in lines
    assert f"70.00{NO_BREAK}EUR" in lines
    assert f"Please pay 70.00{NO_BREAK}EUR by 31 Jan 2026." in " ".join(lines)
    assert asked_by_code(invoice) == ["EUR70.00"]


def test_m4_an_invoice_that_balance_covers_asks_for_nothing(group: BillGroup) -> None:
    group.legal_entity.payment_instructions = "Pay to the lockbox."
    group.legal_entity.save()
    pay(group, "150")
    run_invoicing(as_of=JAN_1)
    invoice = Invoice.objects.get()

    paper = text_of(invoice)

    assert "Your credit balance covers this invoice: there is nothing to" in paper
    assert f"0.00{NO_BREAK}EUR" in paper
    assert "IBAN" not in paper
    assert "lockbox" not in paper
    assert asked_by_code(invoice) == []


def test_m4_without_balance_there_is_no_word_of_it(group: BillGroup) -> None:
    run_invoicing(as_of=JAN_1)

    assert "balance" not in text_of(Invoice.objects.get())


def test_m3_what_comes_later_changes_no_paper(group: BillGroup) -> None:
    """Payments and balance of the same day too, and what is taken back."""
    payment = pay(group, "30")
    run_invoicing(as_of=JAN_1)
    invoice = Invoice.objects.get()
    before = render_html(invoice)

    pay(group, "20")
    take_back_payment(payment=payment, reason="Bounced", actor=None, today=JAN_1)

    after = Invoice.objects.get()
    assert (after.paid, after.balance_applied) == (D(20), D(0))
    assert render_html(after) == before


def test_m3_balance_that_arises_later_the_same_day_is_not_on_the_paper(
    group: BillGroup,
) -> None:
    run_invoicing(as_of=FEB_1)
    first, second = Invoice.objects.order_by("sequence")
    before = render_html(second)
    record_payment(
        bill_group=group,
        amount=D(100),
        received_on=FEB_1,
        reference="",
        actor=None,
        today=FEB_1,
        chosen={first.pk: D(100)},
    )

    reissued = reissue_invoice(invoice=first, reason="PO", actor=None, today=FEB_1)
    finish_replacement(invoice=first, reason="PO", actor=None, today=FEB_1)

    assert used_at_issue(second) == D(0)
    assert render_html(Invoice.objects.get(pk=second.pk)) == before
    assert reissued.invoice == first


def test_d2_a_new_revision_says_what_the_first_said(group: BillGroup) -> None:
    payment = pay(group, "30")
    run_invoicing(as_of=JAN_1)
    invoice = Invoice.objects.get()
    render_pdf(invoice)
    take_back_payment(payment=payment, reason="Bounced", actor=None, today=JAN_1)

    address = shown_address(invoice).as_dict() | {"name": "Else Ltd"}
    changed = change_invoice_address(
        invoice=invoice,
        address=type(shown_address(invoice))(**address),
        reason="Moved",
        actor=None,
    )

    assert changed.current_revision is not None
    assert changed.current_revision.revision == 2
    assert f"70.00{NO_BREAK}EUR" in text_of(changed)
    assert "Else Ltd" in text_of(changed)


def test_a7_replacement_says_what_the_credit_made_with_it_covers(
    group: BillGroup,
) -> None:
    """Paid 100; the replacement is issued, the credit follows in one transaction."""
    run_invoicing(as_of=JAN_1)
    old = Invoice.objects.get()
    pay(group, "100")
    reissue_invoice(invoice=old, reason="PO", actor=None, today=JAN_1)

    finished = finish_replacement(invoice=old, reason="PO", actor=None, today=JAN_1)

    assert finished.issued is not None
    assert used_at_issue(finished.issued) == D(100)
    assert "there is nothing to" in text_of(finished.issued)
    assert "balance" not in text_of(old)


def test_a7_approving_the_credit_says_it_too(group: BillGroup) -> None:
    run_invoicing(as_of=JAN_1)
    old = Invoice.objects.get()
    pay(group, "60")
    CreditLimit.objects.create(
        legal_entity=group.legal_entity, currency="EUR", amount=1
    )
    reissue_invoice(invoice=old, reason="PO", actor=None, today=JAN_1)
    finish_replacement(
        invoice=old, reason="PO", actor=UserFactory.create(), today=JAN_1
    )

    note = CreditNote.objects.get()
    approve_credit(note=note, actor=UserFactory.create(), today=JAN_1)

    replacement = Invoice.objects.get(replaces=old)
    assert used_at_issue(replacement) == D(60)
    assert f"40.00{NO_BREAK}EUR" in text_of(replacement)


def test_m4_a_draft_says_nothing_of_balance_until_it_is_issued(
    group: BillGroup,
) -> None:
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, review_before_issue=True
    )
    pay(group, "30")
    run_invoicing(as_of=JAN_1)
    draft = Invoice.objects.get()
    assert "balance" not in text_of(draft)

    issue_draft(invoice=draft, actor=None, today=JAN_1)

    assert BalanceUse.objects.get().at_issue
    assert f"70.00{NO_BREAK}EUR" in text_of(draft)


def test_m4_by_hand_too(group: BillGroup) -> None:
    pay(group, "30")

    invoice = generate_next_invoice(bill_group=group, actor=None, today=JAN_1)

    assert used_at_issue(invoice) == D(30)
