"""Fixed charges that the terms would now bill otherwise (A3, S1)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.domain.reconcile import Difference, StoredCharge, reconcile
from contracts.domain.schedule import PlannedCharge, plan
from contracts.domain.terms import ChargeState, LineTerms, Stretch
from tests.contracts.domain.sold import (
    PLAIN_CONTRACT,
    PLAIN_LINE,
    USAGE_LINE,
    YEAR_START,
    day,
    from_days,
    price,
    stored,
)

FIXED_STATES = [
    ChargeState.DRAFTED,
    ChargeState.INVOICED,
    ChargeState.EXTERNAL,
    ChargeState.SKIPPED,
]


def january(
    line: LineTerms = PLAIN_LINE, *, last_day: str = "2026-01-31"
) -> tuple[PlannedCharge, ...]:
    contract = replace(
        PLAIN_CONTRACT,
        end=day("2026-01-31"),
        last_day=day(last_day),
        lines=(line,),
    )
    return plan(contract, today=YEAR_START)


def billed(
    line: LineTerms = PLAIN_LINE, *, state: ChargeState = ChargeState.INVOICED
) -> StoredCharge:
    [charge] = january(line)
    return stored(charge, charge_id=7, state=state)


def differences(
    planned: tuple[PlannedCharge, ...], charge: StoredCharge
) -> list[tuple[str, str]]:
    return [
        (str(difference.stored_amount), str(difference.planned_amount))
        for difference in reconcile(planned, [charge]).differing
    ]


def test_charge_as_planned_does_not_differ() -> None:
    """A3"""
    assert differences(january(), billed()) == []


@pytest.mark.parametrize("state", FIXED_STATES)
def test_difference_names_line_charge_and_both_amounts(state: ChargeState) -> None:
    """A3"""
    dearer = replace(PLAIN_LINE, stretches=from_days(d2026_01_01="311"))

    result = reconcile(january(dearer), [billed(state=state)])

    assert result.changes_nothing
    assert result.differing == (
        Difference(
            line_id=1,
            charge_id=7,
            stored_amount=Decimal("310.00"),
            planned_amount=Decimal("311.00"),
        ),
    )


def test_pending_charge_never_differs_it_is_replaced() -> None:
    """A2"""
    dearer = replace(PLAIN_LINE, stretches=from_days(d2026_01_01="311"))

    assert differences(january(dearer), billed(state=ChargeState.PENDING)) == []


@pytest.mark.parametrize(
    ("stretches", "amount"),
    [
        pytest.param(
            from_days(d2026_01_01="310", d2026_01_11="620"), "520.00", id="inside"
        ),
        pytest.param(
            from_days(d2026_01_01="310", d2026_01_31="0"), "300.00", id="last_day"
        ),
        pytest.param(
            (Stretch(from_date=YEAR_START, rates=price("155", quantity="2")),),
            "310.00",
            id="quantity_at_the_same_amount",
        ),
        pytest.param(
            (Stretch(from_date=YEAR_START, rates=price("620", discount_percent="50")),),
            "310.00",
            id="discount_at_the_same_amount",
        ),
    ],
)
def test_changed_rates_differ(stretches: tuple[Stretch, ...], amount: str) -> None:
    """A3"""
    amended = replace(PLAIN_LINE, stretches=stretches)

    assert differences(january(amended), billed()) == [("310.00", amount)]


def test_other_amount_at_the_same_rates_differs() -> None:
    """A3"""
    mistaken = replace(billed(), amount=Decimal("309.99"))

    assert differences(january(), mistaken) == [("309.99", "310.00")]


@pytest.mark.parametrize(
    ("last_day", "amount"),
    [("2026-01-10", "100.00"), ("2026-01-30", "300.00"), ("2025-12-31", "0")],
    ids=["cut", "cut_by_a_day", "never_served"],
)
def test_days_that_are_no_longer_planned_differ(last_day: str, amount: str) -> None:
    """S1: the amount planned for exactly the days of the charge."""
    assert differences(january(last_day=last_day), billed()) == [("310.00", amount)]


def test_billed_piece_is_compared_on_its_own_days() -> None:
    """P5, A3: 11-31 January at the old price and at the new."""
    [whole] = january()
    piece = replace(
        stored(whole, charge_id=7, state=ChargeState.INVOICED),
        period=replace(whole.period, start=day("2026-01-11")),
        amount=Decimal("210.00"),
    )
    dearer = replace(PLAIN_LINE, stretches=from_days(d2026_01_01="620"))

    assert differences(january(), piece) == []
    assert differences(january(dearer), piece) == [("210.00", "420.00")]


def test_rated_usage_does_not_differ_from_its_unrated_plan() -> None:
    """P9: its terms are compared when it is rated anew."""
    rated = replace(billed(USAGE_LINE), quantity=Decimal(5), amount=Decimal("12.50"))

    assert differences(january(USAGE_LINE), rated) == []


def test_usage_whose_days_are_gone_differs() -> None:
    """S1"""
    rated = replace(billed(USAGE_LINE), quantity=Decimal(5), amount=Decimal("12.50"))

    cut = january(USAGE_LINE, last_day="2026-01-10")
    gone = january(USAGE_LINE, last_day="2025-12-31")

    assert differences(cut, rated) == [("12.50", "None")]
    assert differences(gone, rated) == [("12.50", "0")]


def test_charges_differ_in_the_order_given() -> None:
    """A3"""
    contract = replace(PLAIN_CONTRACT, lines=(PLAIN_LINE,))
    charges = [
        stored(charge, charge_id=number, state=ChargeState.INVOICED)
        for number, charge in enumerate(plan(contract, today=YEAR_START))
    ]

    result = reconcile([], reversed(charges))

    assert [difference.charge_id for difference in result.differing] == [2, 1, 0]
