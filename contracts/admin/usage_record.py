"""Usage records, and the action that records one (P9)."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.display import badge, day_text, number_text
from config.adminsite.actions import Done, Figure, ListAction, Review, list_action
from config.adminsite.actor import actor_of
from config.adminsite.model_admin import ReadOnlyAdmin
from contracts.forms import UsageForm
from contracts.models import Contract, UsageRecord
from contracts.services.usage import (
    UsageRefused,
    charge_on,
    check_period,
    check_usage,
    record_usage,
)

RECORDED: Final = Badge("Recorded", "done")
TAKEN_BACK: Final = Badge("Taken back", "struck")
TAKES_BACK: Final = Badge("Takes back", "past")


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    """What was used; a record never changes, but can be taken back."""

    list_display = (
        "shown_quantity",
        "standing",
        "contract",
        "product",
        "usage_date",
        "person",
    )
    list_select_related = (
        *("line__contract", "line__product", "recorded_by"),
        "taken_back_by",
    )
    list_note = (
        "What was used, newest first. It is rated when it is invoiced; a contract's "
        "page shows it by period."
    )
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("line__contract__number",)
    search_help_text = "Contract number"
    column_classes = {
        "shown_quantity": "m1",
        "standing": "m2",
        "contract": "m4",
        "product": "",
        "usage_date": "m5",
        "person": "w2",
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("contract", "product"),
                    ("usage_date", "shown_quantity"),
                    "standing",
                    "idempotency_key",
                    ("person", "recorded_at"),
                )
            },
        ),
    )

    @admin.display(description="quantity")
    def shown_quantity(self, record: UsageRecord) -> str:
        """Show how much was used."""
        return number_text(record.quantity)

    @admin.display(description="state")
    def standing(self, record: UsageRecord) -> SafeString:
        """Show whether it counts."""
        if record.takes_back_id is not None:
            return badge(TAKES_BACK)
        return badge(TAKEN_BACK if hasattr(record, "taken_back_by") else RECORDED)

    @admin.display(description="recorded by")
    def person(self, record: UsageRecord) -> str:
        """Name who recorded it; a command is nobody."""
        return str(record.recorded_by or self.empty_value_display)

    @admin.display(description="contract")
    def contract(self, record: UsageRecord) -> str:
        """Show the contract."""
        return record.line.contract.number

    @admin.display(description="product")
    def product(self, record: UsageRecord) -> str:
        """Show what was used."""
        return record.line.product.name

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find the records of one contract, by its index."""
        found = {text, text.upper()}
        return rows.filter(line__contract__number__in=found)


@list_action
class RecordUsage(ListAction):
    """Record what was used of a line on a day."""

    model = UsageRecord
    slug = "record"
    label = "Record usage"
    permission = "contracts.add_usagerecord"
    tone = "default"
    form_class = UsageForm
    asks_first = True
    refusals = (UsageRefused,)

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Start with the contract and line one comes from, and a fresh key."""
        given = request.GET.get("contract", "")
        contract = Contract.objects.filter(number=given).first() if given else None
        return {
            "initial": {
                "contract": contract.pk if contract else None,
                "line": request.GET.get("line", ""),
                "idempotency_key": f"form-{get_random_string(12)}",
            }
        }

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what will be recorded, where its period takes usage."""
        line, day = answers["contract_line"], answers["usage_date"]
        key = answers["idempotency_key"].strip()
        if not UsageRecord.objects.filter(idempotency_key=key).exists():
            check_usage(line, answers["quantity"], key)
            check_period(line, day, charge_on(line, day))
        return Review(
            sentence="It is rated and billed with its period. Recorded usage never "
            "changes; what was wrong is taken back.",
            figures=(
                Figure(
                    label="Line", value=line.product.name, note=line.contract.number
                ),
                Figure(label="Day", value=day_text(answers["usage_date"])),
                Figure(label="Quantity", value=number_text(answers["quantity"])),
            ),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Record it."""
        record = record_usage(
            line=answers["contract_line"],
            usage_date=answers["usage_date"],
            quantity=answers["quantity"],
            idempotency_key=answers["idempotency_key"],
            actor=actor_of(request),
        )
        return Done(
            message=f"{number_text(record.quantity)} recorded for "
            f"{day_text(record.usage_date)}.",
            url=reverse("admin:contracts_usagerecord_changelist"),
        )
