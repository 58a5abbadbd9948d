"""The terms of contracts and their stored charges, as the plan takes them.

A line's columns are its original terms; the changes of its amendments are laid over
them (A1). Everything is read for many contracts at once.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from billing.domain.period import Period
from contracts.domain.changes import Change, served_through, stretches
from contracts.domain.extension import Covered
from contracts.domain.reconcile import StoredCharge
from contracts.domain.terms import (
    LIVE_STATES,
    ChargeState,
    ChargeType,
    ContractTerms,
    LineTerms,
    Proration,
    Rates,
    Timing,
)
from contracts.models import Contract, ContractLine, LineChange, ScheduledCharge

_ZERO = Decimal(0)


def terms_of(contract: Contract) -> ContractTerms:
    """Return the terms of one contract, with all its amendments."""
    return terms_of_contracts([contract.pk])[contract.pk]


def terms_of_contracts(contract_ids: Collection[int]) -> dict[int, ContractTerms]:
    """Return the terms of contracts by id, in three queries however many there are."""
    contracts = Contract.objects.filter(pk__in=contract_ids).values_list(
        "pk",
        "start_date",
        "end_date",
        "last_day",
        "bill_day",
        "bill_month",
        "bill_group__currency",
    )
    starts = {}
    rows = []
    for row in contracts:
        rows.append(row)
        starts[row[0]] = row[1]
    lines = _lines_of(starts)
    return {
        contract_id: ContractTerms(
            start=start,
            end=end,
            last_day=last_day,
            bill_day=bill_day or start.day,
            bill_month=bill_month,
            currency=currency,
            lines=tuple(lines[contract_id]),
        )
        for contract_id, start, end, last_day, bill_day, bill_month, currency in rows
    }


def _lines_of(starts: dict[int, date]) -> dict[int, list[LineTerms]]:
    """Return the lines of contracts by contract id, given the contracts' starts."""
    rows = (
        ContractLine.objects.filter(contract__in=starts)
        .order_by("contract_id", "position")
        .values_list(
            "pk",
            "contract_id",
            "charge_type",
            "timing",
            "frequency_months",
            "start_date",
            "end_date",
            "proration",
            "quantity",
            "unit_price",
            "discount_percent",
        )
    )
    changes = changes_of(LineChange.objects.filter(line__contract__in=starts))
    lines: defaultdict[int, list[LineTerms]] = defaultdict(list)
    for (
        line_id,
        contract_id,
        charge_type,
        timing,
        months,
        start,
        end,
        proration,
        quantity,
        unit_price,
        discount_percent,
    ) in rows:
        line_start = start or starts[contract_id]
        original = Rates(
            quantity=_ZERO if quantity is None else quantity,
            unit_price=_ZERO if unit_price is None else unit_price,
            discount_percent=discount_percent,
        )
        line_changes = changes.get(line_id, ())
        lines[contract_id].append(
            LineTerms(
                line_id=line_id,
                charge_type=ChargeType(charge_type),
                timing=Timing(timing),
                months=months,
                start=line_start,
                agreed_end=end,
                last_day=served_through(line_changes),
                proration=Proration(proration),
                stretches=stretches(original, start=line_start, changes=line_changes),
            )
        )
    return lines


def changes_of(line_changes: QuerySet[LineChange]) -> dict[int, list[Change]]:
    """Return changes by line id, in the order in which they take effect (A1)."""
    rows = line_changes.order_by(
        "amendment__effective_date", "amendment_id"
    ).values_list(
        "line_id",
        "amendment__effective_date",
        "quantity",
        "unit_price",
        "discount_percent",
        "included_quantity",
        "tiers",
        "last_day",
    )
    changes: defaultdict[int, list[Change]] = defaultdict(list)
    for line_id, day, quantity, unit_price, discount, included, tiers, end in rows:
        changes[line_id].append(
            Change(
                from_date=day,
                quantity=quantity,
                unit_price=unit_price,
                discount_percent=discount,
                included_quantity=included,
                tiers=tiers,
                last_day=end,
            )
        )
    return changes


def stored_charges(contract_ids: Collection[int]) -> dict[int, list[StoredCharge]]:
    """Return the live charges of contracts by contract id, in the order of days.

    Late usage is no part of the plan: it lies on the days of an invoiced charge (P9).
    """
    rows = (
        ScheduledCharge.objects.filter(
            contract__in=contract_ids, state__in=LIVE_STATES, late_for__isnull=True
        )
        .order_by("contract_line_id", "period_start")
        .values_list(
            "contract_id",
            "pk",
            "contract_line_id",
            "period_start",
            "period_end",
            "bill_date",
            "quantity",
            "unit_price",
            "discount_percent",
            "amount",
            "state",
        )
    )
    charges: defaultdict[int, list[StoredCharge]] = defaultdict(list)
    for (
        contract_id,
        charge_id,
        line_id,
        first,
        last,
        bill_date,
        quantity,
        unit_price,
        discount_percent,
        amount,
        state,
    ) in rows:
        charges[contract_id].append(
            StoredCharge(
                id=charge_id,
                line_id=line_id,
                period=Period.from_inclusive(first, last),
                bill_date=bill_date,
                quantity=quantity,
                unit_price=unit_price,
                discount_percent=discount_percent,
                amount=amount,
                state=ChargeState(state),
            )
        )
    return charges


def covered_lines(contract_ids: Collection[int]) -> dict[int, Covered]:
    """Return how far the lines of contracts are charged, by line id.

    The index finds each line's last charge, however many there are before it.
    """
    last = ScheduledCharge.objects.filter(
        contract_line=OuterRef("pk"), state__in=LIVE_STATES, late_for__isnull=True
    ).order_by("-period_start")
    lines = ContractLine.objects.filter(contract__in=contract_ids).annotate(
        covered_through=Subquery(last.values("period_end")[:1]),
        billed_on=Subquery(last.values("bill_date")[:1]),
    )
    rows = lines.values_list("pk", "covered_through", "billed_on")
    return {
        line_id: Covered(last_day=last_day, bill_date=bill_date)
        for line_id, last_day, bill_date in rows
        if last_day is not None and bill_date is not None
    }
