"""Tax rates, whose percent changes in steps."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest

from billing.admin.audited import AuditedAdmin
from billing.display import day_text, number_text
from billing.models import TaxRate, TaxRateStep
from config.adminsite.model_admin import FinanceStackedInline


class TaxRateStepInline(FinanceStackedInline):
    """The percent of a rate from a day on."""

    model = TaxRateStep
    verbose_name = "step"
    extra = 0
    min_num = 1
    fieldsets = ((None, {"fields": (("valid_from", "percent"),)}),)
    ordering = ("valid_from",)


@admin.register(TaxRate)
class TaxRateAdmin(AuditedAdmin):
    """Kinds of tax. A rate that lines use can't be deleted, but stepped to 0."""

    audit_code = "tax_rate"
    list_display = ("name", "shown_steps")
    list_note = "An invoice line takes the percent of the last day of its period."
    ordering = ("name",)
    column_classes = {"name": "m1", "shown_steps": "m4"}
    inlines = (TaxRateStepInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the steps of all rates at once."""
        steps = TaxRateStep.objects.order_by("valid_from")
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("steps", queryset=steps))
        )

    @admin.display(description="percent")
    def shown_steps(self, rate: TaxRate) -> str:
        """Show the percent and from when it holds."""
        return ", ".join(
            f"{number_text(step.percent)} % from {day_text(step.valid_from)}"
            for step in rate.steps.all()
        )
