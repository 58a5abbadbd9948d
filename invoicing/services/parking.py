"""Bill groups set aside by the run, and their release (G13)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import OperationalError, transaction
from django.db.models.functions import Now

from billing.models import BillGroup
from billing.services.audit import record
from billing.services.reasons import given
from invoicing.models import InvoiceRun, ParkedBillGroup
from invoicing.services.locks import (
    is_lock_trouble,
    limit_lock_waits,
    lock_bill_groups,
)


class NotParked(ValueError):
    """A bill group that is not parked was to be released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRelease:
    """What became of several: the released ones, and why others were not."""

    released: tuple[ParkedBillGroup, ...]
    refused: tuple[tuple[BillGroup, str], ...]


def reason_to_park(fault: Exception) -> str:
    """Say what broke: our own refusals as they are, anything else by its kind.

    Raises the fault again when the database itself is gone: no group is to blame.
    """
    if isinstance(fault, OperationalError) and not is_lock_trouble(fault):
        raise fault
    text = str(fault).strip() or "no further message"
    if isinstance(fault, ValueError):
        return text
    return f"{type(fault).__name__}: {text}"


@transaction.atomic
def park_bill_group(
    *, bill_group: BillGroup, reason: str, run: InvoiceRun | None
) -> ParkedBillGroup:
    """Set a bill group aside until someone releases it; parking twice keeps the first.

    The reason is a sentence for finance staff (G13).
    """
    lock_bill_groups([bill_group.pk])
    parked = ParkedBillGroup.objects.filter(
        bill_group=bill_group, released_at=None
    ).first()
    if parked is not None:
        return parked
    parked = ParkedBillGroup.objects.create(
        bill_group=bill_group, reason=reason, run=run
    )
    record(
        "bill_group.parked",
        actor=None,
        subject=bill_group.public_id,
        account_id=bill_group.account_id,
        bill_group_id=bill_group.pk,
        after={"parked": True},
        reason=reason,
    )
    return parked


@transaction.atomic
def release_bill_group(
    *, bill_group: BillGroup, reason: str, actor: AbstractBaseUser | None
) -> ParkedBillGroup:
    """Let the run take a parked bill group again (G13).

    Raises `NotParked` and `ReasonMissing`.
    """
    reason = given(reason, kept_with="bill group")
    limit_lock_waits()
    lock_bill_groups([bill_group.pk])
    parked = ParkedBillGroup.objects.filter(
        bill_group=bill_group, released_at=None
    ).first()
    if parked is None:
        raise NotParked(f"{bill_group.public_id} is not parked.")
    ParkedBillGroup.objects.filter(pk=parked.pk).update(
        released_at=Now(),
        released_by_id=None if actor is None else actor.pk,
        release_reason=reason,
    )
    record(
        "bill_group.released",
        actor=actor,
        subject=bill_group.public_id,
        account_id=bill_group.account_id,
        bill_group_id=bill_group.pk,
        before={"parked": True, "because": parked.reason},
        after={"parked": False},
        reason=reason,
    )
    parked.refresh_from_db()
    return parked


def release_bill_groups(
    *, bill_groups: Iterable[BillGroup], reason: str, actor: AbstractBaseUser | None
) -> BulkRelease:
    """Release several bill groups, each in its own transaction, by id (G13).

    Raises `ReasonMissing`, before anything is released.
    """
    released: list[ParkedBillGroup] = []
    refused: list[tuple[BillGroup, str]] = []
    for group in sorted(bill_groups, key=lambda one: one.pk):
        try:
            released.append(
                release_bill_group(bill_group=group, reason=reason, actor=actor)
            )
        except NotParked as refusal:
            refused.append((group, str(refusal)))
    return BulkRelease(released=tuple(released), refused=tuple(refused))
