"""Pending invoices: the pending charges of a bill group, by bill date.

They are no documents but a view of the plan. Amounts are before tax; usage counts once
it is rated.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from billing.domain.money import round_money
from billing.models import BillGroup
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingInvoice:
    """What a bill group will be billed on one bill date, as planned today.

    `subtotal` is the sum of the amounts that are known, in the currency's digits;
    `unrated` of the `charges` are usage whose amount is not.
    """

    bill_group_id: int
    bill_date: date
    currency: str
    charges: int
    unrated: int
    subtotal: Decimal


def pending_invoices(
    bill_groups: Collection[int] | QuerySet[BillGroup],
) -> tuple[PendingInvoice, ...]:
    """Return the pending invoices of bill groups, by group, the oldest first."""
    rows = (
        ScheduledCharge.objects.filter(
            state=ChargeState.PENDING, bill_group__in=bill_groups
        )
        .values_list("bill_group_id", "bill_date", "bill_group__currency")
        .annotate(
            charges=Count("pk"),
            unrated=Count("pk", filter=Q(amount__isnull=True)),
            subtotal=Sum("amount", default=Decimal(0)),
        )
        .order_by("bill_group_id", "bill_date")
    )
    return tuple(
        PendingInvoice(
            bill_group_id=bill_group_id,
            bill_date=bill_date,
            currency=currency,
            charges=charges,
            unrated=unrated,
            subtotal=round_money(subtotal, currency),
        )
        for bill_group_id, bill_date, currency, charges, unrated, subtotal in rows
    )


def pending_charges(
    *, bill_group: BillGroup, bill_date: date
) -> QuerySet[ScheduledCharge]:
    """Return the charges of one pending invoice in the order of its lines."""
    return (
        ScheduledCharge.objects.filter(
            state=ChargeState.PENDING, bill_group=bill_group, bill_date=bill_date
        )
        .select_related("contract", "contract_line__product")
        .order_by("contract__number", "contract_line__position", "period_start", "pk")
    )
