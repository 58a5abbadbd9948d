"""Requests to deactivate a bill group: what waits for support, and what came of it."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.display import NOTHING, badge
from billing.models import DeactivationRequest
from config.adminsite.model_admin import ReadOnlyAdmin

STATES = {
    "REQUESTED": Badge("Requested", "wait"),
    "APPROVED": Badge("Approved", "done"),
    "DECLINED": Badge("Declined", "past"),
}


@admin.register(DeactivationRequest)
class DeactivationRequestAdmin(ReadOnlyAdmin):
    """Finance asks, support approves or declines (S3)."""

    list_display = (
        "group",
        "shown_state",
        "account",
        "reason",
        "requested_by",
        "requested_at",
    )
    list_select_related = ("bill_group__account",)
    list_filter = ("state",)
    list_note = "Finance asks support to deactivate a bill group; support decides."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "group": "m1",
        "shown_state": "m2",
        "account": "m4",
        "reason": "m6 small",
        "requested_by": "w2",
        "requested_at": "m5",
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("group_link", "account"),
                    ("shown_state", "requested_by", "requested_at"),
                    "reason",
                )
            },
        ),
        ("Decision", {"fields": (("decided_by", "decided_at"),)}),
    )

    @admin.display(description="bill group")
    def group(self, request: DeactivationRequest) -> str:
        """Name the bill group by the id that support uses."""
        return str(request.bill_group)

    @admin.display(description="bill group")
    def group_link(self, request: DeactivationRequest) -> SafeString:
        """Lead to the bill group."""
        url = reverse("admin:billing_billgroup_change", args=[request.bill_group_id])
        return format_html('<a href="{}">{}</a>', url, request.bill_group)

    @admin.display(description="requested by")
    def requested_by(self, request: DeactivationRequest) -> str:
        """Name who asked."""
        return request.requested_by_name

    @admin.display(description="decided by")
    def decided_by(self, request: DeactivationRequest) -> str:
        """Name who decided."""
        return request.decided_by_name or NOTHING

    @admin.display(description="account")
    def account(self, request: DeactivationRequest) -> str:
        """Name the customer."""
        return str(request.bill_group.account)

    @admin.display(description="state")
    def shown_state(self, request: DeactivationRequest) -> SafeString:
        """Show what became of it."""
        return badge(STATES[request.state])

    def facts(self, subject: Any) -> list[str]:
        """Return whose bill group it is."""
        return [str(subject.bill_group), str(subject.bill_group.account)]
