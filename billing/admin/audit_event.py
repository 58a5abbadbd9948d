"""The audit trail: read only."""

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.events import event_sentence
from billing.models import AuditEvent
from config.adminsite.model_admin import ReadOnlyAdmin


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
        ("What changed", {"fields": ("shown_before", "shown_after")}),
    )

    @admin.display(description="what")
    def sentence(self, event: AuditEvent) -> str:
        """Say what was done."""
        return event_sentence(event.code)

    @admin.display(description="before")
    def shown_before(self, event: AuditEvent) -> SafeString:
        """Show the state before."""
        return _shown(event.before)

    @admin.display(description="after")
    def shown_after(self, event: AuditEvent) -> SafeString:
        """Show the state after."""
        return _shown(event.after)


def _shown(state: dict[str, Any]) -> SafeString:
    text = json.dumps(state, indent=2, ensure_ascii=False)
    return format_html('<pre tabindex="0">{}</pre>', text)
