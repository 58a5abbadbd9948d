"""The nightly run on workers: one leads, the others help (G12).

The same task is given to every worker. Whoever gets the legal entity's advisory lock
opens the run of each date that is due, or joins one left open by a worker that died;
the others take batches of it. The lock belongs to the database session and goes with
it, so that a dead leader is followed by the next who comes. It is what keeps a task
delivered twice from opening a second run of the same date.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime

from django.db import connection

from billing.models import LegalEntity
from invoicing.domain.states import RunState
from invoicing.models import InvoiceRun
from invoicing.queries.nights import due_nights
from invoicing.services.batches import RunStopped, claim_batch, finish_run, work_batch
from invoicing.services.generation import run_invoicing

LOCK_SPACE = 4151  # of pg_try_advisory_lock(space, legal entity)
HELPER_WAITS_SECONDS = 30
POLL_SECONDS = 0.2

logger = logging.getLogger(__name__)


def invoice_due_nights(*, legal_entity: LegalEntity, now: datetime) -> tuple[date, ...]:
    """Run the nights of a legal entity that are due, or help whoever runs them.

    Returns the dates led here. May be called any number of times at once. Raises
    `RunStopped` when no document can be dated tonight.
    """
    with _leadership(legal_entity) as leads:
        if not leads:
            _help(legal_entity)
            return ()
        nights = due_nights(legal_entity, now=now)
        for as_of in nights:
            _lead(legal_entity, as_of=as_of, is_last=as_of == nights[-1])
        return tuple(nights)


def _lead(legal_entity: LegalEntity, *, as_of: date, is_last: bool) -> None:
    """Run a night; one of an earlier day that is stopped gives way to the last (G7)."""
    try:
        run_invoicing(as_of=as_of, legal_entity=legal_entity)
    except RunStopped:
        if is_last:
            raise
        logger.warning("%s stopped the run as of %s", legal_entity, as_of)


def _help(legal_entity: LegalEntity) -> None:
    """Take batches of the run that another worker leads, once it is open."""
    give_up_at = time.monotonic() + HELPER_WAITS_SECONDS
    while time.monotonic() < give_up_at:
        running = InvoiceRun.objects.filter(
            legal_entity=legal_entity, state=RunState.RUNNING
        )
        if (run := running.order_by("as_of").first()) is not None:
            with suppress(RunStopped):  # the leader meets it too, and tells
                _work(run)
            return
        if not _has_leader(legal_entity):
            return
        time.sleep(POLL_SECONDS)


def _work(run: InvoiceRun) -> None:
    while (batch := claim_batch(run)) is not None:
        work_batch(batch, actor=None)
    finish_run(run)


@contextmanager
def _leadership(legal_entity: LegalEntity) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, legal_entity.pk]
        )
        leads = bool(cursor.fetchone()[0])
    try:
        yield leads
    finally:
        if leads and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, legal_entity.pk]
                )


def _has_leader(legal_entity: LegalEntity) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' "
            "AND classid = %s AND objid = %s AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database()))",
            [LOCK_SPACE, legal_entity.pk],
        )
        return bool(cursor.fetchone()[0])
