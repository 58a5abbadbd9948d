"""Parked bill groups and their release (G13)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.display import badge, count_text, day_text, instant_text
from billing.models import TaxRate
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.bulk import BulkAction, BulkDone, bulk_action
from config.adminsite.changelist import FinanceChangeList
from config.adminsite.model_admin import ReadOnlyAdmin
from contracts.forms import ReasonForm
from invoicing.models import InvoiceRun, ParkedBillGroup
from invoicing.queries.parked import Retry, rates_to_mend, retries
from invoicing.services.parking import (
    NotParked,
    release_bill_group,
    release_bill_groups,
)


class OfRun(admin.SimpleListFilter):
    """Parked by the run that the address names."""

    title = "run"
    parameter_name = "run"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> tuple[tuple[str, str], ...]:
        """Offer the one that is chosen."""
        wanted = request.GET.get("run", "")
        if not (wanted.isdecimal() and len(wanted) < 19):
            return ()
        run = InvoiceRun.objects.filter(pk=int(wanted)).first()
        return ((wanted, f"As of {day_text(run.as_of)}"),) if run else ()

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Filter by the run."""
        return queryset.filter(run=self.value()) if self.value() else queryset


class ParkedChangeList(FinanceChangeList):
    """The parkings of a page, with what came after their release."""

    def get_results(self, request: HttpRequest) -> None:
        """Read what came after for all rows of the page at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = retries(self.result_list)
        rates = rates_to_mend(self.result_list)
        for parked in self.result_list:
            parked.retry = found.get(parked.pk)
            parked.rate = rates.get(parked.pk)


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

    list_display = (
        "bill_group",
        "shown_state",
        "account",
        "shown_reason",
        "shown_retry",
        "parked_at",
    )
    list_select_related = ("bill_group__account", "released_by")
    list_filter = (StillParked, OfRun)
    list_note = "Set aside by the run; retried only when someone releases them."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "bill_group": "m1",
        "shown_state": "m2",
        "account": "m4",
        "shown_reason": "m6 small",
        "shown_retry": "w2 small",
        "parked_at": "m5",
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("bill_group", "account"),
                    ("shown_state", "parked_at", "run"),
                    "shown_reason",
                )
            },
        ),
        (
            "Release",
            {
                "fields": (
                    ("released_at", "person"),
                    "release_reason",
                    "shown_retry",
                )
            },
        ),
    )

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[FinanceChangeList]:
        """Read what came after the release with the list."""
        return ParkedChangeList

    @admin.display(description="released by")
    def person(self, parked: ParkedBillGroup) -> str:
        """Name who released it."""
        return str(parked.released_by or self.empty_value_display)

    @admin.display(description="reason")
    def shown_reason(self, parked: Any) -> SafeString | str:
        """Say why it was set aside, with a link to what mends it."""
        if not hasattr(parked, "rate"):
            parked.rate = rates_to_mend([parked]).get(parked.pk)
        return reason_text(parked.reason, parked.rate)

    @admin.display(description="since then")
    def shown_retry(self, parked: Any) -> SafeString | str:
        """Say what the runs did with it after its release."""
        if parked.released_at is None:
            return "waits for a release"
        if not hasattr(parked, "retry"):
            parked.retry = retries([parked]).get(parked.pk)
        return retry_text(parked.retry)

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


def reason_text(reason: str, rate: TaxRate | None) -> SafeString | str:
    """Write a reason, with a link to the tax rate that lacks a percent."""
    if rate is None:
        return reason
    url = reverse("admin:billing_taxrate_change", args=[rate.pk])
    return format_html('{} <a href="{}">Open the tax rate</a>', reason, url)


def retry_text(retry: Retry | None) -> SafeString | str:
    """Say what came first after a release, with a link to it."""
    if retry is None:
        return "the next run takes it"
    if retry.parked_again is not None:
        parked = retry.parked_again
        url = reverse("admin:invoicing_parkedbillgroup_change", args=[parked.pk])
        return format_html(
            '<a href="{}">parked again</a> {}', url, instant_text(parked.parked_at)
        )
    decision = retry.decision
    if decision is None or decision.invoice is None:
        return decision.sentence if decision else ""
    url = reverse("admin:invoicing_invoice_change", args=[decision.invoice.pk])
    return format_html('tried again: <a href="{}">{}</a>', url, decision.invoice)


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


@bulk_action
class ReleaseSeveral(BulkAction):
    """Let the run take several bill groups again, for one reason."""

    model = ParkedBillGroup
    slug = "release_several"
    label = "Release"
    confirm_label = "Release these bill groups"
    permission = "invoicing.release_parkedbillgroup"
    form_class = ReasonForm

    def review(self, request: HttpRequest, chosen: QuerySet[Any]) -> Review:
        """Show which are released, and why each was parked."""
        parked = list(_still_parked(chosen))
        if not parked:
            return Review(refusal="None of the chosen bill groups is parked any more.")
        others = chosen.count() - len(parked)
        return Review(
            sentence=f"{count_text(len(parked), 'bill group')} to release. The next "
            "run takes them again; where the reason still holds, it parks them again.",
            figures=(Figure(label="Bill groups", value=f"{len(parked):,}"),),
            warnings=(f"{others} of the chosen were released already.",)
            if others
            else (),
            template="admin/invoicing/includes/parked.html",
            context={"parked": parked},
        )

    def perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> BulkDone:
        """Release them."""
        done = release_bill_groups(
            bill_groups=[parked.bill_group for parked in _still_parked(chosen)],
            reason=answers["reason"],
            actor=actor_of(request),
        )
        count = len(done.released)
        return BulkDone(
            message=f"{count_text(count, 'bill group')} released; the next run takes "
            f"{'it' if count == 1 else 'them'}."
            if count
            else "",
            refused=tuple(why for _, why in done.refused),
        )


def _still_parked(chosen: QuerySet[Any]) -> QuerySet[Any]:
    return (
        chosen.filter(released_at=None)
        .select_related("bill_group__account")
        .order_by("bill_group_id")
    )
