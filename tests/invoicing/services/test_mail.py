"""The mail with an invoice, in the language of its account."""

import pytest

from invoicing.models import InvoiceRevision
from invoicing.services.mail import invoice_message
from tests.invoicing.services.printed import issued_invoice

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("en", "Invoice {} from ", ("Dear Sir or Madam,", "Please pay", "IBAN: DE89")),
        ("de", "Rechnung {} von ", ("Sehr geehrte Damen", "16.350,60", "IBAN: DE89")),
        ("fr", "Facture {} de ", ("Madame, Monsieur,", "16\u00a0350,60", "IBAN: DE89")),
        ("es", "Factura {} de ", ("16.350,60", "IBAN: DE89")),
    ],
)
def test_mail_is_in_the_language_of_its_account(
    language: str, subject: str, words: tuple[str, ...]
) -> None:
    invoice = issued_invoice(language=language)

    message = invoice_message(invoice, InvoiceRevision(revision=1), recipient="a@b.ex")

    assert message.subject.startswith(subject.format(invoice.number))
    for word in words:
        assert word in message.body
    assert ("Dear Sir" in message.body) == (language == "en")
