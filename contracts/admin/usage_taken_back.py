"""Take back what was recorded wrongly, what is left of its period seen before (P9)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.display import day_text, number_text
from billing.domain.dates import period_text
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from contracts.forms import ReasonForm
from contracts.models import ScheduledCharge, UsageRecord
from contracts.queries import usage_of_charges
from contracts.services.usage import UsageRefused, document_of
from contracts.services.usage_taken_back import check_not_kept, take_back_usage


@object_action
class TakeBackUsage(ObjectAction):
    """Take away again what was recorded too high, twice or on the wrong line."""

    model = UsageRecord
    slug = "take-back"
    label = "Take back"
    confirm_label = "Take the usage back"
    permission = "contracts.take_back_usagerecord"
    form_class = ReasonForm
    refusals = (UsageRefused, ReasonMissing)

    def refusal(self, subject: Any) -> str:
        """Once, and while its period is not closed to usage."""
        try:
            check_not_kept(subject)
        except UsageRefused as refused:
            return str(refused)
        return ""

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what is taken back, and what is left of the period."""
        charge = check_not_kept(subject)
        figures = (
            Figure(
                label="Line",
                value=subject.line.product.name,
                note=subject.line.contract.number,
            ),
            Figure(
                label="Taken back",
                value=number_text(subject.quantity),
                note=f"used on {day_text(subject.usage_date)}",
            ),
        )
        if charge is None:
            return Review(sentence=_billed(charge), figures=figures)
        used, _ = usage_of_charges([charge.pk])[charge.pk]
        left = Figure(
            label=f"Left of {period_text(charge.period_start, charge.period_end)}",
            value=number_text(used - subject.quantity),
            note=f"now {number_text(used)}",
        )
        return Review(sentence=_billed(charge), figures=(*figures, left))

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Take it back."""
        charge = check_not_kept(subject)
        take_back_usage(
            record=subject, reason=answers["reason"], actor=actor_of(request)
        )
        day = day_text(subject.usage_date)
        return Done(
            message=f"{number_text(subject.quantity)} of {day} taken back. "
            f"{_billed(charge)}",
            url=reverse("admin:contracts_usagerecord_change", args=[subject.pk]),
            link=f"See {subject.line.contract}",
            link_url=reverse(
                "admin:contracts_contract_change", args=[subject.line.contract_id]
            ),
        )


def _billed(charge: ScheduledCharge | None) -> str:
    if charge is None:
        return "Its period is not billed, so no invoice changes."
    if document := document_of(charge):
        return (
            f"{document} stays as it is. Reissue it to have its usage rated anew, or "
            "credit what was too much."
        )
    return "Its period is billed with what is left."
