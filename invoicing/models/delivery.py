"""Deliveries: the paper to render and the mail to send after an invoice was issued.

Rows are written in the issuing transaction and worked off by small tasks; a failing
one never touches its invoice, is tried again and shown (M7).
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from invoicing.choices import DELIVERY_KINDS, DELIVERY_STATES
from invoicing.domain.states import DeliveryState
from invoicing.models.invoice import Invoice


class Delivery(models.Model):
    """One thing to do for an issued invoice, claimed with a lease."""

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    kind = models.CharField(max_length=8, choices=list(DELIVERY_KINDS))
    state = models.CharField(
        max_length=8,
        choices=list(DELIVERY_STATES),
        db_default=DeliveryState.QUEUED.value,
        default=DeliveryState.QUEUED.value,
    )
    recipient = models.CharField(max_length=254, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, db_default="")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "kind"], name="delivery_once_a_kind"
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                name="delivery_to_do",
                condition=Q(state="QUEUED"),
            ),
            models.Index(
                fields=["id"], name="delivery_failed", condition=Q(state="FAILED")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.invoice}"
