"""Reads of runs: what they did, in figures, and what they held."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import QuerySet

from billing.models import LegalEntity
from invoicing.domain.states import RunState
from invoicing.models import InvoiceRun, RunBatch, RunDecision

HELD_SHOWN = 100
BATCHES_LOOKED_INTO = 5


@dataclass(slots=True, kw_only=True)
class RunFigures:
    """What a run did so far; `totals` of its invoices and drafts by currency."""

    generated: int = 0
    drafted: int = 0
    zero: int = 0
    held: int = 0
    parked: int = 0
    batches: int = 0
    open_batches: int = 0
    totals: defaultdict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )


def run_figures(runs: Iterable[InvoiceRun]) -> dict[int, RunFigures]:
    """Return the figures of runs by id, in one query."""
    figures = {run.pk: RunFigures() for run in runs}
    rows = RunBatch.objects.filter(run__in=list(figures)).values_list(
        "run_id", "is_open", "generated", "drafted", "zero", "held", "parked", "totals"
    )
    for run_id, is_open, generated, drafted, zero, held, parked, totals in rows:
        of_run = figures[run_id]
        of_run.batches += 1
        of_run.open_batches += is_open
        of_run.generated += generated
        of_run.drafted += drafted
        of_run.zero += zero
        of_run.held += held
        of_run.parked += parked
        for currency, total in totals.items():
            of_run.totals[currency] += Decimal(total)
    return figures


def last_run(legal_entity: LegalEntity | None = None) -> InvoiceRun | None:
    """Return the last finished run, of one legal entity or of any."""
    runs = InvoiceRun.objects.filter(state=RunState.FINISHED)
    if legal_entity is not None:
        runs = runs.filter(legal_entity=legal_entity)
    return runs.select_related("legal_entity").order_by("-id").first()


def held_by(run: InvoiceRun) -> QuerySet[RunDecision]:
    """Return the newest decision for each bill group and date that a run held.

    Looks into the first batches that held any; a hold that was there before the run is
    shown as it was kept.
    """
    groups = [
        group
        for batch in RunBatch.objects.filter(run=run, held__gt=0)
        .order_by("pk")
        .values_list("bill_groups", flat=True)[:BATCHES_LOOKED_INTO]
        for group in batch
    ]
    newest = (
        RunDecision.objects.filter(bill_group__in=groups)
        .order_by("bill_group_id", "bill_date", "-id")
        .distinct("bill_group_id", "bill_date")
        .values("pk")
    )
    return (
        RunDecision.objects.filter(pk__in=newest, invoice__isnull=True)
        .select_related("bill_group__account")
        .order_by("bill_date", "pk")[:HELD_SHOWN]
    )


def differences(
    before: Mapping[str, Decimal], after: Mapping[str, Decimal]
) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """Return by currency what it was, what it is, and the difference."""
    zero = Decimal(0)
    return [
        (
            currency,
            before.get(currency, zero),
            after.get(currency, zero),
            after.get(currency, zero) - before.get(currency, zero),
        )
        for currency in sorted({*before, *after})
    ]
