"""What a night would do, without doing it: the dry run (G15).

The run extends evergreen plans before it invoices (P1). So does the rehearsal, in
memory: the charges that the extension would add are worked out as the run works them
out and assessed beside the stored ones. Nothing is written and nothing is locked,
whatever becomes of the process.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from billing.models import LegalEntity
from billing.queries import invoicing_settings
from contracts.queries import (
    ComingCharge,
    bill_groups_behind,
    coming_charges,
    usage_of_planned,
)
from invoicing.queries.coming import charges_with_coming
from invoicing.queries.pending import due_bill_groups
from invoicing.services.assessment import (
    Assessment,
    assess_due,
    assess_night,
    assess_pending,
    due_horizon,
)
from invoicing.services.batches import BATCH_SIZE
from invoicing.services.parking import reason_to_park


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a run of a legal entity would do, one assessment at a time (G15).

    `assessments` reads as it goes and writes nothing; a bill group that would be
    parked comes with its reason in `failures`, filled while reading.
    """

    legal_entity: LegalEntity
    as_of: date
    assessments: Iterator[Assessment]
    failures: dict[int, str]


def dry_run_invoicing(
    *, as_of: date, legal_entity: LegalEntity, only: frozenset[int] | None = None
) -> DryRun:
    """Return what the run of a day would do; nothing is written (G15).

    With `only` it looks at no other bill groups than these.
    """
    failures: dict[int, str] = {}
    group_ids, behind = bill_groups_of_night(as_of=as_of, legal_entity=legal_entity)
    if only is not None:
        group_ids = [group_id for group_id in group_ids if group_id in only]

    def assessments() -> Iterator[Assessment]:
        for first in range(0, len(group_ids), BATCH_SIZE):
            chunk = group_ids[first : first + BATCH_SIZE]
            yield from _assess_or_find_culprits(
                chunk,
                legal_entity=legal_entity,
                as_of=as_of,
                behind=behind,
                failures=failures,
            )

    return DryRun(
        legal_entity=legal_entity,
        as_of=as_of,
        assessments=assessments(),
        failures=failures,
    )


def bill_groups_of_night(
    *, as_of: date, legal_entity: LegalEntity
) -> tuple[list[int], frozenset[int]]:
    """Return the bill groups a night has to look at, and those it extends first.

    The second are among the first; on nearly every night there are none (P1).
    """
    horizon = due_horizon(invoicing_settings(legal_entity), as_of)
    due = due_bill_groups(legal_entity, through=horizon)
    behind = frozenset(bill_groups_behind(legal_entity, as_of=as_of, through=horizon))
    return (sorted(behind.union(due)) if behind else due), behind


def assess_extended(
    bill_group_ids: Collection[int],
    *,
    legal_entity: LegalEntity,
    as_of: date,
    through: date,
    coming: Collection[ComingCharge],
) -> list[Assessment]:
    """Assess pending and coming charges to a bill date as the night of `as_of`."""
    if not coming:
        return assess_pending(
            bill_group_ids, legal_entity=legal_entity, as_of=as_of, through=through
        )
    by_id = {-number: charge for number, charge in enumerate(coming, start=1)}
    unrated = {
        charge_id: coming.charge
        for charge_id, coming in by_id.items()
        if coming.charge.amount is None
    }
    return assess_night(
        charges_with_coming(bill_group_ids, through=through, coming=by_id),
        legal_entity=legal_entity,
        as_of=as_of,
        coming_usage=usage_of_planned(unrated) if unrated else {},
    )


def _assess_or_find_culprits(
    group_ids: list[int],
    *,
    legal_entity: LegalEntity,
    as_of: date,
    behind: frozenset[int],
    failures: dict[int, str],
) -> Iterator[Assessment]:
    """Assess bill groups; one that fails is named, the others are assessed (G13)."""
    try:
        assessed = _assess(
            group_ids, legal_entity=legal_entity, as_of=as_of, behind=behind
        )
    except Exception as fault:  # noqa: BLE001 (the others are billed)
        reason = reason_to_park(fault)
        if len(group_ids) == 1:
            failures[group_ids[0]] = reason
            return
        for group_id in group_ids:
            yield from _assess_or_find_culprits(
                [group_id],
                legal_entity=legal_entity,
                as_of=as_of,
                behind=behind,
                failures=failures,
            )
        return
    yield from assessed


def _assess(
    group_ids: list[int],
    *,
    legal_entity: LegalEntity,
    as_of: date,
    behind: frozenset[int],
) -> list[Assessment]:
    """Assess what is due of bill groups, their plans extended where behind."""
    extended = [group_id for group_id in group_ids if group_id in behind]
    if not extended:
        return list(assess_due(group_ids, legal_entity=legal_entity, as_of=as_of))
    horizon = due_horizon(invoicing_settings(legal_entity), as_of)
    assessments = assess_extended(
        group_ids,
        legal_entity=legal_entity,
        as_of=as_of,
        through=horizon,
        coming=coming_charges(extended, as_of=as_of, through=horizon),
    )
    return [a for a in assessments if a.decision.facts.due_from <= as_of]
