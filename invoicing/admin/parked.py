"""Parked bill groups and their release (G13)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.display import badge, instant_text
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.model_admin import ReadOnlyAdmin
from contracts.forms import ReasonForm
from invoicing.models import ParkedBillGroup
from invoicing.services.parking import NotParked, ReasonMissing, release_bill_group


class StillParked(admin.SimpleListFilter):
    """Parked now, or released."""

    title = "state"
    parameter_name = "parked"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> tuple[tuple[str, str], ...]:
        """Offer both."""
        return (("yes", "Parked"), ("no", "Released"))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Filter by the release."""
        if self.value() is None:
            return queryset
        return queryset.filter(released_at__isnull=self.value() == "yes")


@admin.register(ParkedBillGroup)
class ParkedBillGroupAdmin(ReadOnlyAdmin):
    """Bill groups that the run set aside, with the reason."""

    list_display = ("bill_group", "shown_state", "account", "reason", "parked_at")
    list_select_related = ("bill_group__account", "released_by")
    list_filter = (StillParked,)
    list_note = "Set aside by the run; retried only when someone releases them."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "bill_group": "m1",
        "shown_state": "m2",
        "account": "m4",
        "reason": "m6",
        "parked_at": "m5",
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("bill_group", "account"),
                    ("shown_state", "parked_at", "run"),
                    "reason",
                )
            },
        ),
        ("Release", {"fields": (("released_at", "released_by"), "release_reason")}),
    )

    @admin.display(description="state")
    def shown_state(self, parked: ParkedBillGroup) -> SafeString:
        """Show whether it is still parked."""
        if parked.released_at is None:
            return badge(Badge("Parked", "stop"))
        return badge(Badge("Released", "past"))

    @admin.display(description="account")
    def account(self, parked: ParkedBillGroup) -> SafeString:
        """Lead to the Account Overview."""
        account = parked.bill_group.account
        url = reverse("admin:billing_account_overview", args=[account.pk])
        return format_html('<a class="plain" href="{}">{}</a>', url, account)


@object_action
class ReleaseParked(ObjectAction):
    """Let the run take a bill group again."""

    model = ParkedBillGroup
    slug = "release"
    label = "Release"
    confirm_label = "Release the bill group"
    permission = "invoicing.release_parkedbillgroup"
    tone = "default"
    form_class = ReasonForm
    refusals = (NotParked, ReasonMissing)

    def refusal(self, subject: Any) -> str:
        """Only what is still parked."""
        if subject.released_at is None:
            return ""
        return f"{subject.bill_group.public_id} was released already."

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what was wrong."""
        return Review(
            sentence="The next run takes the bill group again. If the reason still "
            "holds, it is parked again.",
            figures=(
                Figure(
                    label="Bill group",
                    value=subject.bill_group.public_id,
                    note=str(subject.bill_group.account),
                ),
                Figure(label="Parked", value=instant_text(subject.parked_at)),
            ),
            warnings=(subject.reason,),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Release it."""
        group = subject.bill_group
        release_bill_group(
            bill_group=group, reason=answers["reason"], actor=actor_of(request)
        )
        overview = reverse("admin:billing_account_overview", args=[group.account_id])
        return Done(
            message=f"{group.public_id} is released; the next run takes it.",
            url=reverse("admin:invoicing_parkedbillgroup_changelist"),
            link="See its pending invoices",
            link_url=f"{overview}?bill_group={group.pk}",
        )
