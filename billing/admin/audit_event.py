"""The audit trail: read only."""

from typing import Final

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.event_display import event_changes, event_text
from billing.models import AuditEvent
from config.adminsite.model_admin import ReadOnlyAdmin

CHANGE: Final = (
    '<span class="line">{}: <del>{}</del> <span aria-hidden="true">→</span> '
    "<ins>{}</ins></span>"
)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what, when, to what, before and after, and why (M5)."""

    list_display = ("sentence", "subject", "actor_name", "at", "reason")
    list_note = "One entry for each change of state. It can't be changed or deleted."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "sentence": "m1",
        "subject": "m4",
        "actor_name": "w2",
        "at": "m5 nowrap",
        "reason": "w1 ell",
    }
    fieldsets = (
        (None, {"fields": (("sentence", "subject"), ("actor_name", "at"), "reason")}),
        ("What changed", {"fields": ("shown_changes",)}),
    )

    @admin.display(description="what")
    def sentence(self, event: AuditEvent) -> str:
        """Say what was done."""
        return event_text(event)

    @admin.display(description="changes")
    def shown_changes(self, event: AuditEvent) -> SafeString | str:
        """Show each thing that changed, before and after."""
        rows = [(one.label, one.before, one.after) for one in event_changes(event)]
        return format_html_join("", CHANGE, rows) if rows else "Nothing but the fact."
