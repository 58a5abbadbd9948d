"""What is sold."""

from django.db import models


class Product(models.Model):
    """Something that contracts sell, under the name that invoices print."""

    name = models.CharField(max_length=200, unique=True)
    description = models.CharField(max_length=500, blank=True)
    is_active = models.BooleanField("can be sold", default=True)

    def __str__(self) -> str:
        return self.name
