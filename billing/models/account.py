"""Customers."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models

from billing.domain.address import Address
from billing.models.address import AddressFields
from customfields.models import owner_indexes


class Account(AddressFields):
    """A customer. Its address serves the bill groups that have none of their own."""

    number = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    tax_id = models.CharField("tax id", max_length=40, blank=True)
    language = models.CharField(max_length=10, default="en")
    custom_fields = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["name", "id"], name="account_by_name"),
            GinIndex(SearchVector("name", config="simple"), name="account_search"),
            *owner_indexes("account"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> Address:
        """The account's own address, in its own name."""
        return self.address_for(self.name)
