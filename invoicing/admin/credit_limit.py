"""Credit limits: above them a second person approves (A9)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing.admin.audited import AuditedAdmin
from billing.display import money
from billing.models import LegalEntity
from invoicing.credit_forms import CreditLimitForm
from invoicing.models import CreditLimit


@admin.register(CreditLimit)
class CreditLimitAdmin(AuditedAdmin):
    """One for each legal entity and currency; without one no credit waits."""

    audit_code = "credit_limit"
    form = CreditLimitForm
    list_display = ("currency", "legal_entity", "shown_amount")
    list_select_related = ("legal_entity",)
    list_note = "A credit above the limit of its currency waits for a second person. "
    list_note += "Without a limit none does."
    ordering = ("legal_entity_id", "currency")
    sortable_by = ()
    column_classes = {
        "currency": "m1",
        "legal_entity": "m4",
        "shown_amount": "num cur-head m3",
    }
    fieldsets = ((None, {"fields": ("legal_entity", ("currency", "amount"))}),)

    @admin.display(description="limit")
    def shown_amount(self, limit: CreditLimit) -> SafeString:
        """Show the most that nobody has to approve."""
        return money(limit.amount, limit.currency)

    def get_readonly_fields(
        self, request: HttpRequest, obj: CreditLimit | None = None
    ) -> tuple[str, ...]:
        """A limit stays with its legal entity and currency."""
        return () if obj is None else ("legal_entity", "currency")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start with the first legal entity."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        first = LegalEntity.objects.order_by("pk").first()
        return {"legal_entity": first.pk if first else None} | initial
