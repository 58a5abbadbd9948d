"""Deliveries: papers made and mails sent, each once, however often it fails (M7)."""

import smtplib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from billing.models import AuditEvent
from invoicing.models import Delivery, Invoice, InvoiceRevision
from invoicing.services import delivery as deliveries
from invoicing.services import documents
from invoicing.services.delivery import (
    LEASE,
    MOST_ATTEMPTS,
    PAUSES,
    DeliveryNotFailed,
    claim_delivery,
    deliver_next,
    retry_delivery,
)
from invoicing.services.mail import invoice_message, message_id
from invoicing.services.rendering import GlyphsMissing, PangoMissing
from tests.factories import UserFactory
from tests.invoicing.services.printed import issued_invoice, paper_delivery

pytestmark = pytest.mark.django_db
TO = "ap@halden.example"


@pytest.fixture(autouse=True)
def quick_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "render", lambda html: b"%PDF-1.7 quick")


def failing(fault: Exception) -> Callable[..., Any]:
    def fail(*args: object, **options: object) -> None:
        raise fault

    return fail


def due_again(delivery: Delivery) -> None:
    """Let the pause of a delivery be over."""
    Delivery.objects.filter(pk=delivery.pk).update(not_before=Now())


def deliver_all() -> int:
    done = 0
    while deliver_next() is not None:
        done += 1
    return done


def frozen(invoice: Invoice) -> dict[str, Any]:
    """Return the invoice's row, but for the pointer to its paper."""
    row = Invoice.objects.filter(pk=invoice.pk).values().get()
    return {**row, "current_revision_id": None}


def test_paper_is_made_and_the_delivery_done() -> None:
    invoice = issued_invoice()
    delivery = paper_delivery(invoice)

    assert deliver_all() == 1

    delivery.refresh_from_db()
    assert delivery.state == "SENT"
    assert delivery.done_at is not None
    assert delivery.leased_until is None
    assert InvoiceRevision.objects.get().invoice == invoice
    assert mail.outbox == []


def test_paper_with_a_recipient_is_mailed() -> None:
    """G11."""
    invoice = issued_invoice()
    paper_delivery(invoice, recipient=TO)

    assert deliver_all() == 2

    (message,) = mail.outbox
    assert message.to == [TO]
    assert message.subject == f"Invoice {invoice.number} from Nordhaven Systems GmbH"
    assert "Nordhaven Systems GmbH" in message.from_email
    assert message.reply_to == ["billing@nordhaven.example"]
    assert "16,350.60\u00a0EUR by 1 Apr 2026" in message.body
    assert "DE89 3704 0044 0532 0130 00" in message.body
    (attachment,) = message.attachments
    assert tuple(attachment) == (
        f"{invoice.number}.pdf",
        b"%PDF-1.7 quick",
        "application/pdf",
    )
    sent = Delivery.objects.get(kind="EMAIL")
    assert sent.state == "SENT"
    assert sent.recipient == TO


def test_without_a_recipient_no_mail_is_sent() -> None:
    """G11: portal and none."""
    paper_delivery(issued_invoice(), recipient="")

    deliver_all()

    assert mail.outbox == []
    assert not Delivery.objects.filter(kind="EMAIL").exists()


def test_done_deliveries_are_not_done_again() -> None:
    paper_delivery(issued_invoice(), recipient=TO)

    deliver_all()

    assert deliver_all() == 0
    assert len(mail.outbox) == 1


def test_message_id_is_fixed_by_invoice_and_revision() -> None:
    invoice = issued_invoice()
    revision = documents.ensure_revision(invoice=invoice)
    second = documents.store_revision(
        invoice=invoice, revision=2, bill_to=invoice.bill_to, pdf=b"%PDF-2"
    )

    first_id = invoice_message(invoice, revision, recipient=TO).message()["Message-ID"]

    again = invoice_message(invoice, revision, recipient="else@example.com")
    assert again.message()["Message-ID"] == first_id
    assert message_id(invoice, second) != first_id
    assert first_id == f"<invoice-{invoice.pk}-1@localhost>"


def test_names_can_not_add_headers_to_the_mail() -> None:
    invoice = issued_invoice(
        seller={"name": "Evil\r\nBcc: all@example.com", "email": ""}
    )

    paper_delivery(invoice, recipient=TO)
    deliver_all()

    (message,) = mail.outbox
    assert message.recipients() == [TO]
    assert "Bcc" not in message.message()


def test_attempt_is_counted_and_leased_before_the_work_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Delivery] = []
    monkeypatch.setattr(
        deliveries, "_make_paper", lambda row: seen.append(Delivery.objects.get())
    )
    paper_delivery(issued_invoice())

    deliver_next()

    (during,) = seen
    assert during.attempts == 1
    assert during.leased_until is not None
    assert during.leased_until > timezone.now()


def test_failing_paper_waits_longer_each_time_and_fails_after_six(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M7."""
    monkeypatch.setattr(documents, "render", failing(ValueError("no ink")))
    invoice = issued_invoice()
    before = frozen(invoice)
    delivery = paper_delivery(invoice, recipient=TO)

    pauses = []
    for _ in range(MOST_ATTEMPTS):
        due_again(delivery)
        assert deliver_all() == 1
        delivery.refresh_from_db()
        pauses.append(delivery.not_before - timezone.now())

    assert delivery.state == "FAILED"
    assert delivery.attempts == 6
    assert "no ink" in delivery.last_error
    assert [round(pause / timedelta(minutes=1)) for pause in pauses[:-1]] == [
        1,
        5,
        15,
        60,
        240,
    ]
    due_again(delivery)
    assert deliver_all() == 0
    assert frozen(invoice) == before
    assert mail.outbox == []


def test_failing_delivery_is_recorded_once_and_named_in_the_audit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M5."""
    monkeypatch.setattr(documents, "render", failing(ValueError("no ink")))
    invoice = issued_invoice()
    delivery = paper_delivery(invoice)

    for _ in range(MOST_ATTEMPTS):
        due_again(delivery)
        deliver_all()

    event = AuditEvent.objects.get(code="delivery.failed")
    assert event.invoice_id == invoice.pk
    assert "no ink" in event.reason
    assert (event.before["state"], event.after["state"]) == ("QUEUED", "FAILED")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        pytest.param(
            smtplib.SMTPRecipientsRefused({TO: (550, b"unknown")}),
            f"The mail server refused the recipient {TO}.",
            id="unknown_recipient",
        ),
        pytest.param(
            smtplib.SMTPAuthenticationError(535, b"no"),
            "The mail server refused our user name or password (EMAIL_URL).",
            id="wrong_password",
        ),
        pytest.param(
            ConnectionRefusedError(111, "Connection refused"),
            "The mail server could not be reached or did not answer",
            id="no_server",
        ),
        pytest.param(
            RuntimeError("odd"), "The mail could not be sent", id="something_else"
        ),
    ],
)
def test_failing_mail_says_why_and_touches_nothing_else(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, sentence: str
) -> None:
    """M7."""
    monkeypatch.setattr(EmailMessage, "send", failing(fault))
    invoice = issued_invoice()
    before = frozen(invoice)
    paper = paper_delivery(invoice, recipient=TO)

    assert deliver_all() == 2

    paper.refresh_from_db()
    letter = Delivery.objects.get(kind="EMAIL")
    assert paper.state == "SENT"
    assert letter.state == "QUEUED"
    assert letter.attempts == 1
    assert letter.not_before > timezone.now()
    assert letter.last_error.startswith(sentence)
    assert frozen(invoice) == before


def test_one_that_fails_does_not_stop_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M7."""
    bad, good = issued_invoice(), issued_invoice()
    for invoice in (bad, good):
        paper_delivery(invoice)

    def render(html: str) -> bytes:
        if str(bad.number) in html:
            raise ValueError("no ink")
        return b"%PDF-"

    monkeypatch.setattr(documents, "render", render)

    assert deliver_all() == 2

    assert InvoiceRevision.objects.get().invoice == good


def test_mail_that_recovers_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    paper_delivery(issued_invoice(), recipient=TO)
    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", failing(OSError("down")))
        deliver_all()

    due_again(Delivery.objects.get(kind="EMAIL"))
    deliver_all()

    letter = Delivery.objects.get(kind="EMAIL")
    assert len(mail.outbox) == 1
    assert letter.state == "SENT"
    assert letter.last_error == ""
    assert AuditEvent.objects.filter(code="delivery.sent").count() == 1


def test_leased_delivery_is_left_to_its_worker() -> None:
    paper_delivery(issued_invoice())

    mine = claim_delivery()

    assert mine is not None
    assert claim_delivery() is None


def test_delivery_of_a_dead_worker_is_claimed_when_its_lease_is_over() -> None:
    delivery = paper_delivery(issued_invoice())
    claim_delivery()
    Delivery.objects.update(leased_until=Now() - timedelta(seconds=1))

    again = claim_delivery()

    assert again == delivery
    assert again is not None
    assert again.attempts == 2
    assert timedelta(minutes=10) < LEASE


def test_delivery_that_kills_its_workers_comes_to_its_end() -> None:
    """G13, for papers: six workers died, a seventh is not given to it."""
    delivery = paper_delivery(issued_invoice())
    Delivery.objects.update(
        attempts=MOST_ATTEMPTS, leased_until=Now() - timedelta(seconds=1)
    )

    assert deliver_next() is None

    delivery.refresh_from_db()
    assert delivery.state == "FAILED"
    assert "its worker was stopped" in delivery.last_error
    assert not InvoiceRevision.objects.exists()


def test_worker_that_lost_its_lease_records_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that slept past its lease must not undo what another has recorded."""
    delivery = paper_delivery(issued_invoice())

    def lose_the_lease(row: Delivery) -> None:
        Delivery.objects.filter(pk=row.pk).update(attempts=row.attempts + 1)
        raise ValueError("woke up too late")

    monkeypatch.setattr(deliveries, "_make_paper", lose_the_lease)

    deliver_next()

    delivery.refresh_from_db()
    assert delivery.last_error == ""
    assert delivery.attempts == 2


def test_missing_pango_costs_no_attempt_and_stops_no_mail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M7."""
    with_paper = issued_invoice()
    documents.ensure_revision(invoice=with_paper)
    Delivery.objects.create(invoice=with_paper, kind="EMAIL", recipient=TO)
    papers = [paper_delivery(issued_invoice()) for _ in range(3)]
    monkeypatch.setattr(documents, "render", failing(PangoMissing()))

    deliver_all()

    assert len(mail.outbox) == 1
    for paper in papers:
        paper.refresh_from_db()
        assert paper.state == "QUEUED"
        assert paper.attempts == 0
        assert "apt-get install" in paper.last_error
        assert paper.not_before > timezone.now()


def test_missing_font_lets_its_own_paper_wait_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M7: it costs no attempt, and the papers that need no such font are made."""
    without_font = paper_delivery(issued_invoice(bill_to={"name": "\U000120fb"}))
    other = paper_delivery(issued_invoice())

    def render(html: str) -> bytes:
        if "\U000120fb" in html:
            raise GlyphsMissing("\U000120fb")
        return b"%PDF-1.7 quick"

    monkeypatch.setattr(documents, "render", render)

    deliver_all()

    without_font.refresh_from_db()
    other.refresh_from_db()
    assert (without_font.state, without_font.attempts) == ("QUEUED", 0)
    assert without_font.last_error.startswith("No font on this machine has \U000120fb")
    assert without_font.not_before > timezone.now()
    assert other.state == "SENT"


def test_failed_delivery_is_retried_by_hand_with_all_its_attempts() -> None:
    """M5, M7."""
    clerk: User = UserFactory.create(username="mara")
    delivery = paper_delivery(issued_invoice(), recipient=TO)
    Delivery.objects.update(
        state="FAILED", attempts=6, not_before=Now() + timedelta(days=1)
    )

    retry_delivery(delivery=delivery, actor=clerk)
    deliver_all()

    assert len(mail.outbox) == 1
    event = AuditEvent.objects.get(code="delivery.retried")
    assert event.actor_name == "mara"
    assert (event.before["state"], event.after["state"]) == ("FAILED", "QUEUED")


@pytest.mark.parametrize("state", ["QUEUED", "SENT"])
def test_only_a_failed_delivery_is_retried(state: str) -> None:
    clerk: User = UserFactory.create()
    delivery = paper_delivery(issued_invoice())
    Delivery.objects.update(state=state)

    with pytest.raises(DeliveryNotFailed):
        retry_delivery(delivery=delivery, actor=clerk)

    assert not AuditEvent.objects.filter(code="delivery.retried").exists()


def test_pauses_add_up_to_a_working_day() -> None:
    assert sum(PAUSES, timedelta()) == timedelta(hours=5, minutes=21)
    assert MOST_ATTEMPTS == 6


@pytest.mark.django_db(transaction=True)
def test_many_workers_make_each_paper_and_send_each_mail_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M7."""
    rendered: list[str] = []
    sent: list[str] = []

    def render(html: str) -> bytes:
        rendered.append(html)
        return b"%PDF-"

    monkeypatch.setattr(documents, "render", render)
    monkeypatch.setattr(
        EmailMessage, "send", lambda message: sent.append(message.subject)
    )
    for _ in range(12):
        paper_delivery(issued_invoice(), recipient=TO)

    def work(_: int) -> int:
        try:
            return deliver_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as workers:
        done = sum(workers.map(work, range(6)))
    done += deliver_all()

    assert done == 24
    assert len(rendered) == len(set(rendered)) == 12
    assert len(sent) == len(set(sent)) == 12
    assert set(Delivery.objects.values_list("state", "attempts")) == {("SENT", 1)}
