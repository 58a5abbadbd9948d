"""Reads about credit notes: the limit of a credit, and what counts against it (A9)."""

from decimal import Decimal

from django.db.models import Sum

from invoicing.domain.states import CreditNoteStatus
from invoicing.models import CreditLimit, CreditNote

COUNTED = (CreditNoteStatus.ISSUED, CreditNoteStatus.TO_APPROVE)


def credit_limit(legal_entity_id: int, currency: str) -> Decimal | None:
    """Return the most that nobody has to approve in a currency; None: no limit."""
    return (
        CreditLimit.objects.filter(legal_entity=legal_entity_id, currency=currency)
        .values_list("amount", flat=True)
        .first()
    )


def unapproved_credits(invoice_id: int) -> Decimal:
    """Return what the credits of an invoice that nobody approved come to."""
    unapproved = CreditNote.objects.filter(
        invoice=invoice_id, status__in=COUNTED, decided_by_name=""
    ).aggregate(sum=Sum("total", default=Decimal(0)))
    total: Decimal = unapproved["sum"]
    return total
