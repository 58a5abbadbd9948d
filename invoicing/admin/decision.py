"""Decisions of the run: what was decided for each pending invoice, and why (G16)."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.adminsite.model_admin import ReadOnlyAdmin
from invoicing.models import RunDecision


@admin.register(RunDecision)
class RunDecisionAdmin(ReadOnlyAdmin):
    """Kept for every group that had something due; a hold once, until it changes."""

    list_display = ("bill_group", "bill_date", "rule", "shown_sentence", "decided_at")
    list_select_related = ("bill_group", "invoice")
    list_note = "What the runs decided, newest first. A hold is kept when it changes."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "bill_group": "m1",
        "bill_date": "m3",
        "rule": "w2",
        "shown_sentence": "m4",
        "decided_at": "m5",
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("bill_group", "bill_date"),
                    ("rule", "decided_at"),
                    "sentence",
                    ("invoice", "run"),
                )
            },
        ),
    )

    @admin.display(description="what and why")
    def shown_sentence(self, decision: RunDecision) -> SafeString:
        """Say what was decided."""
        return format_html("{}", decision.sentence)
