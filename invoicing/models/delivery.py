"""Deliveries: the paper to render and the mail to send after a document was issued.

Rows are written in the issuing transaction and worked off by small tasks; a failing
one never touches its document, is tried again and shown (M7). `sending` counts from 1,
what the issue asked for: of each further one, a person asked for it, or the voiding of
a credit note. Each is once a kind.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from invoicing.choices import DELIVERY_KINDS, DELIVERY_STATES
from invoicing.domain.states import DeliveryState
from invoicing.models.credit import CreditNote
from invoicing.models.invoice import Invoice


class Delivery(models.Model):
    """One thing to do for an issued invoice or credit note, claimed with a lease."""

    invoice = models.ForeignKey(
        Invoice,
        on_delete=models.PROTECT,
        null=True,
        related_name="deliveries",
        db_index=False,
    )
    credit_note = models.ForeignKey(
        CreditNote,
        on_delete=models.PROTECT,
        null=True,
        related_name="deliveries",
        db_index=False,
    )
    kind = models.CharField(max_length=8, choices=list(DELIVERY_KINDS))
    sending = models.PositiveSmallIntegerField(default=1, db_default=1)
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
                fields=["invoice", "kind", "sending"], name="delivery_once_a_sending"
            ),
            models.UniqueConstraint(
                fields=["credit_note", "kind", "sending"],
                condition=Q(credit_note__isnull=False),
                name="delivery_of_credit_once_a_sending",
            ),
            models.CheckConstraint(
                condition=Q(invoice__isnull=True) ^ Q(credit_note__isnull=True),
                name="delivery_has_one_document",
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
        return f"{self.get_kind_display()} of {self.document}"

    @property
    def document(self) -> Invoice | CreditNote:
        """What is made into a paper and mailed."""
        document = self.credit_note or self.invoice
        if document is None:
            raise ValueError("A delivery has one document.")
        return document
