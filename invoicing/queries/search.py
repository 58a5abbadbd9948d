"""Finding invoices by what is printed on them, with indexes only.

A number is found as it is written, in capitals, or by its digits alone; a PO number by
the bill groups that have it now.
"""

from django.db.models import Q, QuerySet

from billing.models import LegalEntity
from billing.queries import bill_groups_by_po_number
from invoicing.models import Invoice

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


def _is_number(text: str) -> Q:
    text = text.strip()
    found = Q(number__in={text, text.upper()})
    if text.isascii() and text.isdigit() and int(text) <= LARGEST_SEQUENCE:
        entities = list(LegalEntity.objects.values_list("pk", flat=True))
        found |= Q(legal_entity__in=entities, sequence=int(text))
    return found
