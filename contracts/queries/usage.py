"""Usage of billing periods and the tariffs it is rated with (P9)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.models import Count, DecimalField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from contracts.domain.changes import Change, value_on
from contracts.domain.rating import Tariff, TariffModel, Tier, parse_tiers, rate
from contracts.domain.schedule import PlannedCharge
from contracts.domain.terms import LIVE_STATES, ChargeType
from contracts.models import (
    Contract,
    ContractLine,
    LineChange,
    ScheduledCharge,
    UsageRecord,
)
from contracts.queries.terms import changes_of

_ZERO = Decimal(0)


def usage_of_charges(
    charge_ids: Collection[int],
) -> dict[int, tuple[Decimal, Tariff]]:
    """Return what usage charges are rated with, by charge id, in two queries (P9).

    The quantity is the sum recorded on the days of the charge, zero if nothing was;
    the tariff is at the terms of its last day.
    """
    rows = list(
        ScheduledCharge.objects.filter(pk__in=charge_ids)
        .annotate(used=Coalesce(Subquery(_used_in_period()), _ZERO))
        .values_list(
            "pk",
            "contract_line_id",
            "period_end",
            "used",
            "contract_line__unit_price",
            "contract_line__tiers",
            "contract_line__included_quantity",
            "contract_line__discount_percent",
        )
    )
    line_ids = {row[1] for row in rows}
    changes = changes_of(LineChange.objects.filter(line__in=line_ids))
    return {
        charge_id: (
            used,
            _tariff(
                last_day,
                changes.get(line_id, ()),
                unit_price=unit_price,
                tiers=tiers,
                included_quantity=included,
                discount_percent=discount,
            ),
        )
        for (
            charge_id,
            line_id,
            last_day,
            used,
            unit_price,
            tiers,
            included,
            discount,
        ) in rows
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePeriod:
    """What was used of a line in one period, and what that comes to so far.

    `amount` is rated anew until the period is invoiced, then what the invoice bills;
    `late` is what was billed, or is to be, on top of it.
    """

    position: int
    product: str
    period_start: date
    period_end: date
    state: str
    records: int
    recorded: Decimal
    included: Decimal
    amount: Decimal
    late: Decimal


def usage_periods(
    contract: Contract, *, through: date, limit: int
) -> tuple[UsagePeriod, ...]:
    """Return the usage periods of a contract that have begun, newest first (P9).

    In three queries; at most `limit` of them.
    """
    late = (
        ScheduledCharge.objects.filter(late_for=OuterRef("pk"), state__in=LIVE_STATES)
        .order_by()
        .values("late_for")
    )
    records = (
        UsageRecord.objects.filter(
            line=OuterRef("contract_line"),
            usage_date__range=(OuterRef("period_start"), OuterRef("period_end")),
        )
        .order_by()
        .values("line")
    )
    charges = list(
        ScheduledCharge.objects.filter(
            contract=contract,
            contract_line__charge_type=ChargeType.USAGE,
            state__in=LIVE_STATES,
            late_for__isnull=True,
            period_start__lte=through,
        )
        .select_related("contract_line__product")
        .annotate(
            late=Coalesce(
                Subquery(late.annotate(sum=Sum("amount")).values("sum")), _ZERO
            ),
            records=Coalesce(Subquery(records.annotate(n=Count("pk")).values("n")), 0),
        )
        .order_by("-period_start", "contract_line__position", "-pk")[:limit]
    )
    used = usage_of_charges([charge.pk for charge in charges]) if charges else {}
    return tuple(
        UsagePeriod(
            position=charge.contract_line.position,
            product=charge.contract_line.product.name,
            period_start=charge.period_start,
            period_end=charge.period_end,
            state=charge.state,
            records=charge.records,
            recorded=used[charge.pk][0],
            included=used[charge.pk][1].included_quantity,
            amount=_amount_so_far(charge, used[charge.pk], contract),
            late=charge.late,
        )
        for charge in charges
    )


def _amount_so_far(
    charge: ScheduledCharge, used: tuple[Decimal, Tariff], contract: Contract
) -> Decimal:
    if charge.amount is not None:
        return charge.amount
    quantity, tariff = used
    return rate(tariff, quantity, contract.bill_group.currency).amount


def usage_of_planned(
    charges: Mapping[int, PlannedCharge],
) -> dict[int, tuple[Decimal, Tariff]]:
    """Return what planned usage charges are rated with, by the keys given (P9).

    They are not stored: see `ComingCharge`. `charges` are not empty.
    """
    lines = ContractLine.objects.in_bulk({c.line_id for c in charges.values()})
    changes = changes_of(LineChange.objects.filter(line__in=lines))
    recorded: defaultdict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for line_id, day, quantity in UsageRecord.objects.filter(
        line__in=lines, usage_date__gte=min(c.period.start for c in charges.values())
    ).values_list("line_id", "usage_date", "quantity"):
        recorded[line_id].append((day, quantity))
    return {
        key: (
            sum((used for day, used in recorded[c.line_id] if day in c.period), _ZERO),
            _tariff_of(lines[c.line_id], c.period.last_day, changes.get(c.line_id, ())),
        )
        for key, c in charges.items()
    }


def tariff_on(line: ContractLine, day: date) -> Tariff:
    """Return what usage of a line costs at the terms of a day."""
    changes = changes_of(LineChange.objects.filter(line=line))
    return _tariff_of(line, day, changes.get(line.pk, ()))


def _tariff_of(line: ContractLine, day: date, changes: Sequence[Change]) -> Tariff:
    return _tariff(
        day,
        changes,
        unit_price=line.unit_price,
        tiers=line.tiers,
        included_quantity=line.included_quantity,
        discount_percent=line.discount_percent,
    )


def _used_in_period() -> QuerySet[UsageRecord, Any]:
    return (
        UsageRecord.objects.filter(
            line=OuterRef("contract_line"),
            usage_date__range=(OuterRef("period_start"), OuterRef("period_end")),
        )
        .order_by()
        .values("line")
        .annotate(
            total=Sum(
                "quantity",
                output_field=DecimalField(max_digits=30, decimal_places=6),
            )
        )
        .values("total")
    )


def _tariff(
    day: date,
    changes: Sequence[Change],
    *,
    unit_price: Decimal | None,
    tiers: str,
    included_quantity: Decimal,
    discount_percent: Decimal,
) -> Tariff:
    price = value_on(day, unit_price, changes, lambda change: change.unit_price)
    model, steps = _tiers(value_on(day, tiers, changes, lambda change: change.tiers))
    included = value_on(
        day, included_quantity, changes, lambda change: change.included_quantity
    )
    discount = value_on(
        day, discount_percent, changes, lambda change: change.discount_percent
    )
    return Tariff(
        model=model,
        unit_price=price or _ZERO,
        tiers=steps,
        included_quantity=included,
        discount_percent=discount,
    )


@lru_cache(maxsize=10_000)
def _tiers(text: str) -> tuple[TariffModel, tuple[Tier, ...]]:
    return parse_tiers(text) if text else (TariffModel.PER_UNIT, ())
