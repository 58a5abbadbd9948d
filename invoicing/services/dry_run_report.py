"""A dry run in figures: what a night would make, beside the plan and a run (G15).

One pass over the night's assessments counts everything and keeps, of each bill group,
its id only; the rows of a page are assessed again when the page is looked at. So the
report of a hundred thousand bill groups is small, and nothing of it is stored.

The plan and the night are reconciled for each currency, before tax:

    planned + usage rated now - held - would be parked = invoices + drafts
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from billing.models import LegalEntity
from billing.queries import invoicing_settings
from invoicing.domain.eligibility import Outcome
from invoicing.models import InvoiceRun
from invoicing.queries.dry_run import made_by_run, planned_of
from invoicing.services.assessment import Assessment, due_horizon
from invoicing.services.locks import refuse_closed
from invoicing.services.numbering import refuse_too_early
from invoicing.services.rehearsal import dry_run_invoicing

ZERO: Final = Decimal(0)
FAILURES_KEPT: Final = 1_000
CHANGES_KEPT: Final = 5_000


class Shown(StrEnum):
    """The pending invoices of a dry run by what would become of them."""

    DUE = "due"
    ISSUED = "issued"
    DRAFTS = "drafts"
    HELD = "held"
    ZERO = "zero"
    USAGE = "usage"


class Change(StrEnum):
    """How a bill group's total differs from what the compared run made of it."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(slots=True, kw_only=True)
class CurrencySums:
    """The sums of one currency; all before tax but the two totals."""

    planned: Decimal = ZERO
    usage: Decimal = ZERO
    held: Decimal = ZERO
    failed: Decimal = ZERO
    issued: Decimal = ZERO
    drafted: Decimal = ZERO
    issued_total: Decimal = ZERO
    drafted_total: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedGroup:
    """A bill group whose total differs from the compared run; amounts with tax."""

    bill_group_id: int
    currency: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        """What it would be more, or less."""
        return self.after - self.before


@dataclass(slots=True, kw_only=True)
class Comparison:
    """What differs from a run, by bill group; of each kind the first are kept."""

    run: InvoiceRun
    totals: dict[str, Decimal] = field(default_factory=dict)
    counts: Counter[Change] = field(default_factory=Counter)
    same: int = 0
    changes: dict[Change, list[ChangedGroup]] = field(
        default_factory=lambda: {change: [] for change in Change}
    )


@dataclass(slots=True, kw_only=True)
class DryRunReport:
    """The figures of a dry run; `groups` holds the ids of bill groups by what is shown.

    `usage_charges` counts the charges to bill that only later usage can change.
    """

    legal_entity: LegalEntity
    as_of: date
    counts: Counter[Shown] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    sums: defaultdict[str, CurrencySums] = field(
        default_factory=lambda: defaultdict(CurrencySums)
    )
    groups: dict[Shown, "array[int]"] = field(
        default_factory=lambda: {shown: array("q") for shown in Shown}
    )
    failed: int = 0
    failures: tuple[tuple[int, str], ...] = ()
    usage_charges: int = 0
    comparison: Comparison | None = None

    @property
    def totals(self) -> dict[str, Decimal]:
        """What would be issued, with tax, by currency."""
        return {
            currency: sums.issued_total
            for currency, sums in sorted(self.sums.items())
            if sums.issued_total
        }


def report_dry_run(
    *, legal_entity: LegalEntity, as_of: date, compare_with: InvoiceRun | None
) -> DryRunReport:
    """Return what a night would do, in figures; nothing is written (G15).

    Raises `PeriodClosed` and `IssueDateTooEarly` where nothing can be dated that day.
    """
    refuse_closed(legal_entity, issue_date=as_of)
    refuse_too_early(legal_entity, issue_date=as_of)
    dry_run = dry_run_invoicing(as_of=as_of, legal_entity=legal_entity)
    report = DryRunReport(legal_entity=legal_entity, as_of=as_of)
    made: dict[int, tuple[str, Decimal]] = {}
    for assessment in dry_run.assessments:
        _count(report, assessment, made)
    _count_failures(report, dry_run.failures)
    if compare_with is not None:
        report.comparison = _compare(made, compare_with)
    return report


def assessments_of(
    report: DryRunReport, *, shown: Shown, bill_groups: Collection[int]
) -> Iterator[Assessment]:
    """Assess some bill groups of a dry run again, and yield those that are shown."""
    dry_run = dry_run_invoicing(
        as_of=report.as_of,
        legal_entity=report.legal_entity,
        only=frozenset(bill_groups),
    )
    for assessment in dry_run.assessments:
        if shown in _places(assessment):
            yield assessment


def unrated_charges(assessment: Assessment) -> int:
    """Count the charges whose amount depends on the usage recorded for them."""
    return sum(1 for charge in assessment.charges if charge.amount is None)


def planned_amount(assessment: Assessment) -> Decimal:
    """Return what the plan says of a pending invoice, before tax and without usage."""
    return sum((c.amount for c in assessment.charges if c.amount is not None), ZERO)


_OUTCOMES: Final[Mapping[Outcome, Shown]] = {
    Outcome.GENERATE: Shown.ISSUED,
    Outcome.DRAFT_HELD: Shown.DRAFTS,
    Outcome.DRAFT_FOR_REVIEW: Shown.DRAFTS,
    Outcome.HOLD: Shown.HELD,
    Outcome.ZERO: Shown.ZERO,
}


def _places(assessment: Assessment) -> tuple[Shown, ...]:
    places = (Shown.DUE, _OUTCOMES[assessment.decision.outcome])
    is_held = places[1] is Shown.HELD
    return (
        places if is_held or not unrated_charges(assessment) else (*places, Shown.USAGE)
    )


def _count(
    report: DryRunReport,
    assessment: Assessment,
    made: dict[int, tuple[str, Decimal]],
) -> None:
    """Count one pending invoice in, and what it adds to its bill group's total."""
    group_id = assessment.group.bill_group_id
    places = _places(assessment)
    for shown in places:
        report.counts[shown] += 1
        ids = report.groups[shown]
        if not ids or ids[-1] != group_id:
            ids.append(group_id)
    if places[1] is not Shown.ISSUED:
        report.rules[assessment.decision.rule] += 1

    planned = planned_amount(assessment)
    sums = report.sums[assessment.group.currency]
    sums.planned += planned
    if places[1] is Shown.HELD:
        sums.held += planned
        return
    report.usage_charges += unrated_charges(assessment)
    totals = assessment.document.totals
    sums.usage += totals.subtotal - planned
    if places[1] is Shown.ISSUED:
        sums.issued += totals.subtotal
        sums.issued_total += totals.total
    elif places[1] is Shown.DRAFTS:
        sums.drafted += totals.subtotal
        sums.drafted_total += totals.total
    else:
        return
    _, before = made.get(group_id, ("", ZERO))
    made[group_id] = (assessment.group.currency, before + totals.total)


def _count_failures(report: DryRunReport, failures: Mapping[int, str]) -> None:
    report.failed = len(failures)
    report.failures = tuple(sorted(failures.items())[:FAILURES_KEPT])
    if not failures:
        return
    settings = invoicing_settings(report.legal_entity)
    planned = planned_of(failures, through=due_horizon(settings, report.as_of))
    for currency, amount in planned.items():
        report.sums[currency].planned += amount
        report.sums[currency].failed += amount


def _compare(after: Mapping[int, tuple[str, Decimal]], run: InvoiceRun) -> Comparison:
    """Compare what a night would make with what a run made, by bill group."""
    before = made_by_run(run)
    comparison = Comparison(run=run)
    for currency, total in before.values():
        earlier = comparison.totals.get(currency, ZERO)
        comparison.totals[currency] = earlier + total
    for group_id in sorted({*before, *after}):
        change = _change(before.get(group_id), after.get(group_id))
        if change is None:
            comparison.same += 1
            continue
        comparison.counts[change] += 1
        kept = comparison.changes[change]
        if len(kept) < CHANGES_KEPT:
            currency = (after.get(group_id) or before[group_id])[0]
            kept.append(
                ChangedGroup(
                    bill_group_id=group_id,
                    currency=currency,
                    before=before.get(group_id, ("", ZERO))[1],
                    after=after.get(group_id, ("", ZERO))[1],
                )
            )
    return comparison


def _change(
    before: tuple[str, Decimal] | None, after: tuple[str, Decimal] | None
) -> Change | None:
    if before is None:
        return Change.NEW
    if after is None:
        return Change.GONE
    return None if before[1] == after[1] else Change.CHANGED
