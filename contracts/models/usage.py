"""Recorded usage."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from billing.domain.dates import day_text
from contracts.domain.decimals import format_decimal
from contracts.models.contract import ContractLine


class UsageRecord(models.Model):
    """A quantity used of a usage line on a day (P9); it never changes.

    `idempotency_key` makes a repeat harmless: the same record changes nothing. One
    that `takes_back` another has its quantity below zero, so that sums are right.
    """

    line = models.ForeignKey(
        ContractLine, on_delete=models.PROTECT, related_name="usage", db_index=False
    )
    usage_date = models.DateField()
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    idempotency_key = models.CharField(
        max_length=200,
        unique=True,
        error_messages={"unique": "Usage with this key is recorded already."},
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True
    )
    recorded_at = models.DateTimeField(db_default=Now())
    takes_back = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="taken_back_by"
    )

    class Meta:
        permissions = [
            ("record_late_usage", "Can record usage of invoiced periods"),
            ("take_back_usagerecord", "Can take back recorded usage"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(takes_back=None, quantity__gte=0)
                | Q(takes_back__isnull=False, quantity__lte=0),
                name="usage_is_negative_only_to_take_back",
                violation_error_message="A quantity is not negative.",
            ),
        ]
        indexes = [
            models.Index(fields=["line", "usage_date"], name="usage_of_line_by_date")
        ]

    def __str__(self) -> str:
        return f"{format_decimal(self.quantity)} on {day_text(self.usage_date)}"
