"""What every uploaded file has: checked, previewed, then applied as a whole."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class FileUpload(models.Model):
    """One uploaded CSV. Nothing is written from it until it is applied, once.

    `errors` holds what the check found ({line, column, value, message}); `summary` what
    applying it does. Each kind adds its own `state`.
    """

    state: "models.CharField[str, str]"
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    errors = models.JSONField(default=list)
    summary = models.JSONField(default=dict)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True
    )
    uploaded_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.file_name
