"""Scheduled charges: the plan, one line for one billing period or a piece of it.

A live charge (see `LIVE_STATES`) stands for its days: triggers refuse a second live
charge of the same line on any of them (P8), a change of what an invoiced charge says,
and the deletion of any charge.

A charge names the contract of its line and the bill group of that contract, so that
reads need no joins. Triggers compare them when charges are written, which foreign keys
would not.

A charge with `late_for` is late usage (P9): what was used in the period of an invoiced
charge and recorded after it. It shares that charge's days, claims none of its own, and
the plan neither makes nor retires it. `amount` is the difference to the period rated
anew; triggers refuse one whose period is not an invoiced one of the same line.
"""

from django.db import models
from django.db.models import F, Q

from billing.domain.dates import period_text
from billing.models import BillGroup
from contracts.choices import CHARGE_STATES
from contracts.domain.terms import ChargeState
from contracts.models.contract import Contract, ContractLine


class ScheduledCharge(models.Model):
    """One charge of the plan; dates are inclusive.

    `amount` is null for usage that is not rated yet. `in_advance` tells a charge that
    is billed when its period begins (or one-time) from one in arrears.
    """

    contract_line = models.ForeignKey(
        ContractLine, on_delete=models.PROTECT, related_name="charges", db_index=False
    )
    contract = models.ForeignKey(
        Contract,
        on_delete=models.PROTECT,
        related_name="charges",
        db_constraint=False,
    )
    bill_group = models.ForeignKey(
        BillGroup,
        on_delete=models.PROTECT,
        related_name="charges",
        db_index=False,
        db_constraint=False,
    )
    period_start = models.DateField()
    period_end = models.DateField()
    bill_date = models.DateField()
    in_advance = models.BooleanField()
    quantity = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    unit_price = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    discount_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0)
    amount = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    state = models.CharField(
        max_length=10,
        choices=list(CHARGE_STATES),
        default=ChargeState.PENDING.value,
    )
    replaces = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="replaced_by",
        db_index=False,
    )
    late_for = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="late_usage",
        db_index=False,
    )
    external_number = models.CharField(
        max_length=100,
        blank=True,
        help_text="The outside invoice, if billed elsewhere.",
    )

    class Meta:
        permissions = [
            ("release_scheduledcharge", "Can release charges billed elsewhere"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=CHARGE_STATES.condition_values()),
                name="charge_state_known",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gte=F("period_start")),
                name="charge_ends_on_or_after_its_start",
            ),
            models.CheckConstraint(
                condition=(Q(amount__isnull=True) | Q(amount__gte=0))
                & (Q(quantity__isnull=True) | Q(quantity__gte=0))
                & (Q(unit_price__isnull=True) | Q(unit_price__gte=0)),
                name="charge_amounts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(late_for__isnull=True)
                | Q(
                    amount__gt=0,
                    quantity__gt=0,
                    unit_price__isnull=True,
                    in_advance=False,
                ),
                name="late_usage_bills_more",
            ),
        ]
        indexes = [
            models.Index(
                fields=["bill_group", "bill_date"],
                name="charge_pending_of_group",
                condition=Q(state="PENDING"),
            ),
            models.Index(
                fields=["bill_date", "bill_group"],
                name="charge_pending_by_date",
                condition=Q(state="PENDING"),
            ),
            models.Index(
                fields=["contract_line", "period_start"], name="charge_of_line"
            ),
            models.Index(
                fields=["replaces"],
                name="charge_that_replaces",
                condition=Q(replaces__isnull=False),
            ),
            models.Index(
                fields=["late_for"],
                name="charge_late_for",
                condition=Q(late_for__isnull=False),
            ),
            models.Index(
                fields=["id"],
                name="charge_superseded",
                condition=Q(state="SUPERSEDED"),
            ),
        ]

    def __str__(self) -> str:
        return period_text(self.period_start, self.period_end)
