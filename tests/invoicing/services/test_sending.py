"""Credit notes are delivered, and documents sent again (D2, A9, G11, M7)."""

import smtplib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db.models.functions import Now

from billing.domain.address import Address
from billing.models import AuditEvent, BillGroup
from billing.services.reasons import ReasonMissing
from invoicing.display import delivery_text
from invoicing.models import (
    CreditLimit,
    CreditNote,
    CreditNoteRevision,
    Delivery,
    Invoice,
)
from invoicing.services import addresses, credit_documents, documents
from invoicing.services.addresses import change_invoice_address
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.credits import credit_invoice
from invoicing.services.delivery import MOST_ATTEMPTS, deliver_next
from invoicing.services.sending import NotSentAgain, send_again
from tests.books import broken_invariants
from tests.factories import UserFactory
from tests.invoicing.services.printed import (
    BILL_TO,
    add_line,
    draft_invoice,
    issue,
    paper_delivery,
)
from tests.portal import ariba

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 10)
TO = "ap@halden.example"


@pytest.fixture(autouse=True)
def quick_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "render", lambda html: b"%PDF-1.7 quick")
    monkeypatch.setattr(addresses, "render_pdf", lambda invoice: b"%PDF-1.7 second")
    monkeypatch.setattr(credit_documents, "render", lambda html: b"%PDF-1.7 credit")


@pytest.fixture
def invoice() -> Invoice:
    """An issued invoice of 36.00 whose paper and mail are done."""
    draft = draft_invoice(0, subtotal=36, tax=0, total=36, taxes=[])
    add_line(draft, tax_name="", tax_percent=None)
    made = issue(draft)
    group = made.bill_group
    group.delivery, group.email = "EMAIL", TO
    group.save()
    paper_delivery(made, recipient=TO)
    deliver_all()
    mail.outbox.clear()
    return made


def delivered_by(invoice: Invoice, delivery: str) -> None:
    BillGroup.objects.filter(pk=invoice.bill_group_id).update(
        delivery=delivery, portal=ariba()
    )


def deliver_all() -> int:
    done = 0
    while deliver_next() is not None:
        done += 1
    return done


def credit(invoice: Invoice, **wanted: Any) -> CreditNote:
    return credit_invoice(
        invoice=invoice, reason="Wrong", actor=None, today=TODAY, **wanted
    )


def again(document: Invoice | CreditNote, to: str = TO) -> Delivery:
    return send_again(
        document=document, recipient=to, reason="Lost", actor=UserFactory.create()
    )


def states(document: Invoice | CreditNote) -> list[tuple[str, int, str]]:
    rows = document.deliveries.order_by("pk")
    return list(rows.values_list("kind", "sending", "state"))


@pytest.mark.parametrize("delivery", ["EMAIL", "BOTH"])
def test_g11_a_credit_note_is_mailed_with_its_paper(
    invoice: Invoice, delivery: str
) -> None:
    delivered_by(invoice, delivery)

    note = credit(invoice)
    deliver_all()

    (message,) = mail.outbox
    assert message.to == [TO]
    assert message.subject == f"Credit note {note.number} from Nordhaven Systems GmbH"
    assert "over 36.00\u00a0EUR." in message.body
    assert (
        f"Invoice {invoice.number} of 2 Mar 2026 is credited in full." in message.body
    )
    assert [tuple(file) for file in message.attachments] == [
        (f"{note.number}.pdf", b"%PDF-1.7 credit", "application/pdf")
    ]
    assert states(note) == [("PDF", 1, "SENT"), ("EMAIL", 1, "SENT")]
    paper = CreditNoteRevision.objects.get()
    assert message.message()["Message-ID"] == f"<credit-{paper.pk}@localhost>"


@pytest.mark.parametrize("delivery", ["PORTAL", "NONE"])
def test_f3_portal_and_none_send_no_mail(invoice: Invoice, delivery: str) -> None:
    delivered_by(invoice, delivery)

    note = credit(invoice)
    deliver_all()

    assert mail.outbox == []
    assert states(note) == [("PDF", 1, "SENT")]
    assert CreditNoteRevision.objects.count() == 1


def test_a9_a_credit_that_waits_is_not_delivered(invoice: Invoice) -> None:
    CreditLimit.objects.create(
        legal_entity=invoice.legal_entity, currency="EUR", amount=1
    )

    note = credit(invoice)

    assert states(note) == []


def test_m7_failing_credit_mail_touches_nothing_and_is_shown(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise smtplib.SMTPRecipientsRefused({TO: (550, b"unknown")})

    monkeypatch.setattr(EmailMessage, "send", refuse)
    note = credit(invoice)
    before = CreditNote.objects.filter(pk=note.pk).values().get()

    for _ in range(MOST_ATTEMPTS + 1):
        Delivery.objects.update(not_before=Now())
        deliver_all()

    assert states(note) == [("PDF", 1, "SENT"), ("EMAIL", 1, "FAILED")]
    event = AuditEvent.objects.get(code="delivery.failed")
    assert event.subject == note.number
    assert event.invoice_id == invoice.pk
    assert CreditNote.objects.filter(pk=note.pk).values().get() == before


def test_d2_after_a_new_address_the_new_revision_is_sent(invoice: Invoice) -> None:
    change_invoice_address(
        invoice=invoice,
        address=Address(**{**BILL_TO, "line1": "Neue Strasse 1"}),
        reason="Moved",
        actor=None,
    )

    again(invoice, "new@halden.example")
    deliver_all()

    (message,) = mail.outbox
    assert message.to == ["new@halden.example"]
    assert message.attachments[0][1] == b"%PDF-1.7 second"
    assert message.message()["Message-ID"] == f"<invoice-{invoice.pk}-2-2@localhost>"
    event = AuditEvent.objects.get(code="delivery.sent_again")
    assert event.reason == "Lost"
    assert event.before["recipient"] == TO
    assert event.after == {
        "recipient": "new@halden.example",
        "state": "QUEUED",
        "sending": 2,
    }


def test_m7_what_the_customer_lost_is_another_message(invoice: Invoice) -> None:
    """A mailbox drops a message that it has already."""
    again(invoice)
    deliver_all()
    again(invoice)
    deliver_all()

    ids = [message.message()["Message-ID"] for message in mail.outbox]
    assert ids == [
        f"<invoice-{invoice.pk}-1-2@localhost>",
        f"<invoice-{invoice.pk}-1-3@localhost>",
    ]


@pytest.mark.parametrize("state", ["FAILED", "QUEUED"])
def test_m7_a_mail_that_failed_or_waits_is_replaced(
    invoice: Invoice, state: str
) -> None:
    Delivery.objects.filter(kind="EMAIL").update(state=state)

    again(invoice, "right@halden.example")
    deliver_all()

    assert [message.to for message in mail.outbox] == [["right@halden.example"]]
    assert states(invoice) == [
        ("PDF", 1, "SENT"),
        ("EMAIL", 1, "REPLACED"),
        ("EMAIL", 2, "SENT"),
    ]
    assert delivery_text(list(invoice.deliveries.all())) == "Mail sent"


def test_m7_what_a_worker_is_mailing_is_left_to_it(invoice: Invoice) -> None:
    Delivery.objects.filter(kind="EMAIL").update(
        state="QUEUED", leased_until=Now() + timedelta(minutes=5)
    )

    with pytest.raises(NotSentAgain, match="being mailed right now"):
        again(invoice)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("QUEUED", "not made yet"), ("FAILED", "could not be made")],
)
def test_m7_before_its_paper_the_mail_comes_by_itself(
    invoice: Invoice, state: str, sentence: str
) -> None:
    Delivery.objects.filter(kind="PDF").update(state=state)

    with pytest.raises(NotSentAgain, match=sentence):
        again(invoice)


@pytest.mark.parametrize("delivery", ["PORTAL", "NONE"])
def test_f3_nothing_is_mailed_to_a_group_without_mail(
    invoice: Invoice, delivery: str
) -> None:
    delivered_by(invoice, delivery)

    with pytest.raises(NotSentAgain, match="gets no mail"):
        again(invoice)


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@b.example\nBcc: all@b.example", "a@b.example, c@d.example"]
)
def test_recipient_is_one_address(invoice: Invoice, to: str) -> None:
    with pytest.raises(NotSentAgain, match="no mail address"):
        again(invoice, to)


def test_m5_sending_again_has_a_reason(invoice: Invoice) -> None:
    with pytest.raises(ReasonMissing, match="document"):
        send_again(document=invoice, recipient=TO, reason=" ", actor=None)


def test_credit_note_is_sent_again_too(invoice: Invoice) -> None:
    note = credit(invoice)
    deliver_all()
    mail.outbox.clear()

    again(note)
    deliver_all()

    assert len(mail.outbox) == 1
    assert states(note)[-1] == ("EMAIL", 2, "SENT")
    assert AuditEvent.objects.get(code="delivery.sent_again").subject == note.number


def test_a9_who_got_the_credit_note_gets_the_void_one(invoice: Invoice) -> None:
    note = credit(invoice)
    deliver_all()
    mail.outbox.clear()

    void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)
    deliver_all()

    (message,) = mail.outbox
    assert f"Credit note {note.number} over 36.00\u00a0EUR, attached, is void." in (
        message.body
    )
    assert states(note)[2:] == [("PDF", 2, "SENT"), ("EMAIL", 2, "SENT")]
    assert CreditNoteRevision.objects.count() == 2


def test_a9_one_voided_before_it_was_mailed_is_not_mailed(invoice: Invoice) -> None:
    note = credit(invoice)

    void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)
    deliver_all()

    assert mail.outbox == []
    assert states(note) == [("PDF", 1, "REPLACED"), ("PDF", 2, "SENT")]
    assert CreditNoteRevision.objects.get().is_void


def test_m7_credits_of_the_books_have_their_deliveries(invoice: Invoice) -> None:
    credit(invoice, amount=Decimal(5))
    note = credit(invoice)
    deliver_all()
    void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)
    deliver_all()

    papers = {"issued_credit_gets_its_paper", "mail_follows_its_paper"}
    assert not papers & set(broken_invariants())
