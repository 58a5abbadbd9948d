"""Reads of deliveries."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from invoicing.domain.states import DeliveryState
from invoicing.models import CreditNote, Delivery, Invoice


def due_deliveries(*, at_most: int) -> int:
    """Count the deliveries that a worker could claim now, up to a number."""
    due = Delivery.objects.filter(
        Q(leased_until__isnull=True) | Q(leased_until__lt=Now()),
        state=DeliveryState.QUEUED,
        not_before__lte=Now(),
    )
    return due[:at_most].count()


def deliveries_of(document: Invoice | CreditNote) -> QuerySet[Delivery]:
    """Return the deliveries of a document."""
    if isinstance(document, CreditNote):
        return Delivery.objects.filter(credit_note=document)
    return Delivery.objects.filter(invoice=document)


def invoice_of(document: Invoice | CreditNote) -> Invoice:
    """Return an invoice, or the one that a credit note reduces."""
    return document.invoice if isinstance(document, CreditNote) else document
