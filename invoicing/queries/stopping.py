"""Reads of what a stop would leave waiting: the plan and drafts of bill groups (S3).

The raw SQL relies on `charge_pending_of_group` (bill group, bill date, where pending).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import Count, Q, Sum

from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.pending import id_array

WAITING: Final = """
SELECT g.currency, count(*), count(DISTINCT (c.bill_group_id, c.bill_date)),
       count(DISTINCT (c.bill_group_id, c.bill_date)) FILTER (WHERE c.bill_date <= %s),
       coalesce(sum(c.amount), 0), count(*) FILTER (WHERE c.amount IS NULL)
FROM contracts_scheduledcharge c
JOIN billing_billgroup g ON g.id = c.bill_group_id
WHERE c.state = 'PENDING' AND c.bill_group_id = ANY (%s::bigint[])
GROUP BY g.currency
ORDER BY g.currency
"""
# The rule itself stands in `contracts_closed_month_of` (S4).
IN_CLOSED_PERIODS: Final = """
SELECT found.id FROM unnest(%s::bigint[]) AS found (id)
WHERE contracts_closed_month_of(found.id) IS NOT NULL
ORDER BY found.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is pending in one currency: amounts before tax, without unrated usage.

    `due` counts the pending invoices whose bill date has come.
    """

    currency: str
    charges: int
    invoices: int
    due: int
    amount: Decimal
    unrated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedInvoice:
    """A pending invoice of one bill group, before tax, without unrated usage."""

    bill_date: date
    charges: int
    amount: Decimal
    unrated: int


def waiting_charges(
    bill_group_ids: Collection[int], *, today: date
) -> tuple[Waiting, ...]:
    """Return what is pending of bill groups, by currency."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [today, id_array(bill_group_ids)])
        return tuple(
            Waiting(
                currency=currency,
                charges=charges,
                invoices=invoices,
                due=due,
                amount=amount,
                unrated=unrated,
            )
            for currency, charges, invoices, due, amount, unrated in cursor.fetchall()
        )


def planned_invoices(bill_group_id: int, *, most: int) -> tuple[PlannedInvoice, ...]:
    """Return the pending invoices of a bill group, oldest first, as many as `most`."""
    rows = (
        ScheduledCharge.objects.filter(
            bill_group=bill_group_id, state=ChargeState.PENDING
        )
        .values("bill_date")
        .annotate(
            charges=Count("pk"),
            sum=Sum("amount", default=Decimal(0)),
            unrated=Count("pk", filter=Q(amount=None)),
        )
        .order_by("bill_date")[:most]
    )
    return tuple(
        PlannedInvoice(
            bill_date=row["bill_date"],
            charges=row["charges"],
            amount=row["sum"],
            unrated=row["unrated"],
        )
        for row in rows
    )


def waiting_drafts(bill_group_ids: Collection[int]) -> dict[str, tuple[int, Decimal]]:
    """Return the count and total of the drafts of bill groups, by currency."""
    rows = (
        Invoice.objects.filter(
            bill_group__in=list(bill_group_ids), status=InvoiceStatus.DRAFT
        )
        .values("currency")
        .annotate(drafts=Count("pk"), sum=Sum("total"))
        .order_by("currency")
    )
    return {row["currency"]: (row["drafts"], row["sum"]) for row in rows}


def in_closed_periods(bill_group_ids: Collection[int]) -> set[int]:
    """Return the bill groups that lie wholly in closed periods (S4)."""
    with connection.cursor() as cursor:
        cursor.execute(IN_CLOSED_PERIODS, [id_array(bill_group_ids)])
        return {group_id for (group_id,) in cursor.fetchall()}
