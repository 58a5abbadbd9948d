"""The tasks of the workers: each reads the clock, calls one service and reports.

A task is delivered at least once, so everything here may run twice or at once. No task
runs for long: what is left over waits in the database and is found again.
"""

import time
from collections.abc import Callable

from django.conf import settings
from django_q.tasks import async_task

from billing.models import LegalEntity
from config import clock
from invoicing.queries.deliveries import due_deliveries
from invoicing.queries.nights import legal_entities_due
from invoicing.services.books import check_books
from invoicing.services.delivery import deliver_next
from invoicing.services.nights import invoice_due_nights

SLICE_SECONDS = 50
DELIVERIES_A_WORKER = 20


class BooksOutOfOrder(RuntimeError):
    """An invariant of the books is broken; the text names the first rows."""


def tick() -> str:
    """Give every worker the legal entities whose nightly run is due (G12)."""
    due = legal_entities_due(clock.now())
    for legal_entity in due:
        for _ in range(settings.WORKERS):
            _enqueue(invoice_night, legal_entity.pk)
    return ", ".join(entity.name for entity in due) or "No run is due."


def invoice_night(legal_entity_id: int) -> str:
    """Lead or help the runs of a legal entity that are due (G12)."""
    legal_entity = LegalEntity.objects.get(pk=legal_entity_id)
    nights = invoice_due_nights(legal_entity=legal_entity, now=clock.now())
    led = ", ".join(night.isoformat() for night in nights)
    return f"Led the run as of {led}." if led else "Nothing to lead."


def work_deliveries() -> str:
    """Do deliveries for a while, with the other workers where there are many (M7)."""
    due = due_deliveries(at_most=settings.WORKERS * DELIVERIES_A_WORKER)
    for _ in range(min(settings.WORKERS, due // DELIVERIES_A_WORKER) - 1):
        _enqueue(deliver_for_a_while)
    return deliver_for_a_while()


def deliver_for_a_while() -> str:
    """Do deliveries until none is due or the time is up; the schedule comes again."""
    stop_at = time.monotonic() + SLICE_SECONDS
    done = 0
    while time.monotonic() < stop_at and deliver_next() is not None:
        done += 1
    return f"{done} deliveries worked on."


def check_books_task() -> str:
    """Check every invariant of the books; a broken one makes the task fail."""
    broken = check_books()
    if broken:
        raise BooksOutOfOrder(
            "; ".join(f"{b.invariant.name}: {', '.join(b.examples)}" for b in broken)
        )
    return "The books are in order."


def _enqueue(task: Callable[..., str], *args: int) -> None:
    async_task(f"{task.__module__}.{task.__name__}", *args, save=False)
