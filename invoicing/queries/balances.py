"""Reads of credit balance: what is left, and where it came from (M4)."""

from collections.abc import Collection
from decimal import Decimal

from django.db.models import QuerySet, Sum

from billing.models import BillGroup
from invoicing.models import BalanceEntry, BalanceUse, Invoice


def entries_left(groups: Collection[BillGroup]) -> QuerySet[BalanceEntry]:
    """Return the balance that is left of bill groups, by source."""
    return BalanceEntry.objects.filter(
        bill_group__in=[group.pk for group in groups], left__gt=0
    )


def balance_left(groups: Collection[BillGroup]) -> dict[str, Decimal]:
    """Return what is left in all, by currency; nothing where there is none."""
    rows = entries_left(groups).order_by("currency").values_list("currency")
    return dict(rows.annotate(sum_left=Sum("left")))


def used_at_issue(invoice: Invoice) -> Decimal:
    """Return the balance that was used for an invoice when it was issued (M4).

    It never changes, also where the use was undone since: the paper says so (M3).
    """
    used = BalanceUse.objects.filter(invoice=invoice, at_issue=True)
    amount: Decimal = used.aggregate(sum=Sum("amount", default=Decimal(0)))["sum"]
    return amount
