"""The pictures that companies print on their papers."""

from django.db import models


class Logo(models.Model):
    """A picture for papers, named by its own content and never changed or deleted.

    So what an invoice stores of it, the name alone, prints the same picture for good
    (M3). `png` is what `billing.services.logos` made of the file that was uploaded.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    png = models.BinaryField()

    def __str__(self) -> str:
        return f"Logo {self.sha256[:12]}"
