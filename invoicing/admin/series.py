"""Number series: set up once, they count up by themselves (M2)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from billing.admin.audited import AuditedAdmin
from invoicing.models import NumberSeries

SET_UP = ("legal_entity", "kind", "prefix", "digits", "first_sequence")


@admin.register(NumberSeries)
class NumberSeriesAdmin(AuditedAdmin):
    """The counters of documents; one that has counted can't be changed any more."""

    audit_code = "number_series"
    list_display = ("prefix", "legal_entity", "kind", "next_number", "last_issue_date")
    list_select_related = ("legal_entity",)
    list_note = "Numbers are gapless and in order of issue. A draft has none."
    ordering = ("legal_entity_id", "kind")
    sortable_by = ()
    column_classes = {
        "prefix": "m1",
        "legal_entity": "m4",
        "kind": "",
        "next_number": "m3",
        "last_issue_date": "m5",
    }
    fieldsets = (
        (None, {"fields": (("legal_entity", "kind"), ("prefix", "digits"))}),
        (
            "Counting",
            {"fields": ("first_sequence", ("next_number", "last_issue_date"))},
        ),
    )

    @admin.display(description="next number")
    def next_number(self, series: NumberSeries) -> str:
        """Show the number that the next document gets."""
        if series._state.adding:
            return "-"
        return f"{series.prefix}{series.next_sequence:0{series.digits}d}"

    def get_readonly_fields(
        self, request: HttpRequest, obj: NumberSeries | None = None
    ) -> tuple[str, ...]:
        """What has counted stays as it is."""
        shown = ("next_number", "last_issue_date")
        return shown if obj is None else (*shown, *SET_UP)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is nothing to change on a series."""
        return obj is None and super().has_change_permission(request, obj)

    def save_model(
        self,
        request: HttpRequest,
        obj: NumberSeries,
        form: Any,
        change: bool,  # noqa: FBT001 Django's signature
    ) -> None:
        """Start counting at the first number."""
        obj.next_sequence = obj.first_sequence
        super().save_model(request, obj, form, change)
