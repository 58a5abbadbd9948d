"""The batches of a run: opened once, claimed by any worker, done or set aside.

- Opening a run cuts the bill groups with something due into batches, in one
  transaction; whoever comes later joins it.
- A worker claims a batch and raises its attempts in a transaction of its own. The
  lease names the worker's database session: when that is gone, so is the lease.
- A batch that killed its worker is cut into single bill groups; a single one that does
  it again is parked. A batch that fails is halved until the culprit stands alone, and
  is parked with the reason (G13).
"""

import random
import time
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from billing.models import BillGroup, LegalEntity
from billing.queries import invoicing_settings
from contracts.services.garbage import garbage_left_alone
from invoicing.domain.states import RunState
from invoicing.models import InvoiceRun, RunBatch
from invoicing.queries.pending import due_bill_groups
from invoicing.services.assessment import assess_due, due_horizon
from invoicing.services.locks import (
    PeriodClosed,
    is_lock_trouble,
    limit_lock_waits,
    lock_bill_groups,
    lock_open_books,
)
from invoicing.services.numbering import IssueDateTooEarly
from invoicing.services.parking import park_bill_group, reason_to_park
from invoicing.services.writing import Written, write_assessments

BATCH_SIZE = 1_000
LEASE = "15 minutes"
LOCK_RETRIES = 5
# Whoever comes while a run is opened waits for it: a million groups take a minute.
OPENING = "30min"
KILLED = "Its worker was killed twice while invoicing it; see the log of that time"

OPEN_RUN = """
INSERT INTO invoicing_invoicerun
    (legal_entity_id, as_of, state, started_by_id, extended_contracts)
VALUES (%s, %s, 'RUNNING', %s, 0)
ON CONFLICT (legal_entity_id, as_of) WHERE state = 'RUNNING' DO NOTHING
RETURNING id
"""

CLAIM = """
UPDATE invoicing_runbatch
SET attempts = attempts + 1,
    leased_until = now() + %(lease)s::interval,
    lease_session = (SELECT pid || '/' || extract(epoch FROM backend_start)
                     FROM pg_stat_activity WHERE pid = pg_backend_pid())
WHERE id = (
    SELECT id FROM invoicing_runbatch
    WHERE run_id = %(run)s AND is_open
      AND (leased_until IS NULL OR leased_until < now() OR NOT EXISTS (
          SELECT 1 FROM pg_stat_activity
          WHERE pid || '/' || extract(epoch FROM backend_start) = lease_session))
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


class RunStopped(RuntimeError):
    """A run can't go on for any bill group; what it did so far stands."""


def join_run(
    *, legal_entity: LegalEntity, as_of: date, actor: AbstractBaseUser | None
) -> InvoiceRun:
    """Return the open run of a legal entity and date, opening it if there is none."""
    while True:
        with transaction.atomic():
            limit_lock_waits(OPENING)
            opened = _open_run(legal_entity, as_of, actor)
        if opened is not None:
            return opened
        running = InvoiceRun.objects.filter(
            legal_entity=legal_entity, as_of=as_of, state=RunState.RUNNING
        ).first()
        if running is not None:
            return running


def _open_run(
    legal_entity: LegalEntity, as_of: date, actor: AbstractBaseUser | None
) -> InvoiceRun | None:
    with connection.cursor() as cursor:
        cursor.execute(
            OPEN_RUN, [legal_entity.pk, as_of, None if actor is None else actor.pk]
        )
        row = cursor.fetchone()
    if row is None:
        return None
    run = InvoiceRun.objects.get(pk=row[0])
    horizon = due_horizon(invoicing_settings(legal_entity), as_of)
    group_ids = due_bill_groups(legal_entity, through=horizon)
    RunBatch.objects.bulk_create(
        RunBatch(run=run, bill_groups=group_ids[first : first + BATCH_SIZE])
        for first in range(0, len(group_ids), BATCH_SIZE)
    )
    return run


def claim_batch(run: InvoiceRun) -> RunBatch | None:
    """Take an open batch that no living worker holds; None when there is none."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, {"run": run.pk, "lease": LEASE})
        row = cursor.fetchone()
    if row is None:
        return None
    return RunBatch.objects.select_related("run__legal_entity").get(pk=row[0])


def work_batch(batch: RunBatch, *, actor: AbstractBaseUser | None) -> None:
    """Invoice a claimed batch, or cut it to pieces to find what breaks it.

    Raises `RunStopped` for what would break every batch.
    """
    if batch.attempts > 1 and len(batch.bill_groups) > 1:
        _cut(batch, into=len(batch.bill_groups), attempts=1)
        return
    if batch.attempts > 2:
        _park(batch, KILLED)
        return
    try:
        retry_on_lock_trouble(lambda: _invoice_batch(batch, actor=actor))
    except (PeriodClosed, IssueDateTooEarly) as refusal:
        release_lease(batch)
        raise RunStopped(str(refusal)) from refusal
    except Exception as fault:  # noqa: BLE001 (the others are billed)
        try:
            reason = reason_to_park(fault)
        except OperationalError:
            release_lease(batch)
            raise
        if len(batch.bill_groups) == 1:
            _park(batch, reason)
        else:
            _cut(batch, into=2, attempts=0)


def release_lease(batch: RunBatch) -> None:
    """Give a batch back untouched, as if it had not been claimed."""
    if connection.connection is None or connection.connection.closed:
        return
    RunBatch.objects.filter(pk=batch.pk, is_open=True).update(
        attempts=batch.attempts - 1, leased_until=None
    )


@garbage_left_alone()
@transaction.atomic
def _invoice_batch(batch: RunBatch, *, actor: AbstractBaseUser | None) -> None:
    """Do the whole batch in one transaction; its row tells what was done."""
    run = batch.run
    legal_entity = run.legal_entity
    limit_lock_waits()
    lock_open_books(legal_entity, issue_date=run.as_of)
    lock_bill_groups(batch.bill_groups)
    assessments = assess_due(
        batch.bill_groups, legal_entity=legal_entity, as_of=run.as_of
    )
    write_assessments(
        assessments,
        legal_entity=legal_entity,
        issue_date=run.as_of,
        run=run,
        actor=actor,
        before_numbers=lambda written: _close(batch, written),
    )


def _close(batch: RunBatch, written: Written) -> None:
    RunBatch.objects.filter(pk=batch.pk).update(
        is_open=False,
        leased_until=None,
        generated=written.issued,
        drafted=written.drafted,
        zero=written.zero,
        held=written.held,
        totals=_texts(written.totals),
        draft_totals=_texts(written.draft_totals),
        rules=dict(written.rules),
    )


def _texts(totals: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: str(total) for currency, total in totals.items()}


@transaction.atomic
def _park(batch: RunBatch, reason: str) -> None:
    group = BillGroup.objects.get(pk=batch.bill_groups[0])
    park_bill_group(bill_group=group, reason=reason, run=batch.run)
    RunBatch.objects.filter(pk=batch.pk).update(
        is_open=False, leased_until=None, parked=1
    )


@transaction.atomic
def _cut(batch: RunBatch, *, into: int, attempts: int) -> None:
    """Replace a batch by smaller ones."""
    size = -(-len(batch.bill_groups) // into)
    RunBatch.objects.bulk_create(
        RunBatch(
            run=batch.run,
            bill_groups=batch.bill_groups[first : first + size],
            attempts=attempts,
        )
        for first in range(0, len(batch.bill_groups), size)
    )
    RunBatch.objects.filter(pk=batch.pk).delete()


def retry_on_lock_trouble(work: Callable[[], None]) -> None:
    """Do `work` again, after a random wait, when a lock could not be had.

    Deadlocks and lock timeouts are nobody's fault; after `LOCK_RETRIES` the error is
    raised all the same.
    """
    for attempt in range(1, LOCK_RETRIES + 1):
        try:
            work()
        except OperationalError as error:
            if not is_lock_trouble(error) or attempt == LOCK_RETRIES:
                raise
            time.sleep(random.uniform(0.05, 0.3) * attempt)  # noqa: S311 (jitter)
        else:
            return


def finish_run(run: InvoiceRun) -> bool:
    """Close a run without open batches; False while another worker holds one."""
    if RunBatch.objects.filter(run=run, is_open=True).exists():
        return False
    InvoiceRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
        state=RunState.FINISHED, finished_at=Now()
    )
    return True


@transaction.atomic
def stop_run(run: InvoiceRun, *, because: str) -> None:
    """End a run that can go on for no bill group; the text says why.

    What it did stands. The rest is still pending: the next run takes it (G7), of the
    same date too once the cause is gone.
    """
    RunBatch.objects.filter(run=run, is_open=True).update(
        is_open=False, leased_until=None
    )
    InvoiceRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
        state=RunState.STOPPED, finished_at=Now(), stopped_because=because
    )
