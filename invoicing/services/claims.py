"""Lock invoices and store what became of their claims (A5, M4).

What is paid, applied and credited is kept on the invoice, with the status it leads to,
in the transaction that writes its reason: payment, balance use or credit note.
"""

from collections.abc import Collection

from invoicing.domain.credit import Claim
from invoicing.models import Invoice

CLAIM_FIELDS = ("paid", "balance_applied", "credited_due", "credited_paid")


def lock_invoices(invoice_ids: Collection[int]) -> dict[int, Invoice]:
    """Lock invoices in the order of their ids; returns them as they are now."""
    rows = Invoice.objects.filter(pk__in=list(invoice_ids)).order_by("pk")
    return {
        invoice.pk: invoice
        for invoice in rows.select_for_update(no_key=True, of=("self",))
    }


def store_claim(invoice: Invoice, claim: Claim) -> None:
    """Store a claim on its locked invoice, and the status it leads to."""
    for name in CLAIM_FIELDS:
        setattr(invoice, name, getattr(claim, name))
    invoice.status = claim.status.value
    invoice.save(update_fields=[*CLAIM_FIELDS, "status"])
