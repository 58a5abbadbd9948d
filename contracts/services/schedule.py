"""Keep the stored charges as the plan asks: the one place that writes them (P1, P7).

Whoever calls holds the locks of the contracts, and of their bill groups unless charges
are only appended. Pending charges are superseded and canceled before new ones are
created, because the database refuses two live charges of a line on one day (P8).
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from billing.models import LegalEntity
from contracts.domain.extension import appended
from contracts.domain.reconcile import Reconciliation, reconcile
from contracts.domain.schedule import PlannedCharge, next_extension, plan
from contracts.domain.terms import ChargeState, UnplannableTerms
from contracts.models import Contract, ScheduledCharge
from contracts.queries import covered_lines, stored_charges, terms_of_contracts
from contracts.services.rows import copy_lines

logger = logging.getLogger(__name__)

EXTENDED_AT_ONCE: Final = 500

CHARGE_COLUMNS: Final = (
    "contract_line_id",
    "contract_id",
    "bill_group_id",
    "period_start",
    "period_end",
    "bill_date",
    "in_advance",
    "quantity",
    "unit_price",
    "discount_percent",
    "amount",
    "state",
)

# Arrays of one length, a row of the contracts for each place.
SET_EXTENSIONS: Final = """
UPDATE contracts_contract AS contract SET extend_on = planned.extend_on
FROM unnest(%s::bigint[], %s::date[]) AS planned (id, extend_on)
WHERE contract.id = planned.id
  AND contract.extend_on IS DISTINCT FROM planned.extend_on
"""


class ChargesChanged(RuntimeError):
    """Charges were no longer pending when they were to be replaced.

    The locks keep this from happening; if it does, the transaction is undone.
    """


def reconcile_contracts(
    *, contract_ids: Collection[int], today: date
) -> dict[int, Reconciliation]:
    """Bring the stored charges of contracts in line with their terms (P7).

    Returns by contract id what was created, superseded, canceled and kept. An evergreen
    contract is planned at least as far as it was before. Raises `UnplannableTerms`.
    """
    terms = terms_of_contracts(contract_ids)
    stored = stored_charges(contract_ids)
    reconciliations = {}
    extensions = {}
    lines: list[str] = []
    for contract in Contract.objects.filter(pk__in=contract_ids).order_by("pk"):
        contract_terms = terms[contract.pk]
        planned_on = _planned_on(contract, today)
        reconciliation = reconcile(
            plan(contract_terms, today=planned_on), stored.get(contract.pk, ())
        )
        reconciliations[contract.pk] = reconciliation
        extensions[contract.pk] = next_extension(contract_terms, today=planned_on)
        lines.extend(
            charge_lines(
                reconciliation.create,
                contract_id=contract.pk,
                bill_group_id=contract.bill_group_id,
            )
        )
    _retire(
        [pk for result in reconciliations.values() for pk in result.supersede],
        ChargeState.SUPERSEDED,
    )
    _retire(
        [pk for result in reconciliations.values() for pk in result.cancel],
        ChargeState.CANCELED,
    )
    insert_charges(lines)
    _set_extensions(extensions)
    return reconciliations


def _planned_on(contract: Contract, today: date) -> date:
    """Return the day whose horizon the plan has: today, or that of the stored plan.

    The plan is the same on every day before `extend_on`.
    """
    if contract.extend_on is None:
        return today
    return max(today, date.fromordinal(contract.extend_on.toordinal() - 1))


def charge_lines(
    charges: Iterable[PlannedCharge],
    *,
    contract_id: int,
    bill_group_id: int,
    external_before: date | None = None,
) -> Iterator[str]:
    """Yield planned charges as COPY text of `CHARGE_COLUMNS`, pending.

    Those with a bill date before `external_before` were billed elsewhere (I2).
    """
    for charge in charges:
        period, bill_date = charge.period, charge.bill_date
        is_external = external_before is not None and bill_date < external_before
        yield (
            f"{charge.line_id}\t{contract_id}\t{bill_group_id}\t"
            f"{_day(period.start)}\t{_day(period.last_day)}\t{_day(bill_date)}\t"
            f"{'t' if charge.in_advance else 'f'}\t"
            f"{_number(charge.quantity)}\t{_number(charge.unit_price)}\t"
            f"{_number(charge.discount_percent)}\t{_number(charge.amount)}\t"
            f"{'EXTERNAL' if is_external else 'PENDING'}"
        )


@lru_cache(maxsize=50_000)
def _day(day: date) -> str:
    """Return a date as text; the charges of a plan have the same few dates."""
    return day.isoformat()


def _number(number: Decimal | None) -> str:
    return r"\N" if number is None else str(number)


def insert_charges(lines: Iterable[str]) -> None:
    """Create charges from COPY text of `CHARGE_COLUMNS`, as many as there are."""
    copy_lines(ScheduledCharge, CHARGE_COLUMNS, lines)


def _retire(charge_ids: list[int], state: ChargeState) -> None:
    pending = ScheduledCharge.objects.filter(
        pk__in=charge_ids, state=ChargeState.PENDING
    )
    if charge_ids and pending.update(state=state) != len(charge_ids):
        raise ChargesChanged("Some charges were not pending any more.")


def _set_extensions(extensions: Mapping[int, date | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SET_EXTENSIONS, [list(extensions), list(extensions.values())])


def extend_contracts(*, as_of: date, legal_entity: LegalEntity) -> int:
    """Extend the plan of evergreen contracts by what `as_of` asks for (P1).

    Only appends. Each few hundred contracts are one short transaction; those that
    somebody else has locked are left for the next time: there is more than a year to
    spare. Returns how many were extended. A contract that can't be planned is logged
    and left as it is.
    """
    due = Contract.objects.filter(
        extend_on__lte=as_of, bill_group__legal_entity=legal_entity
    )
    extended = 0
    unplannable: set[int] = set()
    while True:
        with transaction.atomic():
            contracts = _lock_next(due.exclude(pk__in=unplannable))
            if not contracts:
                return extended
            failed = _extend(contracts, as_of=as_of)
        extended += len(contracts) - len(failed)
        unplannable |= failed


def _lock_next(due: QuerySet[Contract]) -> dict[int, int]:
    """Lock the next contracts to extend; returns their bill groups by their id."""
    rows = due.order_by("extend_on", "pk").select_for_update(
        no_key=True, skip_locked=True, of=("self",)
    )
    return dict(rows.values_list("pk", "bill_group_id")[:EXTENDED_AT_ONCE])


def _extend(contracts: Mapping[int, int], *, as_of: date) -> set[int]:
    """Append what is new in the plan; returns the contracts that can't be planned."""
    covered = covered_lines(contracts)
    extensions = {}
    lines: list[str] = []
    for contract_id, terms in terms_of_contracts(contracts).items():
        try:
            created = appended(terms, covered=covered, today=as_of)
        except UnplannableTerms:
            logger.exception("The plan of contract %s can't be extended.", contract_id)
            continue
        extensions[contract_id] = next_extension(terms, today=as_of)
        lines.extend(
            charge_lines(
                created, contract_id=contract_id, bill_group_id=contracts[contract_id]
            )
        )
    insert_charges(lines)
    _set_extensions(extensions)
    return contracts.keys() - extensions.keys()
