"""The companies that issue invoices, how they invoice, and their accounting months."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from billing.choices import INVOICING_MODES
from billing.domain.bill_group import InvoicingMode
from billing.domain.dates import month_text
from billing.models.address import AddressFields
from billing.models.logo import Logo


def check_time_zone(value: str) -> None:
    """Refuse a name that is no IANA time zone."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(
            f"{value} is no time zone. Choose one like Europe/Berlin."
        )


class LegalEntity(AddressFields):
    """A company that issues invoices in its own number series and time zone."""

    name = models.CharField(max_length=200, unique=True)
    tax_id = models.CharField("tax id", max_length=40, blank=True)
    email = models.EmailField(blank=True)
    iban = models.CharField("IBAN", max_length=34, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    payment_instructions = models.TextField(blank=True)
    logo = models.ForeignKey(
        Logo,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text="PNG or JPEG, at most 1 MB. Printed on new invoices at the top left.",
    )
    time_zone = models.CharField(
        max_length=60, default="UTC", validators=[check_time_zone]
    )

    class Meta:
        verbose_name_plural = "legal entities"

    def __str__(self) -> str:
        return self.name


class InvoicingSettings(models.Model):
    """How one legal entity invoices (G1, G7, G8, G14, G17)."""

    class FirstInvoice(models.TextChoices):
        AT_ACTIVATION = "AT_ACTIVATION", "at activation"
        ON_SCHEDULE = "ON_SCHEDULE", "on schedule"

    legal_entity = models.OneToOneField(
        LegalEntity,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="invoicing_settings",
    )
    invoicing = models.CharField(
        max_length=10,
        choices=list(INVOICING_MODES),
        default=InvoicingMode.AUTOMATIC.value,
        help_text="Manual: no invoice is generated unless a person asks for it.",
    )
    first_invoice = models.CharField(
        max_length=20,
        choices=FirstInvoice.choices,
        default=FirstInvoice.AT_ACTIVATION,
        help_text="When a contract billed wholly in advance gets its first invoice.",
    )
    bill_date_offset = models.SmallIntegerField(
        default=0,
        validators=[MinValueValidator(-30), MaxValueValidator(2)],
        help_text="Days added to the bill date, -30 to 2. A negative offset moves "
        "only what is billed in advance.",
    )
    catch_up_limit = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1)],
        help_text="More overdue bill dates than this for one bill group make drafts "
        "that are held for review.",
    )
    jump_limit = models.PositiveSmallIntegerField(
        default=10,
        validators=[MinValueValidator(1)],
        help_text="An invoice of more than this many times the bill group's last one "
        "becomes a draft that is held for review.",
    )
    review_before_issue = models.BooleanField(
        default=False, help_text="Runs make drafts; staff review and issue them."
    )
    address_fixed_once_sent = models.BooleanField(
        default=False,
        help_text="The address of an invoice that was mailed is not edited, where the "
        "law asks for that; it is reissued.",
    )

    class Meta:
        verbose_name_plural = "invoicing settings"
        constraints = [
            models.CheckConstraint(
                condition=Q(bill_date_offset__range=(-30, 2)),
                name="settings_offset_between_30_before_and_2_after",
                violation_error_message="The offset lies between -30 and 2 days.",
            ),
            models.CheckConstraint(
                condition=Q(catch_up_limit__gte=1) & Q(jump_limit__gte=1),
                name="settings_safety_limits_are_positive",
                violation_error_message="The safety limits are 1 or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"Invoicing of {self.legal_entity}"

    @property
    def is_manual(self) -> bool:
        """G1: nothing is generated unless a person asks."""
        return self.invoicing == InvoicingMode.MANUAL


class AccountingPeriod(models.Model):
    """A calendar month of a legal entity that was closed, and perhaps reopened (M6).

    A month without a row is open. `month` is its first day.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "open"
        CLOSED = "CLOSED", "closed"

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT)
    month = models.DateField()
    state = models.CharField(max_length=6, choices=State.choices)

    class Meta:
        permissions = [
            ("close_accountingperiod", "Can close accounting periods"),
            ("reopen_accountingperiod", "Can reopen the last closed period"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "month"],
                name="period_one_row_a_month",
                violation_error_message="This month is there already.",
            ),
            models.CheckConstraint(
                condition=Q(month__day=1), name="period_month_is_a_first_day"
            ),
        ]

    def __str__(self) -> str:
        return month_text(self.month)
