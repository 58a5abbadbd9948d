"""Reads of deliveries."""

from django.db.models import Q
from django.db.models.functions import Now

from invoicing.domain.states import DeliveryState
from invoicing.models import Delivery


def due_deliveries(*, at_most: int) -> int:
    """Count the deliveries that a worker could claim now, up to a number."""
    due = Delivery.objects.filter(
        Q(leased_until__isnull=True) | Q(leased_until__lt=Now()),
        state=DeliveryState.QUEUED,
        not_before__lte=Now(),
    )
    return due[:at_most].count()
