"""Set a bill group to Active and settle what it missed: bill, skip or leave (S3).

Missed is what came due and stayed pending, a pending invoice for each bill date. All is
done in one transaction, or nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Sum

from billing.domain.dates import day_text
from billing.models import BillGroup
from billing.services.audit import record
from billing.services.bill_groups import reactivate_bill_group
from billing.services.reasons import given
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from invoicing.domain.document import NotBillable, PendingCharge
from invoicing.models import Invoice
from invoicing.queries.pending import charges_through
from invoicing.services.assessment import Assessment
from invoicing.services.generation import (
    can_be_billed,
    generate_bill_dates,
    preview_due,
)
from invoicing.services.locks import limit_lock_waits, lock_open_books


class Choice(StrEnum):
    """What becomes of a missed invoice; one that is left stays pending."""

    BILL = "BILL"
    SKIP = "SKIP"
    LEAVE = "LEAVE"


class NotMissed(ValueError):
    """Something was chosen for a bill date of which nothing was missed."""

    def __init__(self, bill_date: date) -> None:
        super().__init__(
            f"Nothing is missed any more with the bill date {day_text(bill_date)}, so "
            "nothing was changed. Look at the list again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A pending invoice that came due while the bill group was stopped.

    `amount` is before tax, without `unrated` usage charges; `total` is with tax and
    rated, None where it can't be worked out. `refusal` says why it can't be billed.
    """

    bill_date: date
    charges: int
    contracts: tuple[str, ...]
    amount: Decimal
    unrated: int
    total: Decimal | None
    bills_zero: bool
    refusal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A bill group that is active again, and what became of what it missed."""

    bill_group: BillGroup
    invoices: tuple[Invoice, ...]
    skipped: tuple[Missed, ...]
    left: tuple[Missed, ...]

    @property
    def still_waits(self) -> bool:
        """G4: none was billed, so the next one is made by hand."""
        return not self.invoices


@transaction.atomic
def resume_bill_group(
    *,
    bill_group: BillGroup,
    choices: Mapping[date, Choice],
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
) -> Resumed:
    """Set a bill group to Active and settle what it missed, by bill date (S3, G4).

    Billed are one invoice each, oldest first; one that is made clears G4. What
    `choices` do not name is left. Raises `AlreadyActive`, `NotMissed`, `ReasonMissing`
    for a skip without one, and where something is billed `NotGenerated`,
    `PeriodClosed`, `IssueDateTooEarly` and `NotBillable`.
    """
    limit_lock_waits()
    if Choice.BILL in choices.values():
        lock_open_books(bill_group.legal_entity, issue_date=today)
    group = reactivate_bill_group(bill_group=bill_group, actor=actor, today=today)
    missed = {m.bill_date: m for m in missed_invoices(bill_group=group, today=today)}
    if unknown := choices.keys() - missed.keys():
        raise NotMissed(min(unknown))
    by_choice: dict[Choice, list[Missed]] = {choice: [] for choice in Choice}
    for bill_date, one in missed.items():
        by_choice[choices.get(bill_date, Choice.LEAVE)].append(one)
    if by_choice[Choice.SKIP]:
        reason = given(reason, kept_with="bill group")

    for one in by_choice[Choice.SKIP]:
        _skip(group, one.bill_date, reason=reason, actor=actor)
    billed = [one.bill_date for one in by_choice[Choice.BILL]]
    invoices = (
        generate_bill_dates(
            bill_group=group, bill_dates=billed, actor=actor, today=today
        )
        if billed
        else ()
    )
    group.refresh_from_db(fields=["awaiting_manual_invoice"])
    return Resumed(
        bill_group=group,
        invoices=invoices,
        skipped=tuple(by_choice[Choice.SKIP]),
        left=tuple(by_choice[Choice.LEAVE]),
    )


def preview_missed(*, bill_group: BillGroup, today: date) -> tuple[Missed, ...]:
    """Return what a bill group missed, assessed as if it were active (S3).

    Writes nothing: the change of its status is undone. Raises `AlreadyActive`.
    """
    with transaction.atomic():
        limit_lock_waits()
        group = reactivate_bill_group(bill_group=bill_group, actor=None, today=today)
        missed = missed_invoices(bill_group=group, today=today)
        transaction.set_rollback(True)
    return missed


def missed_invoices(*, bill_group: BillGroup, today: date) -> tuple[Missed, ...]:
    """Return what is due of an active bill group, oldest first (G7).

    Where a tax rate has no percent, nothing can be billed, and each says so.
    """
    try:
        due = preview_due(bill_group=bill_group, today=today)
    except NotBillable as fault:
        pending = charges_through([bill_group.pk], through=today)
        return tuple(
            _missed(tuple(same), refusal=str(fault))
            for _, same in groupby(pending, lambda charge: charge.bill_date)
        )
    return tuple(_assessed(assessment, today) for assessment in due)


def _assessed(assessment: Assessment, today: date) -> Missed:
    refused = not can_be_billed(assessment, today)
    return replace(
        _missed(
            assessment.charges,
            refusal=assessment.decision.sentence if refused else "",
        ),
        total=assessment.document.totals.total,
        bills_zero=not assessment.document.lines,
    )


def _missed(charges: Sequence[PendingCharge], *, refusal: str) -> Missed:
    """Return the pending invoice of these charges, not worked out."""
    amounts = [charge.amount for charge in charges if charge.amount is not None]
    return Missed(
        bill_date=charges[0].bill_date,
        charges=len(charges),
        contracts=tuple(sorted({charge.contract_number for charge in charges})),
        amount=sum(amounts, Decimal(0)),
        unrated=len(charges) - len(amounts),
        total=None,
        bills_zero=False,
        refusal=refusal,
    )


def _skip(
    bill_group: BillGroup,
    bill_date: date,
    *,
    reason: str,
    actor: AbstractBaseUser | None,
) -> None:
    """Give a pending invoice up: its charges are kept as skipped."""
    pending = ScheduledCharge.objects.filter(
        bill_group=bill_group, bill_date=bill_date, state=ChargeState.PENDING
    )
    ids = list(pending.order_by("pk").values_list("pk", flat=True))
    charges = ScheduledCharge.objects.filter(pk__in=ids)
    amount = charges.aggregate(sum=Sum("amount", default=Decimal(0)))["sum"]
    charges.update(state=ChargeState.SKIPPED)
    record(
        "charges.skipped",
        actor=actor,
        subject=bill_group.public_id,
        account_id=bill_group.account_id,
        bill_group_id=bill_group.pk,
        before={"charges": ChargeState.PENDING},
        after={
            "charges": ChargeState.SKIPPED,
            "bill_date": bill_date.isoformat(),
            "ids": ids,
            "amount": str(amount),
        },
        reason=reason,
    )
