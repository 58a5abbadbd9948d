"""Stop several bill groups of the list, or set them to Active (S3, S4, G4).

What would be refused is named on the review with the sentence of the database; the
others are stopped all the same.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import HttpRequest

from billing.display import count_text
from billing.domain.bill_group import BillGroupStatus
from billing.models import BillGroup, DeactivationRequest
from billing.services.bill_groups import (
    ClosedPeriodBillGroup,
    NotActive,
    StillBilled,
    check_stop,
)
from billing.services.several_bill_groups import (
    Several,
    cancel_bill_groups,
    deactivate_bill_groups,
    reactivate_bill_groups,
    request_deactivations,
)
from config.adminsite.actions import Figure, Review
from config.adminsite.actor import actor_of
from config.adminsite.bulk import BulkAction, BulkDone, bulk_action
from contracts.domain.terms import ContractStatus
from contracts.forms import ReasonForm
from contracts.models import Contract
from invoicing.admin.invoice import local_today
from invoicing.admin.stopping import waiting_figures
from invoicing.queries.stopping import in_closed_periods

SENTENCES_SHOWN: Final = 5
ACTIVE: Final = BillGroupStatus.ACTIVE
LEFT: Final = (
    "What they missed stays pending. To bill or skip it, set a bill group to Active "
    "from its own page."
)


class StopSeveral(BulkAction):
    """What the ways to stop bill groups share."""

    model = BillGroup
    form_class = ReasonForm
    form_heading = "Why"
    becomes: ClassVar[BillGroupStatus] = BillGroupStatus.INACTIVE
    of_status: ClassVar[frozenset[BillGroupStatus]] = frozenset({ACTIVE})
    consequence: ClassVar[str]
    outcome: ClassVar[str]

    def excluded(self, group_ids: Collection[int]) -> set[int]:
        """Return the bill groups that the database refuses (S4)."""
        return in_closed_periods(group_ids)

    def stop(
        self, request: HttpRequest, groups: list[BillGroup], reason: str
    ) -> Several:
        """Call the service."""
        raise NotImplementedError

    def review(self, request: HttpRequest, chosen: QuerySet[Any]) -> Review:
        """Show what would wait, and who is left out and why."""
        groups = _groups(chosen)
        candidates = [group for group in groups if group.status in self.of_status]
        excluded = self.excluded([group.pk for group in candidates])
        eligible = [group for group in candidates if group.pk not in excluded]
        warnings = [
            self.sentence_for(group) for group in candidates if group.pk in excluded
        ][:SENTENCES_SHOWN]
        if others := len(excluded) - len(warnings):
            warnings.append(f"{others} more can't be changed, for like reasons.")
        if others := len(groups) - len(candidates):
            warnings.append(f"{others} of the chosen are stopped already.")
        if not eligible:
            return Review(
                refusal=" ".join(warnings) or "None of the chosen can be changed."
            )
        return Review(
            sentence=f"{count_text(len(eligible), 'bill group')}: {self.consequence}",
            figures=(
                Figure(label="Bill groups", value=f"{len(eligible):,}"),
                *waiting_figures([group.pk for group in eligible], today=local_today()),
            ),
            warnings=tuple(warnings),
            template="admin/invoicing/includes/bill_groups.html",
            context={"groups": eligible},
        )

    def sentence_for(self, group: BillGroup) -> str:
        """Return what the database says against one bill group."""
        try:
            check_stop(bill_group=group, status=self.becomes)
        except (ClosedPeriodBillGroup, NotActive, StillBilled) as refusal:
            return str(refusal)
        return f"{group.public_id} waits for support already."

    def perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> BulkDone:
        """Do it to each that allows it."""
        several = self.stop(request, _groups(chosen), answers["reason"])
        count = count_text(len(several.done), "bill group")
        return BulkDone(
            message=f"{count} {self.outcome}" if several.done else "",
            refused=several.refused,
        )


@bulk_action
class CancelSeveral(StopSeveral):
    """End bill groups on which no contract is active."""

    slug = "cancel_several"
    label = "Cancel"
    confirm_label = "Cancel these bill groups"
    permission = "billing.cancel_billgroup"
    becomes = BillGroupStatus.CANCELED
    of_status = frozenset({ACTIVE, BillGroupStatus.INACTIVE})
    consequence = "nothing is generated any more, and what is pending stays pending."
    outcome = "canceled. Nothing is generated for them."

    def excluded(self, group_ids: Collection[int]) -> set[int]:
        """Return those with an active contract."""
        active = Contract.objects.filter(
            bill_group__in=list(group_ids), status=ContractStatus.ACTIVE
        )
        return set(active.values_list("bill_group_id", flat=True))

    def stop(
        self, request: HttpRequest, groups: list[BillGroup], reason: str
    ) -> Several:
        """Cancel them."""
        return cancel_bill_groups(
            bill_groups=groups,
            reason=reason,
            actor=actor_of(request),
            today=local_today(),
        )


@bulk_action
class RequestSeveral(StopSeveral):
    """Ask support to deactivate bill groups (S3)."""

    slug = "request_deactivation"
    label = "Request deactivation"
    confirm_label = "Ask support to deactivate them"
    permission = "billing.request_deactivation"
    consequence = "support is asked to deactivate. Until they do, nothing changes."
    outcome = "put to support. Until they approve, invoicing goes on."

    def excluded(self, group_ids: Collection[int]) -> set[int]:
        """Return those that can't be deactivated, or wait for support already."""
        waiting = DeactivationRequest.objects.filter(
            bill_group__in=list(group_ids), state=DeactivationRequest.State.REQUESTED
        )
        return super().excluded(group_ids) | set(
            waiting.values_list("bill_group_id", flat=True)
        )

    def stop(
        self, request: HttpRequest, groups: list[BillGroup], reason: str
    ) -> Several:
        """Ask for it."""
        return request_deactivations(
            bill_groups=groups, reason=reason, actor=actor_of(request)
        )


@bulk_action
class DeactivateSeveral(StopSeveral):
    """Support stops bill groups (S3)."""

    slug = "deactivate_several"
    label = "Deactivate"
    confirm_label = "Deactivate these bill groups"
    permission = "billing.deactivate_billgroup"
    consequence = (
        "nothing is generated until they are set to Active. Charges stay pending; "
        "contracts and invoices are untouched."
    )
    outcome = "deactivated. Their charges stay pending."

    def stop(
        self, request: HttpRequest, groups: list[BillGroup], reason: str
    ) -> Several:
        """Deactivate them."""
        return deactivate_bill_groups(
            bill_groups=groups,
            reason=reason,
            actor=actor_of(request),
            today=local_today(),
        )


@bulk_action
class ReactivateSeveral(BulkAction):
    """Set bill groups to Active and leave what they missed (S3, G4)."""

    model = BillGroup
    slug = "reactivate_several"
    label = "Set to Active"
    confirm_label = "Set these bill groups to Active"
    permission = "billing.reactivate_billgroup"

    def review(self, request: HttpRequest, chosen: QuerySet[Any]) -> Review:
        """Show what stays pending."""
        groups = _groups(chosen)
        stopped = [group for group in groups if group.status != ACTIVE]
        if not stopped:
            return Review(refusal="All of the chosen bill groups are active.")
        others = len(groups) - len(stopped)
        return Review(
            sentence=f"{count_text(len(stopped), 'bill group')} to set to Active. "
            "Nothing is billed: the next invoice of each is generated by hand, then "
            "it follows its invoicing mode again.",
            figures=(
                Figure(label="Bill groups", value=f"{len(stopped):,}"),
                *waiting_figures([group.pk for group in stopped], today=local_today()),
            ),
            warnings=(
                LEFT,
                *([f"{others} of the chosen are active already."] if others else []),
            ),
            template="admin/invoicing/includes/bill_groups.html",
            context={"groups": stopped},
        )

    def perform(
        self, request: HttpRequest, chosen: QuerySet[Any], answers: Mapping[str, Any]
    ) -> BulkDone:
        """Set them to Active."""
        several = reactivate_bill_groups(
            bill_groups=_groups(chosen), actor=actor_of(request), today=local_today()
        )
        count = count_text(len(several.done), "bill group")
        return BulkDone(
            message=f"{count} set to Active. The next invoice of each is generated by "
            "hand."
            if several.done
            else "",
            refused=several.refused,
        )


def _groups(chosen: QuerySet[Any]) -> list[BillGroup]:
    return list(chosen.select_related("account").order_by("pk"))
