"""Reads of the plan of all bill groups, page by page in the order of its index.

The raw SQL relies on `charge_pending_by_date` (bill date, bill group, where pending):
grouping follows the index, so that a page costs its own rows only.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

FIRST = (date.min, 0)

PAGE = """
SELECT c.bill_date, c.bill_group_id, count(*), sum(c.amount),
       count(*) FILTER (WHERE c.amount IS NULL)
FROM contracts_scheduledcharge c
WHERE c.state = 'PENDING' AND c.bill_date <= %s
  AND (c.bill_date, c.bill_group_id) > (%s, %s)
GROUP BY c.bill_date, c.bill_group_id
ORDER BY c.bill_date, c.bill_group_id
LIMIT %s
"""

TOTALS = """
SELECT g.currency, count(DISTINCT (c.bill_date, c.bill_group_id)), sum(c.amount),
       count(*) FILTER (WHERE c.amount IS NULL)
FROM contracts_scheduledcharge c
JOIN billing_billgroup g ON g.id = c.bill_group_id
WHERE c.state = 'PENDING' AND c.bill_date <= %s
GROUP BY g.currency
ORDER BY g.currency
"""

DUE_BY_HAND = """
SELECT count(DISTINCT (c.bill_date, c.bill_group_id))
FROM contracts_scheduledcharge c
JOIN billing_billgroup g ON g.id = c.bill_group_id
WHERE c.state = 'PENDING' AND c.bill_date <= %s
  AND g.status = 'ACTIVE' AND g.invoicing = 'MANUAL'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRow:
    """One pending invoice: charges, their sum before tax, and how many are unrated."""

    bill_date: date
    bill_group_id: int
    charges: int
    amount: Decimal
    unrated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTotal:
    """What is pending in one currency, before tax."""

    currency: str
    invoices: int
    amount: Decimal
    unrated: int


def pending_page(
    *, through: date, after: tuple[date, int] | None, size: int
) -> list[PendingRow]:
    """Return pending invoices up to a bill date, after a (bill date, bill group)."""
    with connection.cursor() as cursor:
        cursor.execute(PAGE, [through, *(after or FIRST), size])
        return [
            PendingRow(
                bill_date=bill_date,
                bill_group_id=group_id,
                charges=charges,
                amount=amount or Decimal(0),
                unrated=unrated,
            )
            for bill_date, group_id, charges, amount, unrated in cursor.fetchall()
        ]


def pending_totals(*, through: date) -> list[PendingTotal]:
    """Return what is pending up to a bill date, by currency."""
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, [through])
        return [
            PendingTotal(
                currency=currency,
                invoices=invoices,
                amount=amount or Decimal(0),
                unrated=unrated,
            )
            for currency, invoices, amount, unrated in cursor.fetchall()
        ]


def due_by_hand(*, today: date) -> int:
    """Count pending invoices whose bill date has come, of active manual groups (G3)."""
    with connection.cursor() as cursor:
        cursor.execute(DUE_BY_HAND, [today])
        row = cursor.fetchone()
    return int(row[0])
