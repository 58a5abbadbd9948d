"""Stop a bill group and set it to Active again (S3, S4, G2, G4).

Deactivating touches nothing but the bill group: its charges stay pending, contracts and
invoices are as they were, and nothing is generated. Finance asks for it, support does
it. Set back to Active, its next invoice is made by hand (G4).
"""

from datetime import date
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from billing.domain.bill_group import BillGroupStatus
from billing.models import BillGroup, DeactivationRequest
from billing.services.audit import actor_fields, record
from billing.services.database_refusals import refused_as
from billing.services.reasons import given


class NotActive(ValueError):
    """A bill group that is not active was to be stopped."""

    def __init__(self, group: BillGroup) -> None:
        super().__init__(
            f"{group.public_id} is {group.get_status_display().lower()} already. "
            "Nothing was changed."
        )


class AlreadyActive(ValueError):
    """A bill group that is active was to be set to Active."""

    def __init__(self, group: BillGroup) -> None:
        super().__init__(f"{group.public_id} is active. Nothing was changed.")


class ClosedPeriodBillGroup(ValueError):
    """A bill group that lies wholly in closed periods was to be deactivated (S4)."""


class StillBilled(ValueError):
    """A bill group with an active contract was to be canceled; the text names it."""


class AlreadyRequested(ValueError):
    """A deactivation that waits for support already was asked for again."""

    def __init__(self, group: BillGroup) -> None:
        super().__init__(
            f"The deactivation of {group.public_id} was requested already and waits "
            "for support."
        )


class NotWaiting(ValueError):
    """A request that was decided already was to be decided."""

    def __init__(self, request: DeactivationRequest) -> None:
        super().__init__(
            f"The request is {request.get_state_display().lower()} already. Nothing "
            "was changed."
        )


# What the database refuses, by the name that it gives to the refusal.
_REFUSALS: Final[dict[str, type[ValueError]]] = {
    "bill_group_of_closed_periods_stays": ClosedPeriodBillGroup,
    "bill_group_with_active_contract_stays": StillBilled,
}
_STOPPED_FROM: Final = {
    BillGroupStatus.INACTIVE: frozenset({BillGroupStatus.ACTIVE}),
    BillGroupStatus.CANCELED: frozenset(
        {BillGroupStatus.ACTIVE, BillGroupStatus.INACTIVE}
    ),
}
_CODES: Final = {
    BillGroupStatus.ACTIVE: "bill_group.reactivated",
    BillGroupStatus.INACTIVE: "bill_group.deactivated",
    BillGroupStatus.CANCELED: "bill_group.canceled",
}


@transaction.atomic
def deactivate_bill_group(
    *,
    bill_group: BillGroup,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
) -> BillGroup:
    """Stop a bill group's future invoices; a request that waits is approved (S3).

    Raises `ReasonMissing`, `NotActive`, and `ClosedPeriodBillGroup`, which names the
    period (S4).
    """
    reason = given(reason, kept_with="bill group")
    group = _lock_active(bill_group)
    _set_status(group, BillGroupStatus.INACTIVE, actor, today=today, reason=reason)
    _waiting(group).update(**_decision(DeactivationRequest.State.APPROVED, actor))
    return group


@transaction.atomic
def cancel_bill_group(
    *,
    bill_group: BillGroup,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
) -> BillGroup:
    """End a bill group on which no contract is active; a waiting request is done too.

    Raises `ReasonMissing`, `NotActive` for one that is canceled, and `StillBilled`.
    """
    reason = given(reason, kept_with="bill group")
    group = _lock(bill_group)
    if group.status == BillGroupStatus.CANCELED:
        raise NotActive(group)
    _set_status(group, BillGroupStatus.CANCELED, actor, today=today, reason=reason)
    _waiting(group).update(**_decision(DeactivationRequest.State.APPROVED, actor))
    return group


@transaction.atomic
def reactivate_bill_group(
    *, bill_group: BillGroup, actor: AbstractBaseUser | None, today: date
) -> BillGroup:
    """Set a bill group to Active; its next invoice is made by hand (S3, G4).

    Raises `AlreadyActive`.
    """
    group = _lock(bill_group)
    if group.status == BillGroupStatus.ACTIVE:
        raise AlreadyActive(group)
    group.awaiting_manual_invoice = True
    _set_status(group, BillGroupStatus.ACTIVE, actor, today=today, reason="")
    return group


@transaction.atomic
def request_deactivation(
    *, bill_group: BillGroup, reason: str, actor: AbstractBaseUser | None
) -> DeactivationRequest:
    """Ask support to deactivate a bill group (S3).

    Raises `ReasonMissing`, `NotActive`, `AlreadyRequested`, and `ClosedPeriodBillGroup`
    for what support could not do either (S4).
    """
    reason = given(reason, kept_with="bill group")
    group = _lock_active(bill_group)
    if _waiting(group).exists():
        raise AlreadyRequested(group)
    check_stop(bill_group=group, status=BillGroupStatus.INACTIVE)
    request = DeactivationRequest.objects.create(
        bill_group=group, reason=reason, requested_by_name=_name(actor)
    )
    _record("bill_group.deactivation_requested", group, actor, reason=reason)
    return request


@transaction.atomic
def decline_deactivation(
    *,
    request: DeactivationRequest,
    reason: str,
    actor: AbstractBaseUser | None,
) -> DeactivationRequest:
    """Leave a bill group active although its deactivation was requested.

    Raises `ReasonMissing` and `NotWaiting`.
    """
    reason = given(reason, kept_with="bill group")
    group = _lock(request.bill_group)
    declined = DeactivationRequest.State.DECLINED
    if not _waiting(group).filter(pk=request.pk).update(**_decision(declined, actor)):
        request.refresh_from_db()
        raise NotWaiting(request)
    request.refresh_from_db()
    _record("bill_group.deactivation_declined", group, actor, reason=reason)
    return request


def check_stop(*, bill_group: BillGroup, status: BillGroupStatus) -> None:
    """Find out whether a bill group can be stopped, and leave it as it is (S4).

    Asks the database, as the deed itself does. Raises `NotActive`,
    `ClosedPeriodBillGroup` and `StillBilled`.
    """
    with transaction.atomic():
        group = _lock(bill_group)
        if group.status not in _STOPPED_FROM[status]:
            raise NotActive(group)
        _store_status(group, status)
        transaction.set_rollback(True)


def _lock(bill_group: BillGroup) -> BillGroup:
    return (
        BillGroup.objects.select_for_update(no_key=True, of=("self",))
        .select_related("account")
        .get(pk=bill_group.pk)
    )


def _lock_active(bill_group: BillGroup) -> BillGroup:
    group = _lock(bill_group)
    if group.status != BillGroupStatus.ACTIVE:
        raise NotActive(group)
    return group


def _waiting(group: BillGroup) -> QuerySet[DeactivationRequest]:
    return DeactivationRequest.objects.filter(
        bill_group=group, state=DeactivationRequest.State.REQUESTED
    )


def _decision(
    state: DeactivationRequest.State, actor: AbstractBaseUser | None
) -> dict[str, Any]:
    return {"state": state, "decided_by_name": _name(actor), "decided_at": Now()}


def _name(actor: AbstractBaseUser | None) -> str:
    return str(actor_fields(actor)["actor_name"])


def _set_status(
    group: BillGroup,
    status: BillGroupStatus,
    actor: AbstractBaseUser | None,
    *,
    today: date,
    reason: str,
) -> None:
    before = group.status
    _store_status(group, status)
    _record(
        _CODES[status],
        group,
        actor,
        before={"status": before},
        after={"status": status, "since": today.isoformat()},
        reason=reason,
    )


def _store_status(group: BillGroup, status: BillGroupStatus) -> None:
    """Store a status; where the database refuses it, its sentence is raised."""
    group.status = status.value
    with refused_as(_REFUSALS):
        group.save(update_fields=["status", "awaiting_manual_invoice"])


def _record(
    code: str,
    group: BillGroup,
    actor: AbstractBaseUser | None,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
    reason: str,
) -> None:
    record(
        code,
        actor=actor,
        subject=group.public_id,
        account_id=group.account_id,
        bill_group_id=group.pk,
        before=before,
        after=after,
        reason=reason,
    )
