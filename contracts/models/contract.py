"""Contracts, their lines, and the amendments that changed them.

A contract line is one lineage for good: its columns are its original terms, and each
LineChange sets, from the effective date of its amendment on, the fields it names (A1).
`contracts.queries` puts both together to the terms that the plan is computed from.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from billing.domain.dates import day_text
from billing.models import BillGroup, TaxRate
from contracts.choices import CHARGE_TYPES, CONTRACT_STATUSES, PRORATIONS, TIMINGS
from contracts.domain.terms import ChargeType, ContractStatus, Proration, Timing
from contracts.models.contract_import import ContractImport
from contracts.models.product import Product
from customfields.models import owner_indexes


class Contract(models.Model):
    """What was sold to a bill group: a term and lines."""

    number = models.CharField(max_length=100, unique=True)
    bill_group = models.ForeignKey(
        BillGroup, on_delete=models.PROTECT, related_name="contracts"
    )
    status = models.CharField(
        max_length=10,
        choices=list(CONTRACT_STATUSES),
        default=ContractStatus.DRAFT.value,
    )
    start_date = models.DateField()
    end_date = models.DateField(
        null=True, blank=True, help_text="The agreed last day; blank: evergreen."
    )
    bill_day = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text="Day of the month on which periods begin; blank: that of the start.",
    )
    bill_month = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
        help_text="A month in which a period begins, for calendar or fiscal quarters.",
    )
    last_day = models.DateField(
        "last day of service",
        null=True,
        blank=True,
        editable=False,
        help_text="Set when the contract is canceled (S1).",
    )
    activated_on = models.DateField(null=True, editable=False)
    extend_on = models.DateField(
        null=True,
        editable=False,
        help_text="From this day on the plan of an evergreen contract grows (P1).",
    )
    contract_import = models.ForeignKey(
        ContractImport,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="contracts",
    )
    version = models.PositiveIntegerField(
        default=0, editable=False, help_text="Grows with each change of the terms."
    )
    custom_fields = models.JSONField(default=dict, blank=True)

    class Meta:
        permissions = [
            ("activate_contract", "Can activate contracts"),
            ("cancel_contract", "Can cancel contracts"),
            ("amend_contract", "Can amend contracts"),
            ("edit_contract_fields", "Can edit the custom fields of contracts"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=CONTRACT_STATUSES.condition_values()),
                name="contract_status_known",
            ),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gte=F("start_date")),
                name="contract_ends_on_or_after_its_start",
                violation_error_message="The end date lies before the start date.",
            ),
            models.CheckConstraint(
                condition=Q(bill_day__isnull=True) | Q(bill_day__range=(1, 31)),
                name="contract_bill_day_between_1_and_31",
                violation_error_message="The bill day lies between 1 and 31.",
            ),
            models.CheckConstraint(
                condition=Q(bill_month__isnull=True) | Q(bill_month__range=(1, 12)),
                name="contract_bill_month_between_1_and_12",
                violation_error_message="The bill month lies between 1 and 12.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["extend_on", "id"],
                name="contract_to_extend",
                condition=Q(extend_on__isnull=False),
            ),
            models.Index(
                fields=["end_date"],
                name="contract_that_ends",
                condition=Q(status="ACTIVE", end_date__isnull=False),
            ),
            *owner_indexes("contract"),
            models.Index(
                fields=["last_day"],
                name="contract_being_canceled",
                condition=Q(status="ACTIVE", last_day__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ContractLine(models.Model):
    """One product on a contract, at its original terms.

    `unit_price` is the price of one unit for one billing period; `quantity` is null
    for usage. `frequency_months` is null for a one-time line.
    """

    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="lines"
    )
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    description = models.CharField(max_length=500, blank=True)
    charge_type = models.CharField(
        max_length=10,
        choices=list(CHARGE_TYPES),
        default=ChargeType.RECURRING.value,
    )
    frequency_months = models.PositiveSmallIntegerField(
        "frequency in months",
        null=True,
        blank=True,
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    timing = models.CharField(
        max_length=10, choices=list(TIMINGS), default=Timing.ADVANCE.value
    )
    quantity = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    unit_price = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    discount_percent = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    proration = models.CharField(
        max_length=5, choices=list(PRORATIONS), default=Proration.DAILY.value
    )
    start_date = models.DateField(
        null=True, blank=True, help_text="Blank: the start of the contract."
    )
    end_date = models.DateField(
        null=True, blank=True, help_text="The agreed last day; blank: the contract's."
    )
    tax_rate = models.ForeignKey(
        TaxRate, on_delete=models.PROTECT, null=True, blank=True
    )
    included_quantity = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        default=0,
        validators=[MinValueValidator(0)],
    )
    tiers = models.CharField(
        max_length=1000,
        blank=True,
        help_text="For usage, like graduated 100:0.50;1000:0.40;*:0.30.",
    )
    added_by = models.ForeignKey(
        "Amendment",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="added_lines",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "position"], name="line_position_once_in_a_contract"
            ),
            models.CheckConstraint(
                condition=(
                    Q(charge_type=ChargeType.ONE_TIME, frequency_months__isnull=True)
                    | Q(
                        charge_type__in=[ChargeType.RECURRING, ChargeType.USAGE],
                        frequency_months__isnull=False,
                        frequency_months__range=(1, 60),
                    )
                ),
                name="line_frequency_fits_its_charge_type",
                violation_error_message="A recurring or usage line is billed every "
                "1 to 60 months; a one-time line has no frequency.",
            ),
            models.CheckConstraint(
                condition=~Q(charge_type=ChargeType.USAGE) | Q(timing=Timing.ARREARS),
                name="line_usage_is_billed_in_arrears",
                violation_error_message="Usage is always billed in arrears.",
            ),
            models.CheckConstraint(
                condition=(
                    Q(charge_type=ChargeType.USAGE, quantity__isnull=True)
                    & (Q(unit_price__isnull=False) | ~Q(tiers=""))
                )
                | (
                    Q(
                        charge_type__in=[ChargeType.RECURRING, ChargeType.ONE_TIME],
                        quantity__isnull=False,
                        unit_price__isnull=False,
                        tiers="",
                        included_quantity=0,
                    )
                ),
                name="line_has_the_price_of_its_charge_type",
                violation_error_message="A recurring or one-time line has a quantity "
                "and a unit price; a usage line a unit price or tiers, no quantity.",
            ),
            models.CheckConstraint(
                condition=(Q(quantity__isnull=True) | Q(quantity__gte=0))
                & (Q(unit_price__isnull=True) | Q(unit_price__gte=0))
                & Q(included_quantity__gte=0)
                & Q(discount_percent__range=(0, 100)),
                name="line_amounts_are_not_negative",
                violation_error_message="Quantities and prices are not negative; a "
                "discount lies between 0 and 100 percent.",
            ),
            models.CheckConstraint(
                condition=Q(start_date__isnull=True)
                | Q(end_date__isnull=True)
                | Q(end_date__gte=F("start_date")),
                name="line_ends_on_or_after_its_start",
                violation_error_message="The line ends before it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} on {self.contract}"


class Amendment(models.Model):
    """A change of a contract's terms from a date on, with the terms around it (A1)."""

    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="amendments"
    )
    effective_date = models.DateField()
    reason = models.TextField()
    terms_before = models.JSONField(default=dict)
    terms_after = models.JSONField(default=dict)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True
    )
    made_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"Amendment of {self.contract} from {day_text(self.effective_date)}"


class LineChange(models.Model):
    """What one amendment sets on one line; a null field is left as it was.

    `last_day` ends the line; the other fields hold from the effective date on.
    """

    amendment = models.ForeignKey(
        Amendment, on_delete=models.PROTECT, related_name="changes"
    )
    line = models.ForeignKey(
        ContractLine, on_delete=models.PROTECT, related_name="changes"
    )
    quantity = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    unit_price = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    discount_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    included_quantity = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    tiers = models.CharField(max_length=1000, null=True)  # noqa: DJ001 null: unchanged
    last_day = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["amendment", "line"], name="line_changed_once_by_an_amendment"
            ),
            models.CheckConstraint(
                condition=(Q(quantity__isnull=True) | Q(quantity__gte=0))
                & (Q(unit_price__isnull=True) | Q(unit_price__gte=0))
                & (Q(included_quantity__isnull=True) | Q(included_quantity__gte=0))
                & (
                    Q(discount_percent__isnull=True)
                    | Q(discount_percent__range=(0, 100))
                ),
                name="line_change_amounts_are_not_negative",
                violation_error_message="Quantities and prices are not negative; a "
                "discount lies between 0 and 100 percent.",
            ),
        ]

    def __str__(self) -> str:
        return f"Change of {self.line} by {self.amendment}"
