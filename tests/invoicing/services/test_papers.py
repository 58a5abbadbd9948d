"""What stands on an invoice is what was stored, whatever characters it is made of."""

from datetime import date

import pytest

from invoicing.models import Invoice
from invoicing.services.generation import run_invoicing
from tests.books import broken_invariants, sold
from tests.factories import (
    AccountFactory,
    BillGroupFactory,
    ProductFactory,
    tax_rate,
)

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
TEXTS = {
    "tab": "Seats\tand desks",
    "line_break": "Seats\r\nand desks",
    "backslash": r"Seats \N and \. and C:\new",
    "quotes": 'Seats "and" desks, it\'s',
    "braces_and_percent": "{Seats} %s 100 %",
    "umlauts_and_signs": "Müller & Söhne, 株式会社 \u2028 \u00a0",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_m7_texts_arrive_on_the_invoice_as_they_were_written(text: str) -> None:
    account = AccountFactory.create(name=text, address_line1=text, tax_id=text[:15])
    group = BillGroupFactory.create(account=account, po_number=text, email=text)
    line = {
        "product": ProductFactory.create(name=text),
        "description": text,
        "tax_rate": tax_rate("19", name=text),
    }
    sold(today=JAN_1, lines=[line], bill_group=group, number=text)

    run_invoicing(as_of=JAN_1)

    invoice = Invoice.objects.get()
    assert invoice.bill_to["name"] == invoice.bill_to["line1"] == text
    assert (invoice.po_number, invoice.tax_id) == (text, text[:15])
    assert [tax["name"] for tax in invoice.taxes] == [text]
    printed = invoice.lines.get()
    assert printed.contract_number == text
    assert (printed.product_name, printed.description, printed.tax_name) == (
        (text,) * 3
    )
    assert invoice.deliveries.get().recipient == text
    assert broken_invariants() == []
