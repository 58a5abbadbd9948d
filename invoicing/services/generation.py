"""Generating invoices: the run, by hand, and at activation.

All three assess with `invoicing.services.assessment` and write with
`invoicing.services.writing`; they differ in who asks and in the locks they need.
"""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import date
from itertools import takewhile

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F

from billing.domain.dates import day_text
from billing.models import BillGroup, LegalEntity
from billing.services.audit import record
from contracts.models import Contract
from contracts.services.cancellation import close_contracts
from contracts.services.schedule import extend_contracts
from invoicing.domain.eligibility import Outcome
from invoicing.models import Invoice, InvoiceRun
from invoicing.services.assessment import (
    Assessment,
    assess_by_hand,
    assess_first_invoices,
)
from invoicing.services.batches import (
    RunStopped,
    claim_batch,
    finish_run,
    join_run,
    stop_run,
    work_batch,
)
from invoicing.services.locks import (
    limit_lock_waits,
    lock_bill_groups,
    lock_open_books,
)
from invoicing.services.rehearsal import DryRun, dry_run_invoicing
from invoicing.services.writing import Written, write_assessments

POLL_SECONDS = 0.1


class NotGenerated(ValueError):
    """An invoice asked for by hand is not made; the text says why and what to do."""


def run_invoicing(
    *,
    as_of: date,
    legal_entity: LegalEntity | None = None,
    dry_run: bool = False,
    actor: AbstractBaseUser | None = None,
) -> tuple[InvoiceRun, ...] | tuple[DryRun, ...]:
    """Invoice what is due on a day, for one legal entity or all of them (G7, G12).

    Joins a run of that day that is open, works until no batch is left and returns the
    runs; with `dry_run` returns what would happen and writes nothing. May be called any
    number of times, by any number of workers at once. Raises `RunStopped` when no
    document can be dated `as_of`.
    """
    entities = _entities(legal_entity)
    if dry_run:
        return tuple(dry_run_invoicing(as_of=as_of, legal_entity=e) for e in entities)
    return tuple(
        invoice_legal_entity(as_of=as_of, legal_entity=entity, actor=actor)
        for entity in entities
    )


def _entities(legal_entity: LegalEntity | None) -> tuple[LegalEntity, ...]:
    if legal_entity is not None:
        return (legal_entity,)
    return tuple(LegalEntity.objects.order_by("pk"))


def invoice_legal_entity(
    *, as_of: date, legal_entity: LegalEntity, actor: AbstractBaseUser | None
) -> InvoiceRun:
    """Run, or help to run, the invoicing of one legal entity as of a day.

    Raises `RunStopped` when no document can be dated `as_of`; the run is then over, and
    keeps the reason.
    """
    run = open_run(as_of=as_of, legal_entity=legal_entity, actor=actor)
    try:
        _work_to_the_end(run, actor=actor)
    except RunStopped as stopped:
        stop_run(run, because=str(stopped))
        raise
    run.refresh_from_db()
    return run


def open_run(
    *, as_of: date, legal_entity: LegalEntity, actor: AbstractBaseUser | None
) -> InvoiceRun:
    """Extend evergreen plans, then open the run of a day or join the open one (P1).

    In this order: what the extension makes due must get into the batches.
    """
    extended = extend_contracts(as_of=as_of, legal_entity=legal_entity)
    run = join_run(legal_entity=legal_entity, as_of=as_of, actor=actor)
    if extended:
        InvoiceRun.objects.filter(pk=run.pk).update(
            extended_contracts=F("extended_contracts") + extended
        )
    return run


def _work_to_the_end(run: InvoiceRun, *, actor: AbstractBaseUser | None) -> None:
    while True:
        batch = claim_batch(run)
        if batch is not None:
            work_batch(batch, actor=actor)
        elif finish_run(run):
            close_contracts(as_of=run.as_of, legal_entity=run.legal_entity)
            return
        else:
            time.sleep(POLL_SECONDS)


def generate_next_invoice(
    *, bill_group: BillGroup, actor: AbstractBaseUser | None, today: date
) -> Invoice:
    """Issue a bill group's oldest pending invoice, dated today (G9).

    Bill dates that have come and bill zero are marked invoiced on the way (G10).
    Clears G4. Raises `NotGenerated` with the reason.
    """
    (invoice,) = _generate_by_hand(
        bill_group, actor=actor, today=today, choose=_next_by_hand
    )
    return invoice


def generate_all_due(
    *, bill_group: BillGroup, actor: AbstractBaseUser | None, today: date
) -> tuple[Invoice, ...]:
    """Issue every pending invoice that is due, one for each bill date (G7, G9).

    Raises `NotGenerated` with the reason when there is none.
    """
    return _generate_by_hand(bill_group, actor=actor, today=today, choose=_all_due)


def generate_bill_dates(
    *,
    bill_group: BillGroup,
    bill_dates: Collection[date],
    actor: AbstractBaseUser | None,
    today: date,
) -> tuple[Invoice, ...]:
    """Issue what is due with these bill dates, one invoice each, oldest first (S3).

    What bills zero is marked invoiced, without a document (G10). Clears G4 where an
    invoice was made. Raises `NotGenerated`, before anything is done, if one is not due
    or can't be made.
    """
    _, written = _write_by_hand(
        bill_group,
        actor=actor,
        today=today,
        choose=lambda assessments, day: _due_of(bill_dates, assessments, day),
    )
    return _invoices(written)


def preview_due(*, bill_group: BillGroup, today: date) -> tuple[Assessment, ...]:
    """Return every pending invoice that is due, oldest first, held ones too (G7)."""
    return tuple(_chosen(bill_group, today, _due))


def can_be_billed(assessment: Assessment, today: date) -> bool:
    """Tell whether it can be made now, or bills zero and is marked so (G10)."""
    return assessment.decision.generate or _is_zero(assessment, today)


def _due(assessments: Sequence[Assessment], today: date) -> list[Assessment]:
    return [a for a in assessments if a.decision.facts.due_from <= today]


def _due_of(
    bill_dates: Collection[date], assessments: Sequence[Assessment], today: date
) -> list[Assessment]:
    """Return what is due with each bill date; raises `NotGenerated`."""
    due = [a for a in _due(assessments, today) if a.bill_date in bill_dates]
    if missing := set(bill_dates) - {a.bill_date for a in due}:
        raise NotGenerated(
            f"Nothing is due with the bill date {day_text(min(missing))} any more."
        )
    held = next((a for a in due if not can_be_billed(a, today)), None)
    if held is not None:
        raise NotGenerated(held.decision.sentence)
    return due


def _next_by_hand(assessments: Sequence[Assessment], today: date) -> list[Assessment]:
    """Return the oldest invoice, after what has come and bills zero.

    Behind such zeros nothing is made ahead of its bill date: nobody was asked.
    """
    zeros = list(takewhile(lambda a: _is_zero(a, today), assessments))
    following = assessments[len(zeros) : len(zeros) + 1]
    if zeros and following and following[0].bill_date > today:
        return zeros
    return [*zeros, *following]


def _all_due(assessments: Sequence[Assessment], today: date) -> list[Assessment]:
    """Return what is due, up to the first that is held: none is skipped."""
    due = _due(assessments, today)
    free = list(takewhile(lambda a: a.decision.outcome is not Outcome.HOLD, due))
    return free or due[:1]


def _is_zero(assessment: Assessment, today: date) -> bool:
    has_come = assessment.bill_date <= today
    return has_come and assessment.decision.outcome is Outcome.ZERO


def _generate_by_hand(
    bill_group: BillGroup,
    *,
    actor: AbstractBaseUser | None,
    today: date,
    choose: Callable[[Sequence[Assessment], date], list[Assessment]],
) -> tuple[Invoice, ...]:
    """Make what is chosen of a bill group's pending invoices; refuse to make none."""
    chosen, written = _write_by_hand(
        bill_group, actor=actor, today=today, choose=choose
    )
    if not written.invoice_ids:
        raise NotGenerated(_why_nothing(chosen, zero=written.zero))
    return _invoices(written)


def _invoices(written: Written) -> tuple[Invoice, ...]:
    return tuple(
        Invoice.objects.filter(pk__in=written.invoice_ids).order_by("sequence")
    )


def _write_by_hand(
    bill_group: BillGroup,
    *,
    actor: AbstractBaseUser | None,
    today: date,
    choose: Callable[[Sequence[Assessment], date], list[Assessment]],
) -> tuple[list[Assessment], Written]:
    """Write what can be made of what is chosen; returns both."""
    legal_entity = bill_group.legal_entity
    with transaction.atomic():
        limit_lock_waits()
        lock_open_books(legal_entity, issue_date=today)
        lock_bill_groups([bill_group.pk])
        pending = assess_by_hand(bill_group.pk, legal_entity=legal_entity, as_of=today)
        chosen = choose(pending, today)
        written = write_assessments(
            [a for a in chosen if can_be_billed(a, today)],
            legal_entity=legal_entity,
            issue_date=today,
            run=None,
            actor=actor,
        )
        if written.invoice_ids:
            _clear_awaiting(bill_group, actor=actor)
    return chosen, written


def _why_nothing(chosen: Sequence[Assessment], *, zero: int) -> str:
    """Say why nothing was generated by hand."""
    if zero:
        return (
            "What has come due bills zero and was marked invoiced, without a document. "
            "Nothing else has come due."
        )
    if not chosen:
        return "Nothing is due: no bill date has come that is not invoiced yet."
    if chosen[0].decision.outcome is Outcome.ZERO:
        return (
            f"The charges of {day_text(chosen[0].bill_date)} bill zero and have no "
            "quantity, and that day has not come: there is nothing to generate."
        )
    return chosen[0].decision.sentence


def _clear_awaiting(bill_group: BillGroup, *, actor: AbstractBaseUser | None) -> None:
    """G4: the next invoice after a reactivation was made by hand."""
    cleared = BillGroup.objects.filter(
        pk=bill_group.pk, awaiting_manual_invoice=True
    ).update(awaiting_manual_invoice=False)
    if cleared:
        record(
            "bill_group.manual_invoice_made",
            actor=actor,
            subject=bill_group.public_id,
            account_id=bill_group.account_id,
            bill_group_id=bill_group.pk,
            before={"awaiting_manual_invoice": True},
            after={"awaiting_manual_invoice": False},
        )


def preview_next_invoice(*, bill_group: BillGroup, today: date) -> Assessment | None:
    """Return what *Generate next invoice* would make; None when nothing is pending.

    What bills zero comes back only where no invoice would be made.
    """
    chosen = _chosen(bill_group, today, _next_by_hand)
    return chosen[-1] if chosen else None


def preview_all_due(*, bill_group: BillGroup, today: date) -> tuple[Assessment, ...]:
    """Return what *Generate all due* would make, oldest first."""
    return tuple(_chosen(bill_group, today, _all_due))


def _chosen(
    bill_group: BillGroup,
    today: date,
    choose: Callable[[Sequence[Assessment], date], list[Assessment]],
) -> list[Assessment]:
    pending = assess_by_hand(
        bill_group.pk, legal_entity=bill_group.legal_entity, as_of=today
    )
    return choose(pending, today)


@transaction.atomic
def generate_first_invoices(
    *,
    contracts: Collection[Contract],
    actor: AbstractBaseUser | None,
    today: date,
) -> tuple[Invoice, ...]:
    """Make the first invoice of contracts that were just activated (G5, G6, G8).

    Called in the activating transaction, which holds their locks. The contracts belong
    to one legal entity.
    """
    if not contracts:
        return ()
    group_ids = {contract.bill_group_id for contract in contracts}
    legal_entity = LegalEntity.objects.get(bill_groups=min(group_ids))
    lock_open_books(legal_entity, issue_date=today)
    lock_bill_groups(group_ids)
    assessments = assess_first_invoices(
        [contract.pk for contract in contracts],
        legal_entity=legal_entity,
        as_of=today,
    )
    written = write_assessments(
        [a for a in assessments if can_be_billed(a, today)],
        legal_entity=legal_entity,
        issue_date=today,
        run=None,
        actor=actor,
    )
    return tuple(Invoice.objects.filter(pk__in=written.invoice_ids).order_by("pk"))
