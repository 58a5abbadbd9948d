"""Support decides on a request: approve it, which deactivates, or decline it (S3)."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.display import instant_text
from billing.models import BillGroup, DeactivationRequest
from billing.services.bill_groups import (
    NotWaiting,
    decline_deactivation,
)
from billing.services.reasons import ReasonMissing
from config.adminsite import registry
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.registry import Count, WorkItem
from contracts.forms import ReasonForm
from invoicing.admin.stopping import DeactivateBillGroup

DECIDE = "billing.deactivate_billgroup"
REQUESTED = DeactivationRequest.State.REQUESTED


def _refusal(request: DeactivationRequest) -> str:
    return "" if request.state == REQUESTED else str(NotWaiting(request))


@object_action
class ApproveDeactivation(DeactivateBillGroup):
    """Approve a request: deactivate its bill group."""

    model = DeactivationRequest
    slug = "approve"
    label = "Approve and deactivate"
    tone = "default"

    def group_of(self, subject: Any) -> BillGroup:
        """Return the bill group that the request is about."""
        group: BillGroup = subject.bill_group
        return group

    def refusal(self, subject: Any) -> str:
        """Only one that waits."""
        return _refusal(subject) or super().refusal(subject)


@object_action
class DeclineDeactivation(ObjectAction):
    """Decline a request: the bill group stays active."""

    model = DeactivationRequest
    slug = "decline"
    label = "Decline"
    confirm_label = "Decline the request"
    permission = DECIDE
    form_class = ReasonForm
    form_heading = "Why"
    refusals = (NotWaiting, ReasonMissing)

    def refusal(self, subject: Any) -> str:
        """Only one that waits."""
        return _refusal(subject)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show who asked and why."""
        group = subject.bill_group
        return Review(
            sentence=f"{group.public_id} stays active and is invoiced as before. "
            "Finance can ask again.",
            figures=(
                Figure(
                    label="Bill group",
                    value=group.public_id,
                    note=f"{group.name}, {group.account}",
                ),
                Figure(
                    label="Requested by",
                    value=subject.requested_by_name,
                    note=instant_text(subject.requested_at),
                ),
            ),
            warnings=(subject.reason,),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Decline it."""
        declined = decline_deactivation(
            request=subject, reason=answers["reason"], actor=actor_of(request)
        )
        group = declined.bill_group
        return Done(
            message=f"Declined: {group.public_id} stays active.",
            url=reverse("admin:billing_deactivationrequest_changelist"),
            link="See the bill group",
            link_url=reverse("admin:billing_billgroup_change", args=[group.pk]),
        )


def work(request: HttpRequest) -> Iterator[WorkItem]:
    """Yield the requests that wait, to those who decide."""
    if not request.user.has_perm(DECIDE):
        return
    waiting = DeactivationRequest.objects.filter(state=REQUESTED)
    oldest = waiting.order_by("pk").values_list("reason", flat=True)[:1]
    yield WorkItem(
        count=waiting.count(),
        label="Deactivation requests",
        detail="".join(oldest),
        url=reverse("admin:billing_deactivationrequest_changelist")
        + f"?state__exact={REQUESTED}",
    )


def counts(request: HttpRequest) -> Iterator[Count]:
    """Count them beside Accounts."""
    if not request.user.has_perm(DECIDE):
        return
    waiting = DeactivationRequest.objects.filter(state=REQUESTED)
    yield Count(door="accounts", count=waiting.count(), noun="deactivation requests")


registry.work.append(work)
registry.counts.append(counts)
