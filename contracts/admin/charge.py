"""Scheduled charges, and what can be done to those billed elsewhere (I2)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from billing.display import badge, day_text, money, money_text, number_text
from billing.domain.dates import period_text
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.model_admin import ReadOnlyAdmin
from contracts.choices import CHARGE_STATES
from contracts.display import rates_text
from contracts.domain.rates import Rates
from contracts.domain.terms import ChargeState
from contracts.forms import OutsideNumberForm, ReasonForm
from contracts.models import ScheduledCharge
from contracts.services.external import (
    HasOutsideNumber,
    NotBilledElsewhere,
    record_external_number,
    release_external_charge,
)


@admin.register(ScheduledCharge)
class ScheduledChargeAdmin(ReadOnlyAdmin):
    """The plan of all contracts, one charge a row."""

    list_display = (
        "shown_period",
        "shown_state",
        "contract",
        "product",
        "bill_date",
        "shown_amount",
    )
    list_select_related = ("contract__bill_group", "contract_line__product")
    list_filter = ("state",)
    list_note = "One line for one billing period. A contract's page shows its plan."
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("contract__number",)
    search_help_text = "Contract number"
    column_classes = {
        "shown_period": "m1",
        "shown_state": "m2",
        "contract": "m4",
        "product": "w1",
        "bill_date": "m5",
        "shown_amount": "num m3",
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("contract", "product"),
                    ("shown_period", "bill_date"),
                    ("shown_rates", "shown_amount"),
                    "shown_state",
                    "external_number",
                )
            },
        ),
    )

    @admin.display(description="period")
    def shown_period(self, charge: ScheduledCharge) -> str:
        """Show the days it stands for."""
        return period_text(charge.period_start, charge.period_end)

    @admin.display(description="state")
    def shown_state(self, charge: ScheduledCharge) -> SafeString:
        """Show what became of it."""
        return badge(CHARGE_STATES.badge(charge.state))

    @admin.display(description="product")
    def product(self, charge: ScheduledCharge) -> str:
        """Show what is charged."""
        return str(charge.contract_line.product)

    @admin.display(description="amount")
    def shown_amount(self, charge: ScheduledCharge) -> SafeString:
        """Show the amount before tax."""
        return money(charge.amount, charge.contract.bill_group.currency)

    @admin.display(description="quantity and price")
    def shown_rates(self, charge: ScheduledCharge) -> str:
        """Show what the amount comes from; tiers stand on the contract's line."""
        if charge.quantity is None:
            return "as used"
        if charge.unit_price is None:
            return number_text(charge.quantity)
        rates = Rates(
            quantity=charge.quantity,
            unit_price=charge.unit_price,
            discount_percent=charge.discount_percent,
        )
        return rates_text(rates, charge.contract.bill_group.currency)

    def row_class(self, subject: Any) -> str:
        """Draw what is only planned in pencil."""
        return "pencil" if subject.state == ChargeState.PENDING else ""

    def facts(self, subject: Any) -> list[str]:
        """Return what is charged and whose contract it is on."""
        return [str(subject.contract), str(subject.contract_line.product)]

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find the charges of one contract, by its index."""
        found = {text, text.upper()}
        return rows.filter(contract__number__in=found)


class ExternalChargeAction(ObjectAction):
    """What the two actions of a charge billed elsewhere share."""

    model = ScheduledCharge

    def refusal(self, subject: Any) -> str:
        """Only what was billed elsewhere."""
        if subject.state == ChargeState.EXTERNAL:
            return ""
        return str(NotBilledElsewhere(subject))

    def back_url(self, subject: Any) -> str:
        """Return to the plan of the contract."""
        url = reverse("admin:contracts_contract_change", args=[subject.contract_id])
        return f"{url}?show=external"

    def figures(self, charge: ScheduledCharge) -> tuple[Figure, ...]:
        """Return the charge in figures."""
        currency = charge.bill_group.currency
        amount = (
            "rated when invoiced"
            if charge.amount is None
            else f"{money_text(charge.amount, currency)} {currency}"
        )
        return (
            Figure(
                label="Charge",
                value=str(charge.contract_line.product),
                note=str(charge.contract),
            ),
            Figure(
                label="Period",
                value=period_text(charge.period_start, charge.period_end),
                note=f"bill date {day_text(charge.bill_date)}",
            ),
            Figure(label="Amount", value=amount, note="before tax"),
        )


@object_action
class ReleaseCharge(ExternalChargeAction):
    """Bill here what was thought to be billed elsewhere."""

    slug = "release"
    label = "Release to be billed here"
    permission = "contracts.release_scheduledcharge"
    form_class = ReasonForm
    refusals = (NotBilledElsewhere, HasOutsideNumber, ReasonMissing)

    def refusal(self, subject: Any) -> str:
        """One with an outside number was billed."""
        if refusal := super().refusal(subject):
            return refusal
        return str(HasOutsideNumber(subject)) if subject.external_number else ""

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what will be billed."""
        return Review(
            sentence="The charge becomes pending and is billed here, as its bill "
            "group is. It must not stand on an outside invoice.",
            figures=self.figures(subject),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Release it."""
        release_external_charge(
            charge=subject, reason=answers["reason"], actor=actor_of(request)
        )
        return Done(
            message="Released: the charge is pending and will be billed here.",
            url=reverse("admin:contracts_contract_change", args=[subject.contract_id]),
        )


@object_action
class NoteOutsideNumber(ExternalChargeAction):
    """Note on which outside invoice a charge was billed."""

    slug = "outside-number"
    label = "Note outside invoice"
    permission = "contracts.change_scheduledcharge"
    form_class = OutsideNumberForm
    refusals = (NotBilledElsewhere,)

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Start with the number that is known."""
        return {"initial": {"number": subject.external_number}}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show the charge."""
        return Review(
            sentence="Only the number is noted; nothing is billed.",
            figures=self.figures(subject),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Note the number."""
        charge = record_external_number(
            charge=subject, number=answers["number"], actor=actor_of(request)
        )
        number = charge.external_number
        return Done(
            message=f"Noted: billed on {number}."
            if number
            else "The number is removed.",
            url=self.back_url(subject),
        )
