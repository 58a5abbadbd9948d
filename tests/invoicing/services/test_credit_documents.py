"""The paper of a credit note (A5, A9, M3, M7)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import AuditEvent
from invoicing.domain.states import CreditReason, CreditSettlement
from invoicing.models import (
    CreditLimit,
    CreditNote,
    CreditNoteRevision,
    Invoice,
    InvoiceLine,
    Payment,
)
from invoicing.services import credit_documents
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.credit_documents import (
    ensure_credit_paper,
    render_credit_html,
    render_credit_pdf,
)
from invoicing.services.credits import credit_invoice
from invoicing.services.payments import record_payment
from invoicing.services.payments_taken_back import take_back_payment
from invoicing.services.sheet_credit import NotIssuedIsNotPrinted
from tests.invoicing.services.printed import add_line, draft_invoice, issue
from tests.invoicing.services.test_documents import pages_of, unpacked

pytestmark = pytest.mark.django_db

D = Decimal
TODAY = date(2026, 3, 10)
NO_BREAK = "\u00a0"
TO = "\u2013"
Credit = Callable[..., CreditNote]


@pytest.fixture
def invoice() -> Invoice:
    """Two lines at 19 % and 7 %: 119.00 + 53.50 EUR."""
    made = draft_invoice(
        0,
        subtotal=D(150),
        tax=D("22.50"),
        total=D("172.50"),
        taxes=[
            {"name": "VAT", "percent": "19", "taxable": "100.00", "tax": "19.00"},
            {"name": "VAT", "percent": "7", "taxable": "50.00", "tax": "3.50"},
        ],
    )
    add_line(made, amount=D(100), unit_price=D(100))
    add_line(
        made,
        position=2,
        contract_number="C-2025-0193",
        product_name="Books",
        amount=D(50),
        unit_price=D(50),
        tax_percent=D(7),
    )
    return issue(made)


def credit(invoice: Invoice, **wanted: Any) -> CreditNote:
    return credit_invoice(
        invoice=invoice, reason="He shouted at us", actor=None, today=TODAY, **wanted
    )


def pay(invoice: Invoice, amount: Decimal) -> Payment:
    return record_payment(
        bill_group=invoice.bill_group,
        amount=amount,
        received_on=TODAY,
        reference="",
        actor=None,
        today=TODAY,
    )


def text_of(note: CreditNote) -> str:
    return "\n".join(pages_of(render_credit_html(note)))


def test_a9_paper_names_the_invoice_the_lines_and_the_tax_by_rate(
    invoice: Invoice,
) -> None:
    line = InvoiceLine.objects.get(position=1)

    paper = text_of(credit(invoice, lines={line.pk: D(40)}))

    note = CreditNote.objects.get()
    for words in (
        f"Credit note {note.number}",
        "10 Mar 2026",
        "For invoice",
        str(invoice.number),
        "2 Mar 2026",
        "Halden Robotics GmbH",
        "Nordhaven Systems GmbH",
        "4500123987",
        "Contract C-2025-0192",
        f"1{TO}31 Mar 2026",
        "Charged, EUR",
        "100.00",
        "40.00",
        f"VAT 19{NO_BREAK}% of 40.00",
        "7.60",
        f"47.60{NO_BREAK}EUR",
        f"Invoice {invoice.number} of 2 Mar 2026 is credited in part.",
        f"Its amount due is lowered by 47.60{NO_BREAK}EUR.",
        "Correction of the billing",
        "Page 1 of 1",
    ):
        assert words in paper, words
    assert "Books" not in paper
    assert "balance" not in paper


def test_a9_the_customer_does_not_read_what_was_noted_for_the_books(
    invoice: Invoice,
) -> None:
    paper = text_of(credit(invoice, reason_code=CreditReason.GOODWILL))

    assert "Goodwill" in paper
    assert "shouted" not in paper


def test_a5_the_remainder_says_that_all_of_it_is_credited(invoice: Invoice) -> None:
    paper = text_of(credit(invoice))

    assert f"Invoice {invoice.number} of 2 Mar 2026 is credited in full." in paper
    assert f"172.50{NO_BREAK}EUR" in paper
    assert f"VAT 7{NO_BREAK}% of 50.00" in paper


@pytest.mark.parametrize(
    ("settlement", "sentence"),
    [
        pytest.param(
            CreditSettlement.BALANCE,
            f"72.50{NO_BREAK}EUR goes to your credit balance, which is used for your "
            "invoices.",
            id="balance",
        ),
        pytest.param(
            CreditSettlement.REFUND,
            f"72.50{NO_BREAK}EUR is refunded to you.",
            id="refund",
        ),
    ],
)
def test_a5_both_parts_stand_on_the_paper(
    invoice: Invoice, settlement: CreditSettlement, sentence: str
) -> None:
    pay(invoice, D("72.50"))
    invoice.refresh_from_db()

    paper = text_of(credit(invoice, with_paid=True, settlement=settlement))

    assert f"lowered by 100.00{NO_BREAK}EUR." in paper
    assert " ".join(sentence.split()) in " ".join(paper.split())


def test_m3_a_payment_taken_back_changes_no_paper(invoice: Invoice) -> None:
    payment = pay(invoice, invoice.total)
    invoice.refresh_from_db()
    note = credit(invoice, with_paid=True)
    before = render_credit_html(note)

    take_back_payment(payment=payment, reason="Bounced", actor=None, today=TODAY)

    after = CreditNote.objects.get()
    assert (after.due_part, after.paid_part) == (D("172.50"), D(0))
    assert render_credit_html(after) == before


def test_m3_paper_takes_nothing_from_live_data(invoice: Invoice) -> None:
    note = credit(invoice)
    before = render_credit_html(note)
    entity, account = note.legal_entity, invoice.account
    entity.name, entity.city = "Else Ltd", "Oslo"
    entity.save()
    account.name, account.language = "Else", "fr"
    account.save()

    assert render_credit_html(CreditNote.objects.get()) == before


@pytest.mark.parametrize(
    ("language", "title", "claim"),
    [
        ("de", "Rechnungskorrektur", "wird in voller H\u00f6he gutgeschrieben."),
        ("fr", "Avoir", "est cr\u00e9dit\u00e9e en totalit\u00e9."),
        ("es", "Factura rectificativa", "se abona \u00edntegramente."),
    ],
)
def test_paper_is_in_the_language_of_its_invoice(
    language: str, title: str, claim: str
) -> None:
    made = draft_invoice(0, language=language, subtotal=36, tax=0, total=36, taxes=[])
    add_line(made, tax_name="", tax_percent=None)

    paper = text_of(credit(issue(made)))

    assert f"{title} " in paper
    assert claim in paper


def test_m1_amounts_have_the_digits_of_their_currency() -> None:
    made = draft_invoice(0, currency="JPY", subtotal=1200, tax=0, total=1200, taxes=[])
    add_line(made, amount=D(1200), tax_name="", tax_percent=None)

    paper = text_of(credit(issue(made))).splitlines()

    assert "1,200" in paper
    assert f"1,200{NO_BREAK}JPY" in paper


def test_a9_a_void_one_says_so_across_the_page_and_keeps_the_other(
    invoice: Invoice,
) -> None:
    note = credit(invoice)
    issued = ensure_credit_paper(note=note)

    void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)
    void = ensure_credit_paper(note=note)

    note.refresh_from_db()
    paper = text_of(note)
    assert "Void" in paper.splitlines()
    assert "Void since 10 Mar 2026: this credit note has no effect." in paper
    assert "is credited in full" not in paper
    assert {paper.pk for paper in CreditNoteRevision.objects.all()} == {
        issued.pk,
        void.pk,
    }
    assert bytes(issued.pdf) != bytes(void.pdf)


def test_a_credit_that_waits_has_no_paper(invoice: Invoice) -> None:
    CreditLimit.objects.create(
        legal_entity=invoice.legal_entity, currency="EUR", amount=1
    )
    note = credit(invoice)

    with pytest.raises(NotIssuedIsNotPrinted):
        ensure_credit_paper(note=note)


def test_m7_paper_is_rendered_once_and_kept(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []

    def render(html: str) -> bytes:
        rendered.append(html)
        return b"%PDF-1.7 quick"

    monkeypatch.setattr(credit_documents, "render", render)
    note = credit(invoice)

    first, again = ensure_credit_paper(note=note), ensure_credit_paper(note=note)

    assert len(rendered) == 1
    assert first == again
    event = AuditEvent.objects.get(code="credit_note.paper_stored")
    assert event.after["sha256"] == first.sha256
    assert event.invoice_id == invoice.pk


def test_what_was_typed_is_text_and_never_markup(invoice: Invoice) -> None:
    note = credit(invoice)
    note.bill_to = {**note.bill_to, "name": "<img src=x> & Sons"}

    assert "&lt;img src=x&gt; &amp; Sons" in render_credit_html(note)


def test_m7_the_same_note_gives_the_same_bytes_in_the_archive_format(
    invoice: Invoice,
) -> None:
    note = credit(invoice)

    pdf = render_credit_pdf(note)

    assert pdf == render_credit_pdf(note)
    assert b'pdfaid:part="3"' in unpacked(pdf)
