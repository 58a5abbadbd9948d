"""Finding invoices, credits and payments by what stands on them, by index only.

A number is found as it is written, in capitals, or by its digits alone; a PO number by
the bill groups that have it now.
"""

from django.db.models import Q, QuerySet

from billing.models import LegalEntity
from billing.queries import bill_groups_by_po_number
from invoicing.models import CreditNote, Invoice, Payment, PaymentAllocation

MOST_GROUPS = 500
LARGEST_SEQUENCE = 2**63 - 1


def invoices_by_number(invoices: QuerySet[Invoice], text: str) -> QuerySet[Invoice]:
    """Return the invoices with this number, or with these digits as their sequence."""
    return invoices.filter(_is_number(text))


def search_invoices(invoices: QuerySet[Invoice], text: str) -> QuerySet[Invoice]:
    """Return the invoices with this number, or of bill groups with this PO number."""
    groups = bill_groups_by_po_number(text.strip()).values_list("pk", flat=True)
    found = list(groups[:MOST_GROUPS])  # ids: a subquery beside an OR reads every row
    return invoices.filter(_is_number(text) | Q(bill_group__in=found))


def search_credit_notes(notes: QuerySet[CreditNote], text: str) -> QuerySet[CreditNote]:
    """Return the credit notes with this number, or of the invoice with it."""
    text = text.strip()
    invoices = invoices_by_number(Invoice.objects.all(), text).values_list("pk")
    found = [pk for (pk,) in invoices[:MOST_GROUPS]]
    return notes.filter(Q(number__in={text, text.upper()}) | Q(invoice__in=found))


def search_payments(payments: QuerySet[Payment], text: str) -> QuerySet[Payment]:
    """Return the payments with this reference, or on the invoice with this number."""
    text = text.strip()
    invoices = invoices_by_number(Invoice.objects.all(), text).values_list("pk")
    found = PaymentAllocation.objects.filter(
        invoice__in=[pk for (pk,) in invoices[:MOST_GROUPS]]
    ).values_list("payment", flat=True)
    return payments.filter(Q(reference=text) | Q(pk__in=list(found[:MOST_GROUPS])))


def _is_number(text: str) -> Q:
    text = text.strip()
    found = Q(number__in={text, text.upper()})
    if text.isascii() and text.isdigit() and int(text) <= LARGEST_SEQUENCE:
        entities = list(LegalEntity.objects.values_list("pk", flat=True))
        found |= Q(legal_entity__in=entities, sequence=int(text))
    return found
