"""Uploaded files of payments: checked, previewed, then recorded as a whole (M4)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class PaymentImport(models.Model):
    """One uploaded payments CSV. Nothing is recorded from it until it is applied.

    `errors` holds what the check found ({line, column, value, message}); `summary` what
    applying it records.
    """

    class State(models.TextChoices):
        REFUSED = "REFUSED", "has errors"
        CHECKED = "CHECKED", "ready to record"
        RECORDED = "RECORDED", "recorded"

    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices)
    errors = models.JSONField(default=list)
    summary = models.JSONField(default=dict)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True
    )
    uploaded_at = models.DateTimeField(db_default=Now())
    recorded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "payment file"
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"],
                condition=Q(state="RECORDED"),
                name="payment_import_same_file_once",
                violation_error_message="This file was recorded already.",
            ),
            models.CheckConstraint(
                condition=Q(state="RECORDED", recorded_at__isnull=False)
                | Q(state__in=["REFUSED", "CHECKED"], recorded_at__isnull=True),
                name="payment_import_has_its_time_when_recorded",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name
