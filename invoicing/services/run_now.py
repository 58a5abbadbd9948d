"""Tonight's invoicing, now: at once where it is little, else by the workers.

Either way it is the same run; whoever starts it sees it under way (G12).
"""

from datetime import date
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django_q.tasks import async_task

from billing.models import LegalEntity
from billing.queries import invoicing_settings
from invoicing.models import InvoiceRun
from invoicing.queries.pending import due_bill_groups
from invoicing.services.assessment import due_horizon
from invoicing.services.batches import join_run
from invoicing.services.generation import invoice_legal_entity

AT_ONCE: Final = 500
TASK: Final = "invoicing.tasks.invoice_night"


def run_now(
    *, legal_entity: LegalEntity, actor: AbstractBaseUser | None, today: date
) -> InvoiceRun:
    """Run what is due today, or open the run and hand it to the workers.

    Up to `AT_ONCE` bill groups are invoiced before this returns. Raises `RunStopped`.
    """
    horizon = due_horizon(invoicing_settings(legal_entity), today)
    if len(due_bill_groups(legal_entity, through=horizon)) <= AT_ONCE:
        return invoice_legal_entity(as_of=today, legal_entity=legal_entity, actor=actor)
    run = join_run(legal_entity=legal_entity, as_of=today, actor=actor)
    async_task(TASK, legal_entity.pk, save=False)
    return run
