"""Stop several bill groups, or set them to Active: each by itself, by id (S3, S4).

One that is refused does not stop the others; its sentence comes back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AbstractBaseUser

from billing.models import BillGroup
from billing.services.bill_groups import (
    AlreadyActive,
    AlreadyRequested,
    ClosedPeriodBillGroup,
    NotActive,
    StillBilled,
    cancel_bill_group,
    deactivate_bill_group,
    reactivate_bill_group,
    request_deactivation,
)

_REFUSALS = (
    AlreadyActive,
    AlreadyRequested,
    ClosedPeriodBillGroup,
    NotActive,
    StillBilled,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """The bill groups to which it was done, and a sentence for each one refused."""

    done: tuple[BillGroup, ...]
    refused: tuple[str, ...]


def deactivate_bill_groups(
    *,
    bill_groups: Iterable[BillGroup],
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
) -> Several:
    """Deactivate bill groups. Raises `ReasonMissing`, before anything is done."""
    return _each(
        bill_groups,
        lambda group: deactivate_bill_group(
            bill_group=group, reason=reason, actor=actor, today=today
        ),
    )


def cancel_bill_groups(
    *,
    bill_groups: Iterable[BillGroup],
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
) -> Several:
    """Cancel bill groups. Raises `ReasonMissing`, before anything is done."""
    return _each(
        bill_groups,
        lambda group: cancel_bill_group(
            bill_group=group, reason=reason, actor=actor, today=today
        ),
    )


def request_deactivations(
    *, bill_groups: Iterable[BillGroup], reason: str, actor: AbstractBaseUser | None
) -> Several:
    """Ask support to deactivate bill groups. Raises `ReasonMissing`, before that."""
    return _each(
        bill_groups,
        lambda group: request_deactivation(
            bill_group=group, reason=reason, actor=actor
        ),
    )


def reactivate_bill_groups(
    *, bill_groups: Iterable[BillGroup], actor: AbstractBaseUser | None, today: date
) -> Several:
    """Set bill groups to Active; what they missed stays pending (S3, G4)."""
    return _each(
        bill_groups,
        lambda group: reactivate_bill_group(bill_group=group, actor=actor, today=today),
    )


def _each(
    bill_groups: Iterable[BillGroup], deed: Callable[[BillGroup], object]
) -> Several:
    done: list[BillGroup] = []
    refused: list[str] = []
    for group in sorted(bill_groups, key=lambda one: one.pk):
        try:
            deed(group)
        except _REFUSALS as refusal:
            refused.append(str(refusal))
        else:
            done.append(group)
    return Several(done=tuple(done), refused=tuple(refused))
