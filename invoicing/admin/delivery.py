"""Deliveries: papers and mails that are made after an invoice was issued (M7)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.display import badge
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.model_admin import ReadOnlyAdmin
from invoicing.choices import DELIVERY_KINDS, DELIVERY_STATES
from invoicing.domain.states import DeliveryState
from invoicing.models import Delivery
from invoicing.services.delivery import DeliveryNotFailed, retry_delivery


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was made and sent, and what failed."""

    list_display = (
        "shown_kind",
        "shown_state",
        "shown_invoice",
        "recipient",
        "attempts",
        "done_at",
    )
    list_select_related = ("invoice",)
    list_filter = ("state", "kind")
    list_note = "Papers and mails. A failing one never touches its invoice."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "shown_kind": "m1",
        "shown_state": "m2",
        "shown_invoice": "m3",
        "recipient": "m4",
        "attempts": "w2",
        "done_at": "m5",
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_invoice", "shown_kind"),
                    ("shown_state", "recipient"),
                    ("attempts", "not_before", "done_at"),
                    "last_error",
                )
            },
        ),
    )

    @admin.display(description="kind")
    def shown_kind(self, delivery: Delivery) -> str:
        """Show whether it is the paper or the mail."""
        return DELIVERY_KINDS.badge(delivery.kind).label

    @admin.display(description="state")
    def shown_state(self, delivery: Delivery) -> SafeString:
        """Show how far it is."""
        return badge(DELIVERY_STATES.badge(delivery.state))

    @admin.display(description="invoice")
    def shown_invoice(self, delivery: Delivery) -> SafeString:
        """Lead to the invoice."""
        url = reverse("admin:invoicing_invoice_change", args=[delivery.invoice_id])
        return format_html('<a class="plain" href="{}">{}</a>', url, delivery.invoice)


@object_action
class RetryDelivery(ObjectAction):
    """Try a failed delivery again."""

    model = Delivery
    slug = "retry"
    label = "Try again"
    permission = "invoicing.change_delivery"
    tone = "default"
    refusals = (DeliveryNotFailed,)

    def refusal(self, subject: Any) -> str:
        """Only what failed."""
        if subject.state == DeliveryState.FAILED:
            return ""
        return str(DeliveryNotFailed(subject))

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what failed and why."""
        return Review(
            sentence="It is queued again and worked on within a minute or two.",
            figures=(
                Figure(
                    label="Delivery",
                    value=DELIVERY_KINDS.badge(subject.kind).label,
                    note=str(subject.invoice),
                ),
                Figure(label="Tried", value=f"{subject.attempts} times"),
            ),
            warnings=(subject.last_error,) if subject.last_error else (),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Queue it."""
        retry_delivery(delivery=subject, actor=actor_of(request))
        return Done(
            message="Queued again.",
            url=reverse("admin:invoicing_delivery_changelist"),
        )
