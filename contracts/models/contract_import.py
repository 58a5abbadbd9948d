"""Uploaded contract files: checked, previewed, then imported once (I1)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from billing.models import LegalEntity


class ContractImport(models.Model):
    """One uploaded contract CSV. Nothing is written from it until it is imported.

    `errors` holds what the check found ({line, column, value, message}); `summary`
    what the preview shows (contracts, lines, charges to bill and in the past, and
    their value). `import_date` is kept, and never looked at again (I3).
    """

    class State(models.TextChoices):
        REFUSED = "REFUSED", "has errors"
        CHECKED = "CHECKED", "ready to import"
        IMPORTED = "IMPORTED", "imported"

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT)
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
    import_date = models.DateField(null=True)
    imported_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("apply_contractimport", "Can import checked contract files")]
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"],
                condition=Q(state="IMPORTED"),
                name="import_same_file_once",
                violation_error_message="This file was imported already.",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="IMPORTED",
                    import_date__isnull=False,
                    imported_at__isnull=False,
                )
                | Q(
                    state__in=["REFUSED", "CHECKED"],
                    import_date__isnull=True,
                    imported_at__isnull=True,
                ),
                name="import_has_its_date_when_imported",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name
