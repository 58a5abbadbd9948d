"""Uploaded files of payments: checked, previewed, then recorded as a whole (M4)."""

from django.db import models
from django.db.models import Q

from contracts.models.file_upload import FileUpload


class PaymentImport(FileUpload):
    """One uploaded payments CSV; the same file is recorded once."""

    class State(models.TextChoices):
        REFUSED = "REFUSED", "has errors"
        CHECKED = "CHECKED", "ready to record"
        RECORDED = "RECORDED", "recorded"

    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices)
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
