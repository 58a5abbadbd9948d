"""Record usage of an invoiced period, its price seen before (P9)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.display import day_text, money_text, number_text
from billing.domain.dates import period_text
from config.adminsite.actions import Done, Figure, Review, list_action
from config.adminsite.actor import actor_of
from config.clock import today_in
from contracts.admin.usage_record import RecordUsage
from contracts.services.late_usage import (
    LateUsage,
    preview_late_usage,
    record_late_usage,
)


@list_action
class RecordLateUsage(RecordUsage):
    """Record usage that came after its period was invoiced."""

    slug = "record-late"
    label = "Record late usage"
    permission = "contracts.record_late_usage"
    tone = ""

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show the invoice it is late for, and what is billed next."""
        late = preview_late_usage(**_usage(request, answers))
        line = answers["contract_line"]
        return Review(
            sentence=f"{late.invoice} stays as it is. {_billed(late)}",
            figures=(
                Figure(
                    label="Line", value=line.product.name, note=line.contract.number
                ),
                Figure(
                    label="Quantity",
                    value=number_text(answers["quantity"]),
                    note=f"used on {day_text(answers['usage_date'])}",
                ),
                Figure(label="Difference", value=_difference(late), note="before tax"),
            ),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Record it."""
        late = record_late_usage(**_usage(request, answers))
        contract = answers["contract_line"].contract
        return Done(
            message=f"Late usage recorded. {_billed(late)}",
            url=reverse("admin:contracts_usagerecord_changelist"),
            link=f"See {contract}",
            link_url=reverse("admin:contracts_contract_change", args=[contract.pk]),
        )


def _usage(request: HttpRequest, answers: Mapping[str, Any]) -> dict[str, Any]:
    line = answers["contract_line"]
    return {
        "line": line,
        "usage_date": answers["usage_date"],
        "quantity": answers["quantity"],
        "idempotency_key": answers["idempotency_key"],
        "actor": actor_of(request),
        "today": today_in(line.contract.bill_group.legal_entity.time_zone),
    }


def _difference(late: LateUsage) -> str:
    currency = late.record.line.contract.bill_group.currency
    return f"{money_text(late.difference, currency)} {currency}"


def _billed(late: LateUsage) -> str:
    if late.charge is None or not late.difference:
        return "The period costs no more with it, so nothing is billed."
    days = period_text(late.charge.period_start, late.charge.period_end)
    return (
        f"The difference of {_difference(late)} for {days} is billed with the invoice "
        f"of {day_text(late.charge.bill_date)}."
    )
