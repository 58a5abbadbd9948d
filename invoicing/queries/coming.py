"""Pending charges as they are after the night's own extension of plans (P1, G15).

The statement is that of `invoicing.queries.pending`, put to stored and coming charges
at once: a common table expression that has the name of the table stands before it.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db import connection

from contracts.queries import ComingCharge
from invoicing.domain.document import PendingCharge
from invoicing.queries.pending import OF_GROUPS_THROUGH, PENDING_CHARGES

# Arrays of one length, a charge for each place.
STORED_AND_COMING = """
WITH contracts_scheduledcharge AS (
    SELECT id, contract_id, contract_line_id, bill_group_id, bill_date, period_start,
           period_end, in_advance, quantity, unit_price, discount_percent, amount,
           state, late_for_id
    FROM contracts_scheduledcharge
    UNION ALL
    SELECT *, 'PENDING'::varchar, NULL::bigint
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::date[],
                %s::date[], %s::date[], %s::boolean[], %s::numeric[], %s::numeric[],
                %s::numeric[], %s::numeric[])
)
"""


def charges_with_coming(
    bill_group_ids: Collection[int],
    *,
    through: date,
    coming: Mapping[int, ComingCharge],
) -> list[PendingCharge]:
    """Return pending and coming charges of bill groups up to a bill date.

    They are in the order of `charges_through`; a coming one has its key as id.
    """
    rows = [_row(charge_id, charge) for charge_id, charge in coming.items()]
    columns = [list(column) for column in zip(*rows, strict=True)]
    statement = STORED_AND_COMING + PENDING_CHARGES.format(condition=OF_GROUPS_THROUGH)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*columns, list(bill_group_ids), through])
        return [PendingCharge._make(row) for row in cursor.fetchall()]


def _row(charge_id: int, coming: ComingCharge) -> tuple[Any, ...]:
    charge = coming.charge
    return (
        charge_id,
        coming.contract_id,
        charge.line_id,
        coming.bill_group_id,
        charge.bill_date,
        charge.period.start,
        charge.period.last_day,
        charge.in_advance,
        charge.quantity,
        charge.unit_price,
        charge.discount_percent,
        charge.amount,
    )
