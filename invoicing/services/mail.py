"""The mails that bring invoices and credit notes to their customers.

A Message-ID names the document, the revision of its paper and the sending: should a
worker die between sending and noting it, the second mail is the same message to whoever
gets it. What a person sends again is another message, or a mailbox would drop it.
"""

import re
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from invoicing.models import (
    CreditNote,
    CreditNoteRevision,
    Invoice,
    InvoiceRevision,
)
from invoicing.services.sheet import compose_sheet
from invoicing.services.sheet_credit import compose_credit_sheet
from invoicing.services.sheet_frame import Frame
from invoicing.services.wording import Writer

TEMPLATE = "invoicing/documents/mail.txt"
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The words around a paper, in the language of its account."""

    subject: str
    greeting: str
    opening: str
    lines: tuple[str, ...]
    closing: str
    sender: str


def invoice_message(
    invoice: Invoice, revision: InvoiceRevision, *, recipient: str, sending: int = 1
) -> EmailMessage:
    """Return the mail with an issued invoice's paper attached, ready to be sent."""
    sheet = compose_sheet(invoice)
    write = Writer.of(invoice.language, invoice.currency)
    opening = write.say(
        "please find attached {title} over {amount}.",
        title=sheet.frame.title,
        amount=sheet.total,
    )
    facts = (f"{fact.label}: {fact.value}" for block in sheet.payment for fact in block)
    letter = _letter(write, sheet.frame, opening, (sheet.claim, *facts))
    return _message(
        letter,
        seller_mail=invoice.seller.get("email", ""),
        recipient=recipient,
        message_id=message_id(invoice, revision, sending=sending),
        file=(file_name(invoice), bytes(revision.pdf)),
    )


def credit_note_message(
    note: CreditNote, paper: CreditNoteRevision, *, recipient: str, sending: int = 1
) -> EmailMessage:
    """Return the mail with an issued credit note's paper attached, ready to be sent."""
    sheet = compose_credit_sheet(note)
    write = Writer.of(note.invoice.language, note.currency)
    if note.is_void:
        opening = write.say(
            "please note that {title} over {amount}, attached, is void.",
            title=sheet.frame.title,
            amount=sheet.total,
        )
    else:
        opening = write.say(
            "please find attached {title} over {amount}.",
            title=sheet.frame.title,
            amount=sheet.total,
        )
    letter = _letter(write, sheet.frame, opening, sheet.claims)
    return _message(
        letter,
        seller_mail=note.seller.get("email", ""),
        recipient=recipient,
        message_id=credit_message_id(paper, sending=sending),
        file=(file_name(note), bytes(paper.pdf)),
    )


def _letter(write: Writer, frame: Frame, opening: str, lines: Sequence[str]) -> Letter:
    return Letter(
        subject=write.say(
            "{title} from {name}", title=frame.title, name=frame.seller.name
        ),
        greeting=write.say("Dear Sir or Madam,"),
        opening=opening,
        lines=tuple(lines),
        closing=write.say("With kind regards"),
        sender=frame.seller.name,
    )


def _message(
    letter: Letter,
    *,
    seller_mail: str,
    recipient: str,
    message_id: str,
    file: tuple[str, bytes],
) -> EmailMessage:
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    message = EmailMessage(
        subject=letter.subject.replace("\n", " "),
        body=render_to_string(TEMPLATE, {"letter": letter}),
        from_email=formataddr((letter.sender.replace("\n", " "), sender)),
        to=[recipient],
        reply_to=[seller_mail] if seller_mail else None,
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach(*file, "application/pdf")
    return message


def message_id(invoice: Invoice, revision: InvoiceRevision, *, sending: int = 1) -> str:
    """Return the one Message-ID of a sending of an invoice's revision."""
    return _id(f"invoice-{invoice.pk}-{revision.revision}", sending)


def credit_message_id(paper: CreditNoteRevision, *, sending: int = 1) -> str:
    """Return the one Message-ID of a sending of a credit note's paper."""
    return _id(f"credit-{paper.pk}", sending)


def _id(paper: str, sending: int) -> str:
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    again = f"-{sending}" if sending > 1 else ""
    return f"<{paper}{again}@{host}>"


def file_name(document: Invoice | CreditNote) -> str:
    """Return the name of a document's PDF, safe on every system.

    >>> file_name(Invoice(number="NH/2026/000412"))
    'NH-2026-000412.pdf'
    """
    return f"{_NOT_IN_FILE_NAMES.sub('-', str(document)).strip('-.')}.pdf"


def refusal_sentence(fault: Exception, *, recipient: str) -> str:
    """Say why a mail could not be sent and what helps, for finance staff."""
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        return (
            f"The mail server refused the recipient {recipient}. Correct the address "
            "on the bill group, and send the document again from its page."
        )
    if isinstance(fault, smtplib.SMTPAuthenticationError):
        return "The mail server refused our user name or password (EMAIL_URL)."
    if isinstance(fault, OSError):
        return f"The mail server could not be reached or did not answer ({fault})."
    return f"The mail could not be sent ({type(fault).__name__}: {fault})."
