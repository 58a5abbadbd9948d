"""The address columns that accounts, bill groups and legal entities share."""

from django.core.validators import RegexValidator
from django.db import models

from billing.domain.address import Address

COUNTRY_CODE = RegexValidator(
    r"^[A-Z]{2}\Z", "Give the country as its two capital letters, for example DE."
)


class AddressFields(models.Model):
    """A postal address in columns."""

    address_line1 = models.CharField("address", max_length=200, blank=True)
    address_line2 = models.CharField("address, line 2", max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True, validators=[COUNTRY_CODE])

    class Meta:
        abstract = True

    @property
    def has_address(self) -> bool:
        """Whether any line of the address is filled in."""
        return self.address_for("").is_given

    def address_for(self, name: str) -> Address:
        """Return these columns as an address of the recipient `name`."""
        return Address(
            name=name,
            line1=self.address_line1,
            line2=self.address_line2,
            city=self.city,
            region=self.region,
            postal_code=self.postal_code,
            country=self.country,
        )
