"""Papers of documents as files, and sending them again, through the admin (D2, M7)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client

from billing.models import AuditEvent, BillGroup
from invoicing.admin.pdf import CreditNotePdf, InvoicePdf
from invoicing.admin.readdress import EditAddress
from invoicing.admin.send_again import SendCreditNoteAgain, SendInvoiceAgain
from invoicing.models import CreditLimit, CreditNote, Delivery, Invoice
from invoicing.services import addresses, credit_documents, documents
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.credits import credit_invoice
from invoicing.services.delivery import deliver_next
from invoicing.services.rendering import PangoMissing
from tests.portal import ariba
from tests.staff import ROLES, active_contract, client_of

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 10)
TO = "ap@customer.example"
ANSWERS = {"recipient": TO, "reason": "The customer lost it"}
SENDING = [SendInvoiceAgain, SendCreditNoteAgain]


@pytest.fixture(autouse=True)
def tenth_of_january(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A day to act on, and papers that are not rendered."""
    monkeypatch.setattr(documents, "render", lambda html: b"%PDF 1")
    monkeypatch.setattr(addresses, "render_pdf", lambda invoice: b"%PDF 2")
    monkeypatch.setattr(
        credit_documents, "render", lambda html: b"%PDF " + html.encode()
    )
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def invoice() -> Invoice:
    active_contract(today=date(2026, 1, 1))
    BillGroup.objects.update(email=TO)
    made = Invoice.objects.get()
    Delivery.objects.update(recipient=TO)
    deliver_all()
    return made


@pytest.fixture
def note(invoice: Invoice) -> CreditNote:
    made = credit_invoice(
        invoice=invoice, reason="Less", actor=None, today=TODAY, amount=Decimal(5)
    )
    deliver_all()
    mail.outbox.clear()
    return made


def deliver_all() -> None:
    while deliver_next() is not None:
        pass


def subject_of(action: Any, note: CreditNote) -> Any:
    return note if action is SendCreditNoteAgain else note.invoice


def confirm(client: Client, url: str, **answers: Any) -> Any:
    """Look at the review, then confirm what it shows."""
    review = client.post(url, answers).context["review"]
    return client.post(
        url, {**answers, "_confirm": "1", "_reviewed": review.fingerprint}
    )


def page_of(document: Any) -> str:
    name = "creditnote" if isinstance(document, CreditNote) else "invoice"
    return f"/admin/invoicing/{name}/{document.pk}/change/"


def test_credit_note_is_sent_as_a_file_to_whoever_may_view(note: CreditNote) -> None:
    answer = client_of("Auditor").get(CreditNotePdf.url(note.pk))

    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'inline; filename="{note.number}.pdf"'
    assert answer.content.startswith(b"%PDF")


def test_pdf_of_a_credit_note_is_refused_without_the_permission(
    note: CreditNote,
) -> None:
    client = client_of("Auditor")
    Group.objects.get(name="Auditor").permissions.remove(
        Permission.objects.get(codename="view_creditnote")
    )

    assert client.get(CreditNotePdf.url(note.pk)).status_code == 403


def test_void_paper_is_given_and_the_other_is_kept(note: CreditNote) -> None:
    void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)
    deliver_all()
    client = client_of("Auditor")

    now = client.get(CreditNotePdf.url(note.pk)).content
    before = client.get(CreditNotePdf.url(note.pk) + "?paper=issued").content
    page = client.get(page_of(note)).content.decode()

    assert b"Void since" in now
    assert b"Void since" not in before
    assert "Had lowered what was due" in page
    assert "?paper=issued" in page
    assert "The paper marked void" in page


def test_credit_that_waits_offers_no_pdf_and_says_why(invoice: Invoice) -> None:
    CreditLimit.objects.create(
        legal_entity=invoice.legal_entity, currency=invoice.currency, amount=1
    )
    waiting = credit_invoice(
        invoice=invoice, reason="Less", actor=None, today=TODAY, amount=Decimal(5)
    )
    client = client_of("Auditor")

    page = client.get(page_of(waiting)).content.decode()
    answer = client.get(CreditNotePdf.url(waiting.pk), follow=True)

    assert CreditNotePdf.url(waiting.pk) not in page
    assert b"was not issued, so there is no paper of it" in answer.content


def test_m7_what_hinders_the_paper_is_said_on_the_page(
    note: CreditNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(html: str) -> bytes:
        raise PangoMissing

    monkeypatch.setattr(credit_documents, "render", fail)
    void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)

    answer = client_of("Auditor").get(CreditNotePdf.url(note.pk), follow=True)

    assert b"apt-get install" in answer.content


def test_list_of_credit_notes_leads_to_the_papers(note: CreditNote) -> None:
    page = client_of("Auditor").get("/admin/invoicing/creditnote/").content.decode()

    assert f'href="{CreditNotePdf.url(note.pk)}"' in page
    assert "Mail sent" in page


def test_d2_old_revisions_are_listed_with_their_papers(invoice: Invoice) -> None:
    client = client_of("Finance clerk")
    confirm(
        client,
        EditAddress.url(invoice.pk),
        name="Customer Ltd",
        line1="New Street 2",
        city="Springfield",
        country="US",
        reason="Moved",
    )

    page = client.get(page_of(invoice)).content.decode()
    old = client.get(InvoicePdf.url(invoice.pk) + "?revision=1")

    assert f"{InvoicePdf.url(invoice.pk)}?revision=1" in page
    assert old.content == b"%PDF 1"
    assert client.get(InvoicePdf.url(invoice.pk)).content == b"%PDF 2"
    for unknown in ("3", "0", "x", "9" * 30):
        url = f"{InvoicePdf.url(invoice.pk)}?revision={unknown}"
        assert client.get(url).status_code == 404


def test_d2_the_new_address_leads_on_to_sending(invoice: Invoice) -> None:
    answer = confirm(
        client_of("Finance clerk"),
        EditAddress.url(invoice.pk),
        name="Customer Ltd",
        line1="New Street 2",
        city="Springfield",
        country="US",
        reason="Moved",
    )

    page = client_of("Finance clerk").get(answer.url)
    assert answer.status_code == 302
    assert SendInvoiceAgain.url(invoice.pk).encode() in page.content


@pytest.mark.parametrize("action", SENDING)
def test_form_begins_with_where_the_bill_group_is_mailed(
    note: CreditNote, action: Any
) -> None:
    page = client_of("Finance clerk").get(action.url(subject_of(action, note).pk))

    assert f'value="{TO}"' in page.content.decode()


@pytest.mark.parametrize("action", SENDING)
def test_review_names_recipient_paper_and_what_was_sent(
    note: CreditNote, action: Any
) -> None:
    url = action.url(subject_of(action, note).pk)

    page = client_of("Finance clerk").post(
        url, {**ANSWERS, "recipient": "else@customer.example"}
    )

    to, paper, sent = page.context["review"].figures
    assert to.note == "else@customer.example"
    assert paper.note.startswith(
        "revision 1 of " if action is SendInvoiceAgain else "on INV-"
    )
    assert sent.value == "1 mail"
    assert f"The bill group is mailed at {TO}." in page.content.decode()
    assert Delivery.objects.filter(sending=2).count() == 0


@pytest.mark.parametrize("action", SENDING)
def test_confirmed_it_is_mailed_once_however_often_it_is_clicked(
    note: CreditNote, action: Any
) -> None:
    client = client_of("Finance clerk")
    subject = subject_of(action, note)
    url = action.url(subject.pk)
    review = client.post(url, ANSWERS).context["review"]
    click = {**ANSWERS, "_confirm": "1", "_reviewed": review.fingerprint}

    first: Any = client.post(url, click)
    second: Any = client.post(url, click)
    deliver_all()

    assert first.status_code == second.status_code == 302
    assert first.url == second.url == page_of(subject)
    (message,) = mail.outbox
    assert message.to == [TO]
    event = AuditEvent.objects.get(code="delivery.sent_again")
    assert event.reason == "The customer lost it"
    page = client.get(first.url).content.decode()
    assert f"is queued to be mailed to {TO}." in page
    assert "sending 2" in page


@pytest.mark.parametrize("action", SENDING)
def test_page_from_before_someone_else_sent_it_is_shown_again(
    note: CreditNote, action: Any
) -> None:
    stale, quick = client_of("Finance clerk"), client_of("Finance manager")
    url = action.url(subject_of(action, note).pk)
    review: Any = stale.post(url, ANSWERS).context["review"]
    click = {**ANSWERS, "_confirm": "1", "_reviewed": review.fingerprint}
    assert quick.post(url, click).status_code == 302

    page: Any = stale.post(url, click)

    assert page.context["has_changed"]
    assert AuditEvent.objects.filter(code="delivery.sent_again").count() == 1


@pytest.mark.parametrize("action", SENDING)
@pytest.mark.parametrize("to", ["", "nobody", "a@b.example,c@d.example"])
def test_no_address_is_asked_again(note: CreditNote, action: Any, to: str) -> None:
    url = action.url(subject_of(action, note).pk)

    page = client_of("Finance clerk").post(url, {**ANSWERS, "recipient": to})

    assert page.context["is_asking"]
    assert "recipient" in page.context["form"].errors


@pytest.mark.parametrize("action", SENDING)
def test_f3_group_without_mail_is_refused_with_the_advice(
    note: CreditNote, action: Any
) -> None:
    BillGroup.objects.update(delivery="PORTAL", portal=ariba())
    subject = subject_of(action, note)
    client = client_of("Finance clerk")

    page = client.post(action.url(subject.pk), {**ANSWERS, "_confirm": "1"})

    assert page.status_code == 409
    assert b"gets no mail: its delivery is portal" in page.content
    assert action.url(subject.pk) not in client.get(page_of(subject)).content.decode()


@pytest.mark.parametrize("action", SENDING)
@pytest.mark.parametrize("role", [*ROLES, "Administrator"])
def test_roles_are_refused_on_the_server(
    note: CreditNote, action: Any, role: str
) -> None:
    """Section 9: clerks and managers send, support and auditors do not."""
    url = action.url(subject_of(action, note).pk)
    may = role in {"Finance clerk", "Finance manager", "Administrator"}

    answer = client_of(role).post(url, {**ANSWERS, "_confirm": "1"})

    assert answer.status_code == (200 if may else 403)
    assert not Delivery.objects.filter(sending=2).exists()


def test_list_of_deliveries_leads_to_both_kinds_of_documents(note: CreditNote) -> None:
    page = client_of("Auditor").get("/admin/invoicing/delivery/").content.decode()

    assert f'href="{page_of(note)}"' in page
    assert f'href="{page_of(note.invoice)}"' in page
