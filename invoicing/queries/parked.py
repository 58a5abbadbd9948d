"""What became of parked bill groups after their release (G13)."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from billing.models import TaxRate
from invoicing.domain.document import rate_without_percent
from invoicing.models import ParkedBillGroup, RunDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The first that came after a release: a decision, or another parking."""

    decision: RunDecision | None = None
    parked_again: ParkedBillGroup | None = None


def retries(rows: Collection[ParkedBillGroup]) -> dict[int, Retry]:
    """Return what came first after each release, by parking; in three queries.

    A parking that is not released, or that no run has come to since, is left out.
    """
    decided = RunDecision.objects.filter(
        bill_group=OuterRef("bill_group"), decided_at__gt=OuterRef("released_at")
    ).order_by("pk")
    again = ParkedBillGroup.objects.filter(
        bill_group=OuterRef("bill_group"), pk__gt=OuterRef("pk")
    ).order_by("pk")
    found = list(
        ParkedBillGroup.objects.filter(
            pk__in=[row.pk for row in rows], released_at__isnull=False
        )
        .annotate(
            decision_id=Subquery(decided.values("pk")[:1]),
            again_id=Subquery(again.values("pk")[:1]),
        )
        .values_list("pk", "decision_id", "again_id")
    )
    decisions = RunDecision.objects.select_related("invoice").in_bulk(
        [decision for _, decision, _ in found if decision]
    )
    parkings = ParkedBillGroup.objects.in_bulk([row for _, _, row in found if row])
    return {
        pk: _first(decisions.get(decision_id or 0), parkings.get(again_id or 0))
        for pk, decision_id, again_id in found
        if decision_id or again_id
    }


def _first(decision: RunDecision | None, parked: ParkedBillGroup | None) -> Retry:
    if decision and parked and decision.decided_at < parked.parked_at:
        return Retry(decision=decision)
    return Retry(parked_again=parked) if parked else Retry(decision=decision)


def rates_to_mend(rows: Collection[ParkedBillGroup]) -> dict[int, TaxRate]:
    """Return the tax rate that lacks a percent, by parking; in one query at most."""
    names = {row.pk: rate_without_percent(row.reason) for row in rows}
    wanted = {name for name in names.values() if name}
    if not wanted:
        return {}
    rates = {rate.name: rate for rate in TaxRate.objects.filter(name__in=wanted)}
    return {pk: rates[name] for pk, name in names.items() if name in rates}
