"""Uploaded usage files: checked, previewed, then recorded as a whole (P9)."""

from django.db import models
from django.db.models import Q

from contracts.models.file_upload import FileUpload


class UsageImport(FileUpload):
    """One uploaded usage CSV; its rows' own keys make a second file harmless."""

    class State(models.TextChoices):
        REFUSED = "REFUSED", "has errors"
        CHECKED = "CHECKED", "ready to record"
        RECORDED = "RECORDED", "recorded"

    state = models.CharField(max_length=10, choices=State.choices)
    recorded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="RECORDED", recorded_at__isnull=False)
                | Q(state__in=["REFUSED", "CHECKED"], recorded_at__isnull=True),
                name="usage_import_has_its_time_when_recorded",
            ),
        ]
