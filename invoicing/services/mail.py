"""The mail that brings an invoice to its customer.

Its Message-ID names the invoice and the revision of its paper: should a worker die
between sending and noting it, the second mail is the same message to whoever gets it.
"""

import re
import smtplib
from dataclasses import dataclass
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from invoicing.models import Invoice, InvoiceRevision
from invoicing.services.sheet import compose_sheet
from invoicing.services.wording import Writer

TEMPLATE = "invoicing/documents/invoice_mail.txt"
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The words around a paper, in the language of its account."""

    subject: str
    greeting: str
    opening: str
    closing: str


def invoice_message(
    invoice: Invoice, revision: InvoiceRevision, *, recipient: str
) -> EmailMessage:
    """Return the mail with an issued invoice's paper attached, ready to be sent."""
    sheet = compose_sheet(invoice)
    write = Writer.of(invoice.language, invoice.currency)
    letter = Letter(
        subject=write.say(
            "{title} from {name}", title=sheet.title, name=sheet.seller.name
        ),
        greeting=write.say("Dear Sir or Madam,"),
        opening=write.say(
            "please find attached {title} over {amount}.",
            title=sheet.title,
            amount=sheet.total,
        ),
        closing=write.say("With kind regards"),
    )
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    reply_to = invoice.seller.get("email", "")
    message = EmailMessage(
        subject=letter.subject.replace("\n", " "),
        body=render_to_string(TEMPLATE, {"sheet": sheet, "letter": letter}),
        from_email=formataddr((sheet.seller.name.replace("\n", " "), sender)),
        to=[recipient],
        reply_to=[reply_to] if reply_to else None,
        headers={
            "Message-ID": message_id(invoice, revision),
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach(file_name(invoice), bytes(revision.pdf), "application/pdf")
    return message


def message_id(invoice: Invoice, revision: InvoiceRevision) -> str:
    """Return the one Message-ID of an invoice's revision."""
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<invoice-{invoice.pk}-{revision.revision}@{host}>"


def file_name(invoice: Invoice) -> str:
    """Return the name of an invoice's PDF, safe on every system.

    >>> file_name(Invoice(number="NH/2026/000412"))
    'NH-2026-000412.pdf'
    """
    return f"{_NOT_IN_FILE_NAMES.sub('-', str(invoice)).strip('-.')}.pdf"


def refusal_sentence(fault: Exception, *, recipient: str) -> str:
    """Say why a mail could not be sent and what helps, for finance staff."""
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        return (
            f"The mail server refused the recipient {recipient}. Correct the address "
            "on the bill group, and send this invoice by hand."
        )
    if isinstance(fault, smtplib.SMTPAuthenticationError):
        return "The mail server refused our user name or password (EMAIL_URL)."
    if isinstance(fault, OSError):
        return f"The mail server could not be reached or did not answer ({fault})."
    return f"The mail could not be sent ({type(fault).__name__}: {fault})."
