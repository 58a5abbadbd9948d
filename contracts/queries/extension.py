"""What extending evergreen plans would add on a day, without adding it (P1).

The nightly run extends plans before it invoices. Where a plan has fallen behind (after
an outage of more than a year, or seen from a night that far ahead) the charges that
are added are due at once; on any other night they lie a year ahead, and finding that
there are none is one look into an index.

No plan is looked at further than `YEARS_SEEN` beyond the day on which it falls behind:
a mistyped year is no reason to plan a century.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import QuerySet

from billing.domain.period import add_months
from billing.models import LegalEntity
from contracts.domain.course import first_day_reaching
from contracts.domain.extension import appended
from contracts.domain.schedule import PlannedCharge
from contracts.domain.terms import UnplannableTerms
from contracts.models import Contract
from contracts.queries.terms import covered_lines, terms_of_contracts

YEARS_SEEN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingCharge:
    """A charge that is not stored: the plan is extended by it."""

    contract_id: int
    bill_group_id: int
    charge: PlannedCharge


def bill_groups_behind(
    legal_entity: LegalEntity, *, as_of: date, through: date
) -> list[int]:
    """Return the bill groups that extending on a day may bill by a bill date."""
    rows = (
        _behind(as_of=as_of, through=through)
        .filter(bill_group__legal_entity=legal_entity)
        .order_by("bill_group_id")
        .values_list("bill_group_id", flat=True)
        .distinct()
    )
    return list(rows)


def coming_charges(
    bill_group_ids: Collection[int], *, as_of: date, through: date
) -> list[ComingCharge]:
    """Return what extending on a day adds to bill groups, up to a bill date (P1).

    A contract that can't be planned adds nothing, as in the run.
    """
    behind = _behind(as_of=as_of, through=through).filter(
        bill_group__in=list(bill_group_ids)
    )
    contracts = {
        pk: (bill_group_id, extend_on)
        for pk, bill_group_id, extend_on in behind.values_list(
            "pk", "bill_group_id", "extend_on"
        )
        if extend_on is not None
    }
    if not contracts:
        return []
    covered = covered_lines(contracts)
    coming: list[ComingCharge] = []
    for contract_id, terms in terms_of_contracts(contracts).items():
        bill_group_id, extend_on = contracts[contract_id]
        seen_through = add_months(extend_on, 12 * YEARS_SEEN)
        try:
            charges = appended(terms, covered=covered, today=min(as_of, seen_through))
        except UnplannableTerms:
            continue
        coming.extend(
            ComingCharge(
                contract_id=contract_id, bill_group_id=bill_group_id, charge=charge
            )
            for charge in charges
            if charge.bill_date <= through
        )
    return coming


def _behind(*, as_of: date, through: date) -> QuerySet[Contract]:
    return Contract.objects.filter(
        extend_on__lte=min(as_of, first_day_reaching(through))
    )
