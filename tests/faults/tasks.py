"""Tasks for a real cluster of workers that kill the worker they run on."""

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from invoicing import tasks
from tests.faults.worker import Death, die, plant_death


def _die_at(step: str, *, nth: int = 1, after: bool = True) -> None:
    plant_death(Death(at=step, after=after, nth=nth))


def lead_and_die(legal_entity_id: int, batch_size: int) -> str:
    """Lead the night in small batches and be killed after the second."""
    batches = import_module("invoicing.services.batches")
    batches.BATCH_SIZE = batch_size  # type: ignore[attr-defined]
    plant_death(
        Death(at="invoicing.services.batches:_invoice_batch", after=True, nth=2)
    )
    return tasks.invoice_night(legal_entity_id)


def deliver_and_die_at_a_paper(invoice_number: str) -> str:
    """Deliver, and be killed by the paper of one invoice."""
    documents = import_module("invoicing.services.documents")
    original: Callable[[str], bytes] = documents.render

    def poisoned(html: str) -> bytes:
        if invoice_number in html:
            die()
        return original(html)

    documents.render = poisoned  # type: ignore[attr-defined]
    return tasks.deliver_for_a_while()


def send_and_die() -> str:
    """Deliver, and be killed when a mail has left, before that is noted."""
    message: Any = import_module("django.core.mail").EmailMessage
    original = message.send

    def send(self: Any) -> None:
        original(self)
        die()

    message.send = send
    return tasks.deliver_for_a_while()


def lead_slowly(legal_entity_id: int, batch_size: int) -> str:
    """Lead the night in small batches; the first waits for the company's new email."""
    batches = import_module("invoicing.services.batches")
    models = import_module("billing.models")
    original = batches._invoice_batch

    def slow(*args: Any, **options: Any) -> None:
        while not models.LegalEntity.objects.get(pk=legal_entity_id).email:
            time.sleep(0.1)
        original(*args, **options)

    batches.BATCH_SIZE = batch_size  # type: ignore[attr-defined]
    batches._invoice_batch = slow  # type: ignore[attr-defined]
    return tasks.invoice_night(legal_entity_id)
