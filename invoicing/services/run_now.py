"""Tonight's invoicing, now: at once where it is little, else by the workers.

Either way it is the same run; whoever starts it sees it under way (G12).
"""

from datetime import date
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django_q.tasks import async_task

from billing.models import LegalEntity
from invoicing.models import InvoiceRun
from invoicing.services.generation import invoice_legal_entity, open_run
from invoicing.services.rehearsal import bill_groups_of_night

AT_ONCE: Final = 500
TASK: Final = "invoicing.tasks.invoice_night"


def run_now(
    *, legal_entity: LegalEntity, actor: AbstractBaseUser | None, today: date
) -> InvoiceRun:
    """Run what is due today, or open the run and hand it to the workers.

    Up to `AT_ONCE` bill groups are invoiced before this returns. Raises `RunStopped`.
    """
    group_ids, _ = bill_groups_of_night(as_of=today, legal_entity=legal_entity)
    if len(group_ids) <= AT_ONCE:
        return invoice_legal_entity(as_of=today, legal_entity=legal_entity, actor=actor)
    run = open_run(as_of=today, legal_entity=legal_entity, actor=actor)
    async_task(TASK, legal_entity.pk, save=False)
    return run
