"""Stop a bill group: deactivate it, ask support to, or cancel it (S3, S4).

Each review shows what would wait: pending charges and their value, and drafts.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, ClassVar, Final

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, instant_text, money_text
from billing.domain.bill_group import BillGroupStatus
from billing.models import BillGroup, DeactivationRequest
from billing.services.bill_groups import (
    AlreadyRequested,
    ClosedPeriodBillGroup,
    NotActive,
    StillBilled,
    cancel_bill_group,
    check_stop,
    deactivate_bill_group,
    request_deactivation,
)
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.clock import today_in
from contracts.forms import ReasonForm
from invoicing.queries.stopping import (
    Waiting,
    planned_invoices,
    waiting_charges,
    waiting_drafts,
)

PLANNED_SHOWN: Final = 12


def waiting_figures(
    bill_group_ids: Collection[int], *, today: date
) -> tuple[Figure, ...]:
    """Return what would wait, an amount a currency: pending charges and drafts."""
    pending = waiting_charges(bill_group_ids, today=today)
    drafts = waiting_drafts(bill_group_ids)
    return (
        Figure(
            label="Charges that wait",
            value=f"{sum(one.charges for one in pending):,}",
            note=_invoices_text(pending),
        ),
        *(
            Figure(
                label=f"Value that waits, {one.currency}",
                value=f"{money_text(one.amount, one.currency)} {one.currency}",
                note="before tax" + (", and usage to come" if one.unrated else ""),
            )
            for one in pending
        ),
        *(
            Figure(
                label="Drafts",
                value=f"{count:,}",
                note=f"{money_text(total, currency)} {currency} with tax",
            )
            for currency, (count, total) in drafts.items()
        ),
    )


def _invoices_text(pending: Collection[Waiting]) -> str:
    invoices = sum(one.invoices for one in pending)
    due = sum(one.due for one in pending)
    text = count_text(invoices, "pending invoice")
    return f"{text}, {due:,} due now" if due else text


class StopAction(ObjectAction):
    """What the ways to stop a bill group share."""

    model: ClassVar[type[Model]] = BillGroup
    form_class = ReasonForm
    form_heading = "Why"
    tone = "danger"
    becomes: ClassVar[BillGroupStatus] = BillGroupStatus.INACTIVE
    refusals = (
        AlreadyRequested,
        ClosedPeriodBillGroup,
        NotActive,
        ReasonMissing,
        StillBilled,
    )

    def group_of(self, subject: Any) -> BillGroup:
        """Return the bill group that would be stopped."""
        group: BillGroup = subject
        return group

    def consequence(self, group: BillGroup) -> str:
        """Say what happens to the bill group."""
        raise NotImplementedError

    def refusal(self, subject: Any) -> str:
        """Only one that is active."""
        group = self.group_of(subject)
        is_active = group.status == BillGroupStatus.ACTIVE
        return "" if is_active else str(NotActive(group))

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what waits; what the database would refuse is refused here too."""
        group = self.group_of(subject)
        check_stop(bill_group=group, status=self.becomes)
        planned = planned_invoices(group.pk, most=PLANNED_SHOWN + 1)
        asked = waiting_request(group)
        return Review(
            sentence=self.consequence(group),
            figures=(
                Figure(
                    label="Bill group",
                    value=group.public_id,
                    note=f"{group.name}, {group.account}",
                ),
                *waiting_figures([group.pk], today=_today(group)),
            ),
            warnings=(_asked_text(asked),) if asked else (),
            template="admin/invoicing/includes/waiting.html",
            context={
                "group": group,
                "planned": planned[:PLANNED_SHOWN],
                "has_more": len(planned) > PLANNED_SHOWN,
            },
        )


@object_action
class DeactivateBillGroup(StopAction):
    """Support stops a bill group (S3)."""

    slug = "deactivate"
    label = "Deactivate"
    confirm_label = "Deactivate the bill group"
    permission = "billing.deactivate_billgroup"

    def consequence(self, group: BillGroup) -> str:
        """Charges stay pending, contracts and invoices are untouched."""
        return (
            f"{group.public_id} becomes inactive: nothing is generated for it, by the "
            "run or by hand, until it is set to Active. Its charges stay pending; "
            "contracts and invoices are untouched."
        )

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Start with the reason that finance gave."""
        asked = waiting_request(self.group_of(subject))
        return {"initial": {"reason": asked.reason if asked else ""}}

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Deactivate it; a request that waits is approved by it."""
        group = deactivate_bill_group(
            bill_group=self.group_of(subject),
            reason=answers["reason"],
            actor=actor_of(request),
            today=_today(self.group_of(subject)),
        )
        return Done(
            message=f"{group.public_id} is inactive. Its charges stay pending and "
            "nothing is generated for it.",
            url=self.back_url(subject),
            link="See what waits",
            link_url=overview_url(group),
        )


@object_action
class RequestDeactivation(StopAction):
    """Finance asks support to stop a bill group (S3)."""

    slug = "request-deactivation"
    label = "Request deactivation"
    confirm_label = "Ask support to deactivate it"
    permission = "billing.request_deactivation"

    def refusal(self, subject: Any) -> str:
        """Only one that is active, once."""
        if refusal := super().refusal(subject):
            return refusal
        return str(AlreadyRequested(subject)) if waiting_request(subject) else ""

    def consequence(self, group: BillGroup) -> str:
        """Nothing happens until support approves."""
        return (
            f"Support is asked to deactivate {group.public_id}. Until they do, it is "
            "invoiced as before; then its charges stay pending and nothing is "
            "generated for it."
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Ask for it."""
        asked = request_deactivation(
            bill_group=subject, reason=answers["reason"], actor=actor_of(request)
        )
        return Done(
            message=f"The deactivation of {subject.public_id} is requested and waits "
            "for support. Until then it is invoiced as before.",
            url=self.back_url(subject),
            link="See the request",
            link_url=reverse(
                "admin:billing_deactivationrequest_change", args=[asked.pk]
            ),
        )


@object_action
class CancelBillGroup(StopAction):
    """Finance ends a bill group on which no contract is active."""

    slug = "cancel"
    label = "Cancel"
    confirm_label = "Cancel the bill group"
    permission = "billing.cancel_billgroup"
    becomes = BillGroupStatus.CANCELED

    def refusal(self, subject: Any) -> str:
        """An inactive one can be ended too."""
        is_canceled = subject.status == BillGroupStatus.CANCELED
        return str(NotActive(subject)) if is_canceled else ""

    def consequence(self, group: BillGroup) -> str:
        """Nothing is generated any more."""
        return (
            f"{group.public_id} is ended: nothing is generated for it any more. Its "
            "invoices are untouched, and what is pending stays pending. It can be set "
            "back to Active."
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Cancel it."""
        group = cancel_bill_group(
            bill_group=subject,
            reason=answers["reason"],
            actor=actor_of(request),
            today=_today(subject),
        )
        return Done(
            message=f"{group.public_id} is canceled. Nothing is generated for it.",
            url=self.back_url(subject),
            link="See its account",
            link_url=overview_url(group),
        )


def waiting_request(group: BillGroup) -> DeactivationRequest | None:
    """Return the request to deactivate a bill group that waits for support."""
    return DeactivationRequest.objects.filter(
        bill_group=group, state=DeactivationRequest.State.REQUESTED
    ).first()


def overview_url(group: BillGroup) -> str:
    """Return the Account Overview, at the bill group."""
    url = reverse("admin:billing_account_overview", args=[group.account_id])
    return f"{url}?bill_group={group.pk}"


def _asked_text(asked: DeactivationRequest) -> str:
    return (
        f"{asked.requested_by_name} asked support to deactivate it, "
        f"{instant_text(asked.requested_at)}: {asked.reason}"
    )


def _today(group: BillGroup) -> date:
    return today_in(group.legal_entity.time_zone)
