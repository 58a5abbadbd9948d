"""Invoices to print: what they store, without the run that makes them."""

from datetime import date
from decimal import Decimal
from typing import Any

from billing.models import BillGroup
from invoicing.models import Delivery, Invoice, InvoiceLine
from tests.factories import BillGroupFactory

SELLER = {
    "name": "Nordhaven Systems GmbH",
    "line1": "Kai 4",
    "line2": "",
    "city": "Hamburg",
    "region": "",
    "postal_code": "20457",
    "country": "DE",
    "tax_id": "DE136695976",
    "email": "billing@nordhaven.example",
    "iban": "DE89370400440532013000",
    "bic": "COBADEFFXXX",
    "payment_instructions": "",
}
BILL_TO = {
    "name": "Halden Robotics GmbH",
    "line1": "Werftstrasse 12",
    "line2": "",
    "city": "Kiel",
    "region": "",
    "postal_code": "24143",
    "country": "DE",
}


def draft_invoice(lines: int = 1, **fields: Any) -> Invoice:
    """Make a draft of 16,350.60 EUR with some lines of 36.00."""
    group: BillGroup = BillGroupFactory.create(currency=fields.get("currency", "EUR"))
    values: dict[str, Any] = {
        "status": "DRAFT",
        "bill_date": date(2026, 3, 1),
        "net_terms": 30,
        "currency": "EUR",
        "subtotal": Decimal("13740.00"),
        "tax": Decimal("2610.60"),
        "total": Decimal("16350.60"),
        "full_price_subtotal": Decimal("13740.00"),
        "taxes": [
            {"name": "VAT", "percent": "19", "taxable": "13740.00", "tax": "2610.60"}
        ],
        "bill_to": BILL_TO,
        "seller": SELLER,
        "po_number": "4500123987",
        "tax_id": "DE287410556",
        "language": "en",
        "printed_fields": [{"label": "Cost centre", "value": "4410"}],
    }
    invoice = Invoice.objects.create(
        legal_entity=group.legal_entity,
        account=group.account,
        bill_group=group,
        **(values | fields),
    )
    for position in range(1, lines + 1):
        add_line(invoice, position=position)
    return invoice


def add_line(invoice: Invoice, **fields: Any) -> InvoiceLine:
    """Add a line of 1 x 36.00 to a draft."""
    values: dict[str, Any] = {
        "position": 1,
        "contract_number": "C-2025-0192",
        "product_name": "Robot seats",
        "period_start": date(2026, 3, 1),
        "period_end": date(2026, 3, 31),
        "quantity": Decimal(1),
        "unit_price": Decimal(36),
        "discount_percent": Decimal(0),
        "amount": Decimal("36.00"),
        "tax_name": "VAT",
        "tax_percent": Decimal(19),
    }
    return InvoiceLine.objects.create(invoice=invoice, **(values | fields))


def issue(invoice: Invoice) -> Invoice:
    """Give a draft its number, as the issuing service would."""
    invoice.sequence = 412 + invoice.pk
    invoice.number = f"NH-2026-{invoice.sequence:06d}"
    invoice.issue_date = date(2026, 3, 2)
    invoice.due_date = date(2026, 4, 1)
    invoice.status = "OPEN" if invoice.total else "PAID"
    invoice.save()
    invoice.refresh_from_db()
    return invoice


def issued_invoice(lines: int = 1, **fields: Any) -> Invoice:
    """Make an issued invoice."""
    return issue(draft_invoice(lines, **fields))


def paper_delivery(invoice: Invoice, *, recipient: str = "") -> Delivery:
    """Queue the paper of an invoice as the issuing transaction does."""
    return Delivery.objects.create(invoice=invoice, kind="PDF", recipient=recipient)
