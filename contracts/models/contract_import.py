"""Uploaded contract files: checked, previewed, then imported once (I1)."""

from django.db import models
from django.db.models import Q

from billing.models import LegalEntity
from contracts.models.file_upload import FileUpload


class ContractImport(FileUpload):
    """One uploaded contract CSV; `summary` is what its preview shows.

    `import_date` is kept, and never looked at again (I3).
    """

    class State(models.TextChoices):
        REFUSED = "REFUSED", "has errors"
        CHECKED = "CHECKED", "ready to import"
        IMPORTED = "IMPORTED", "imported"

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices)
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
