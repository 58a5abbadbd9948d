"""Reads of credit balance: what is left, and where it came from (M4)."""

from collections.abc import Collection
from decimal import Decimal

from django.db.models import QuerySet, Sum

from billing.models import BillGroup
from invoicing.models import BalanceEntry


def entries_left(groups: Collection[BillGroup]) -> QuerySet[BalanceEntry]:
    """Return the balance that is left of bill groups, by source."""
    return BalanceEntry.objects.filter(
        bill_group__in=[group.pk for group in groups], left__gt=0
    )


def balance_left(groups: Collection[BillGroup]) -> dict[str, Decimal]:
    """Return what is left in all, by currency; nothing where there is none."""
    rows = entries_left(groups).order_by("currency").values_list("currency")
    return dict(rows.annotate(sum_left=Sum("left")))
