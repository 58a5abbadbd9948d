"""Deliveries: papers and mails that are made after a document was issued (M7)."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.display import badge, count_text, instant_text
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.bulk import BulkAction, BulkDone, bulk_action
from config.adminsite.model_admin import ReadOnlyAdmin
from invoicing.choices import DELIVERY_KINDS, DELIVERY_STATES
from invoicing.domain.states import DeliveryState
from invoicing.models import Delivery
from invoicing.services.delivery import (
    DeliveryNotFailed,
    retry_deliveries,
    retry_delivery,
)

REASONS_SHOWN: Final = 5


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was made and sent, and what failed."""

    list_display = (
        "shown_kind",
        "shown_state",
        "shown_document",
        "shown_recipient",
        "shown_error",
        "attempts",
        "shown_when",
    )
    list_select_related = ("invoice", "credit_note")
    list_filter = ("state", "kind")
    list_note = "Papers and mails. A failing one never touches its document."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "shown_kind": "m1",
        "shown_state": "m2",
        "shown_document": "m3",
        "shown_recipient": "w2",
        "shown_error": "m4 small",
        "attempts": "w2 num",
        "shown_when": "m5",
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_document", "shown_kind"),
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

    @admin.display(description="to")
    def shown_recipient(self, delivery: Delivery) -> str:
        """Show where it is mailed."""
        return delivery.recipient or self.empty_value_display

    @admin.display(description="what went wrong")
    def shown_error(self, delivery: Delivery) -> str:
        """Show the last error of what is not done."""
        return delivery.last_error if delivery.state != DeliveryState.SENT else ""

    @admin.display(description="when")
    def shown_when(self, delivery: Delivery) -> str:
        """Show when it was done, or is tried next."""
        if delivery.done_at is not None:
            return instant_text(delivery.done_at)
        if delivery.state == DeliveryState.FAILED:
            return "not until tried again"
        return f"next try {instant_text(delivery.not_before)}"

    @admin.display(description="document")
    def shown_document(self, delivery: Delivery) -> SafeString:
        """Lead to the invoice or credit note."""
        model = "invoice" if delivery.credit_note is None else "creditnote"
        document = delivery.document
        url = reverse(f"admin:invoicing_{model}_change", args=[document.pk])
        return format_html('<a class="plain" href="{}">{}</a>', url, document)


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
                    note=str(subject.document),
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


@bulk_action
class RetryDeliveries(BulkAction):
    """Try several failed deliveries again."""

    model = Delivery
    slug = "retry_deliveries"
    label = "Try again"
    confirm_label = "Try these again"
    permission = "invoicing.change_delivery"

    def review(self, request: HttpRequest, chosen: QuerySet[Any]) -> Review:
        """Show how many failed, and each reason once with its count."""
        reasons = Counter(
            _failed(chosen).order_by("pk").values_list("last_error", flat=True)
        )
        failed = reasons.total()
        if not failed:
            return Review(refusal="None of the chosen deliveries has failed.")
        others = chosen.count() - failed
        warnings = [
            f"{count:,} failed with: {reason or 'no reason was kept.'}"
            for reason, count in reasons.most_common(REASONS_SHOWN)
        ]
        if others:
            warnings.append(f"{others} of the chosen have not failed and stay so.")
        return Review(
            sentence=f"{count_text(failed, 'delivery', 'deliveries')} to queue again, "
            "worked on within a minute or two. The documents are not touched.",
            figures=(Figure(label="Deliveries", value=f"{failed:,}"),),
            warnings=tuple(warnings),
        )

    def perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> BulkDone:
        """Queue them."""
        done = retry_deliveries(
            deliveries=_failed(chosen).select_related("invoice", "credit_note"),
            actor=actor_of(request),
        )
        count = len(done.queued)
        message = f"{count_text(count, 'delivery', 'deliveries')} queued again."
        return BulkDone(message=message if count else "", refused=done.refused)


def _failed(chosen: QuerySet[Any]) -> QuerySet[Any]:
    return chosen.filter(state=DeliveryState.FAILED)
