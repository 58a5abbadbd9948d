"""The difference between the plan and what is stored (P5-P8)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from contracts.domain.reconcile import StoredCharge, reconcile
from contracts.domain.schedule import plan
from contracts.domain.terms import ChargeState, ContractTerms
from tests.contracts.domain.sold import (
    PLAIN_CONTRACT,
    PLAIN_LINE,
    YEAR_START,
    day,
    from_days,
    january,
    planned,
    stored,
    told,
)


def all_stored(contract: ContractTerms) -> list[StoredCharge]:
    charges = plan(contract, today=YEAR_START)
    return [stored(charge, charge_id=n) for n, charge in enumerate(charges, start=1)]


def test_everything_is_created_where_nothing_is_stored() -> None:
    """P7"""
    charges = planned(end="2026-03-31")

    result = reconcile(charges, [])

    assert result.create == charges
    assert (result.supersede, result.cancel, result.kept) == ((), (), ())


def test_pending_charges_that_are_wanted_are_kept() -> None:
    """P7"""
    charges = all_stored(PLAIN_CONTRACT)

    result = reconcile(plan(PLAIN_CONTRACT, today=YEAR_START), charges)

    assert result.changes_nothing
    assert result.kept == (1, 2, 3)


def test_pending_charges_are_replaced_from_the_change_on() -> None:
    """P7, A2"""
    amended = replace(
        PLAIN_LINE, stretches=from_days(d2026_01_01="310", d2026_02_15="620")
    )

    result = reconcile(planned(amended, end="2026-03-31"), all_stored(PLAIN_CONTRACT))

    assert told(result.create) == [
        "2026-02-01..2026-02-14 2026-02-01: 155.00",
        "2026-02-15..2026-02-28 2026-02-01: 310.00",
        "2026-03-01..2026-03-31 2026-03-01: 620.00",
    ]
    assert (result.kept, result.supersede, result.cancel) == ((1,), (2, 3), ())


@pytest.mark.parametrize(
    "change",
    [
        {"bill_date": day("2026-01-02")},
        {"quantity": Decimal(2)},
        {"unit_price": Decimal(311)},
        {"discount_percent": Decimal(1)},
        {"amount": Decimal("310.01")},
        {"amount": None},
    ],
    ids=["bill_date", "quantity", "unit_price", "discount", "amount", "no_amount"],
)
def test_pending_charge_that_differs_in_anything_is_replaced(
    change: dict[str, Any],
) -> None:
    """P7"""
    [charge] = planned()

    result = reconcile([charge], [replace(stored(charge), **change)])

    assert result.create == (charge,)
    assert result.supersede == (1,)


def test_equal_numbers_written_otherwise_are_equal() -> None:
    """P7: the columns have more decimals than the terms."""
    [charge] = planned()
    as_read = replace(
        stored(charge),
        quantity=Decimal("1.000000"),
        unit_price=Decimal("310.000000"),
        discount_percent=Decimal("0.000"),
        amount=Decimal("310.000"),
    )

    assert reconcile([charge], [as_read]).changes_nothing


def test_cancellation_replaces_the_charge_across_it_and_cancels_later_ones() -> None:
    """P7, S1"""
    result = reconcile(
        planned(end="2026-03-31", last_day="2026-02-14"), all_stored(PLAIN_CONTRACT)
    )

    assert told(result.create) == ["2026-02-01..2026-02-14 2026-02-01: 155.00"]
    assert (result.kept, result.supersede, result.cancel) == ((1,), (2,), (3,))


def test_cancellation_between_two_charges_only_cancels() -> None:
    """P7, S1: nothing replaces a charge that touches what stays."""
    result = reconcile(
        planned(end="2026-03-31", last_day="2026-02-28"), all_stored(PLAIN_CONTRACT)
    )

    assert (result.kept, result.supersede, result.cancel) == ((1, 2), (), (3,))
    assert result.create == ()


def test_line_that_starts_later_cancels_what_was_before() -> None:
    """P7"""
    later = replace(PLAIN_LINE, start=day("2026-02-01"))

    result = reconcile(planned(later, end="2026-03-31"), all_stored(PLAIN_CONTRACT))

    assert (result.kept, result.supersede, result.cancel) == ((2, 3), (), (1,))


def test_undoing_a_cancellation_plans_the_days_again() -> None:
    """P7, S2: what was superseded and canceled stays history."""
    charges = [
        replace(charge, state=state)
        for charge, state in zip(
            all_stored(PLAIN_CONTRACT),
            [ChargeState.INVOICED, ChargeState.SUPERSEDED, ChargeState.CANCELED],
            strict=True,
        )
    ]
    [_, cut] = planned(end="2026-03-31", last_day="2026-02-14")
    charges.append(stored(cut, charge_id=4))

    result = reconcile(plan(PLAIN_CONTRACT, today=YEAR_START), charges)

    assert told(result.create) == [
        "2026-02-01..2026-02-28 2026-02-01: 310.00",
        "2026-03-01..2026-03-31 2026-03-01: 310.00",
    ]
    assert (result.supersede, result.cancel) == ((4,), ())


def test_pending_charge_of_a_line_that_is_gone_is_canceled() -> None:
    """P7"""
    [charge] = planned()

    assert reconcile([], [stored(charge)]).cancel == (1,)


def test_extending_only_creates() -> None:
    """P7"""
    contract = replace(PLAIN_CONTRACT, end=None)
    before = plan(contract, today=YEAR_START)
    charges = [stored(charge, charge_id=n) for n, charge in enumerate(before)]

    result = reconcile(plan(contract, today=day("2026-02-01")), charges)

    assert told(result.create) == ["2027-03-01..2027-03-31 2027-03-01: 310.00"]
    assert (result.supersede, result.cancel) == ((), ())


def test_lines_are_reconciled_apart() -> None:
    """P7: by line lineage."""
    second_line = replace(PLAIN_LINE, line_id=2)
    contract = replace(
        PLAIN_CONTRACT, end=day("2026-01-31"), lines=(PLAIN_LINE, second_line)
    )

    result = reconcile(plan(contract, today=YEAR_START), [january(1, 31, "310.00")])

    assert [piece.line_id for piece in result.create] == [2]


def test_second_of_two_equal_pending_charges_is_superseded() -> None:
    """P8"""
    [charge] = planned()

    result = reconcile([charge], [stored(charge), stored(charge, charge_id=2)])

    assert (result.kept, result.supersede, result.create) == ((1,), (2,), ())
