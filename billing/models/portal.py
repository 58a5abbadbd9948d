"""The customers' portals: where their documents are uploaded, and how (F3)."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from billing.domain.portal_files import (
    DEFAULT_COLUMNS,
    DEFAULT_PATTERN,
    Column,
    InvalidPattern,
    check_pattern,
)
from customfields.domain.kinds import InvalidValue, Kind, parse

DEFAULT_PROFILE = "Portal"


def check_address(value: str) -> None:
    """Refuse an address that a browser should not be led to."""
    try:
        parse(Kind.URL, value)
    except InvalidValue as fault:
        raise ValidationError(str(fault)) from None


def check_file_pattern(value: str) -> None:
    """Refuse a file name pattern that can't be used."""
    try:
        check_pattern(value)
    except InvalidPattern as fault:
        raise ValidationError(str(fault)) from None


def default_columns() -> list[list[str]]:
    """Return the columns that a new profile starts with."""
    return [list(column) for column in DEFAULT_COLUMNS]


class PortalProfile(models.Model):
    """A portal such as Ariba or Coupa: what it demands and what its bundle is like.

    `required_fields` are sources of custom fields (`bill_group.portal_id`), `columns`
    pairs of header and source; see `billing.domain.portal_files`.
    """

    name = models.CharField(max_length=60)
    address = models.CharField(
        max_length=500,
        blank=True,
        validators=[check_address],
        help_text="Where people sign in, with https:// or http://. Opened from the "
        "worklist.",
    )
    po_number_required = models.BooleanField("PO number", default=True)
    customer_tax_id_required = models.BooleanField(
        "tax id of the customer", default=False
    )
    seller_tax_id_required = models.BooleanField("tax id of the seller", default=False)
    required_fields = models.JSONField(default=list, blank=True)
    file_pattern = models.CharField(
        "file names",
        max_length=100,
        default=DEFAULT_PATTERN,
        validators=[check_file_pattern],
    )
    columns = models.JSONField(default=default_columns)

    class Meta:
        verbose_name = "portal"
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="portal_profile_name_once",
                violation_error_message="There is a portal of that name.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""), name="portal_profile_has_a_name"
            ),
            models.CheckConstraint(
                condition=Q(address="")
                | Q(address__iregex=r"^https?://[^\s@/?#]+([/?#]\S*)?$"),
                name="portal_profile_address_is_a_web_address",
                violation_error_message="The address starts with https:// or http://.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def index_columns(self) -> tuple[Column, ...]:
        """The columns of its CSV index."""
        return tuple(
            Column(header=header, source=source) for header, source in self.columns
        )
