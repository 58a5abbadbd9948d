"""What the page of one invoice shows: lines, parties, papers, history, its plan."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from billing.events import event_sentence, event_tone
from billing.models import AuditEvent
from contracts.choices import CHARGE_STATES
from customfields.display import shown_copies, shown_values
from customfields.domain.definition import FieldObject
from customfields.queries import definitions
from invoicing.choices import DELIVERY_KINDS, DELIVERY_STATES
from invoicing.display import invoice_badge
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.claims import superseded_among

EVENTS_SHOWN: Final = 20


def invoice_context(invoice: Invoice, *, today: date) -> dict[str, Any]:
    """Return what the page of an invoice shows."""
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
        "is_superseded": bool(superseded_among([invoice.pk])),
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
        "deliveries": [
            {
                "delivery": delivery,
                "kind": DELIVERY_KINDS.badge(delivery.kind).label,
                "badge": DELIVERY_STATES.badge(delivery.state),
            }
            for delivery in invoice.deliveries.order_by("pk")
        ],
        "revisions": list(
            invoice.revisions.defer("pdf", "bill_to").order_by("-revision")
        ),
        "events": [
            {
                "event": event,
                "sentence": event_sentence(event.code),
                "tone": event_tone(event.code),
            }
            for event in AuditEvent.objects.filter(
                account_id=invoice.account_id, invoice_id=invoice.pk
            ).order_by("-id")[:EVENTS_SHOWN]
        ],
    }
