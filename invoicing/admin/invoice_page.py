"""What the page of one invoice shows: lines, parties, papers, history, its plan."""

from datetime import date
from decimal import Decimal
from typing import Any

from contracts.choices import CHARGE_STATES
from customfields.display import shown_copies, shown_values
from customfields.domain.definition import FieldObject
from customfields.queries import definitions
from invoicing.display import delivery_rows, invoice_badge, superseded_badge
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice


def invoice_context(invoice: Invoice, *, today: date) -> dict[str, Any]:
    """Return what the page of an invoice shows, read `with_superseded`."""
    revision = invoice.current_revision
    lines = list(invoice.lines.select_related("charge").order_by("position"))
    return {
        "invoice": invoice,
        "status_badge": invoice_badge(invoice, today),
        "bill_to": revision.bill_to if revision else invoice.bill_to,
        "lines": lines,
        "plan": [
            (line, CHARGE_STATES.badge(line.charge.state))
            for line in lines
            if line.charge is not None
        ],
        "superseded_badge": superseded_badge(invoice),
        "left_to_credit": invoice.total - invoice.credited_due - invoice.credited_paid,
        "replacement": invoice.replacements.exclude(status=InvoiceStatus.VOID).first(),
        "taxes": [
            {
                "name": tax["name"],
                "percent": Decimal(tax["percent"]),
                "taxable": Decimal(tax["taxable"]),
                "tax": Decimal(tax["tax"]),
            }
            for tax in invoice.taxes
        ],
        "printed_fields": shown_copies(invoice.printed_fields),
        "own_fields": shown_values(
            definitions(FieldObject.INVOICE), invoice.custom_fields
        ),
        "deliveries": delivery_rows(invoice.deliveries.order_by("pk")),
        "revisions": list(
            invoice.revisions.defer("pdf", "bill_to").order_by("-revision")
        ),
    }
