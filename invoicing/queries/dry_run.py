"""What a dry run is compared with: the plan, and what an earlier run made (G15)."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import QuerySet, Sum

from billing.models import LegalEntity
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from invoicing.domain.states import InvoiceStatus, RunState
from invoicing.models import Invoice, InvoiceRun

RUNS_TO_COMPARE: Final = 60


def comparable_runs(legal_entity: LegalEntity) -> QuerySet[InvoiceRun]:
    """Return the last finished runs of a legal entity, newest first."""
    ids = (
        InvoiceRun.objects.filter(legal_entity=legal_entity)
        .exclude(state=RunState.RUNNING)
        .order_by("-id")
        .values("pk")[:RUNS_TO_COMPARE]
    )
    return InvoiceRun.objects.filter(pk__in=ids).order_by("-id")


def made_by_run(run: InvoiceRun) -> dict[int, tuple[str, Decimal]]:
    """Return what a run made of each bill group: its currency and total with tax."""
    rows = (
        Invoice.objects.filter(run=run)
        .exclude(status=InvoiceStatus.VOID)
        .order_by()
        .values_list("bill_group_id", "currency")
        .annotate(made=Sum("total"))
    )
    return {group_id: (currency, made) for group_id, currency, made in rows}


def planned_of(bill_group_ids: Collection[int], *, through: date) -> dict[str, Decimal]:
    """Return what is planned for bill groups to a bill date, before tax, by currency.

    Usage that is not rated yet has no amount and counts nothing.
    """
    rows = (
        ScheduledCharge.objects.filter(
            state=ChargeState.PENDING,
            bill_group__in=list(bill_group_ids),
            bill_date__lte=through,
        )
        .order_by()
        .values_list("bill_group__currency")
        .annotate(planned=Sum("amount", default=Decimal(0)))
    )
    return dict(rows)
