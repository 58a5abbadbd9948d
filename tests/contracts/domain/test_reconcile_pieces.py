"""What is planned around charges that stay: its days, bill dates, amounts (P5, P6)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.domain.reconcile import reconcile
from contracts.domain.terms import ChargeState
from tests.contracts.domain.sold import (
    ARREARS_LINE,
    PLAIN_LINE,
    USAGE_LINE,
    from_days,
    january,
    planned,
    stored,
    told,
)

BILLED_STATES = [ChargeState.DRAFTED, ChargeState.INVOICED, ChargeState.EXTERNAL]
FIXED_STATES = [*BILLED_STATES, ChargeState.SKIPPED]
DEARER_FROM_11TH = from_days(d2026_01_01="310", d2026_01_11="620")


@pytest.mark.parametrize("state", FIXED_STATES)
def test_fixed_charge_keeps_its_days(state: ChargeState) -> None:
    """P7, P8: nothing is planned over it, whatever the terms say now."""
    amended = replace(PLAIN_LINE, stretches=DEARER_FROM_11TH)

    result = reconcile(planned(amended), [january(1, 31, "310.00", state=state)])

    assert result.changes_nothing
    assert result.kept == ()


@pytest.mark.parametrize("state", BILLED_STATES)
def test_piece_in_advance_beside_a_billed_one_bills_on_its_own_first_day(
    state: ChargeState,
) -> None:
    """P5, P6"""
    result = reconcile(planned(), [january(1, 10, "100.00", state=state)])

    assert told(result.create) == ["2026-01-11..2026-01-31 2026-01-11: 210.00"]


def test_piece_beside_a_skipped_one_keeps_its_bill_date() -> None:
    """P6"""
    skipped = january(1, 10, "100.00", state=ChargeState.SKIPPED)

    result = reconcile(planned(), [skipped])

    assert told(result.create) == ["2026-01-11..2026-01-31 2026-01-01: 210.00"]


def test_piece_in_arrears_beside_a_billed_one_keeps_its_bill_date() -> None:
    """P6"""
    result = reconcile(planned(ARREARS_LINE), [january(1, 10, "100.00")])

    assert told(result.create) == ["2026-01-11..2026-01-31 2026-02-01: 210.00"]


def test_arrears_cut_short_bill_by_their_new_last_day_beside_a_billed_piece() -> None:
    """P6, S1"""
    cut = planned(ARREARS_LINE, last_day="2026-01-20")

    result = reconcile(cut, [january(1, 10, "100.00")])

    assert told(result.create) == ["2026-01-11..2026-01-20 2026-01-21: 100.00"]


def test_planned_piece_that_is_wholly_open_moves_when_its_sibling_is_billed() -> None:
    """P6, A2: the pending second half of a split month."""
    split = planned(replace(PLAIN_LINE, stretches=DEARER_FROM_11TH))
    first, second = (
        stored(piece, charge_id=n) for n, piece in enumerate(split, start=1)
    )

    result = reconcile(split, [replace(first, state=ChargeState.INVOICED), second])

    assert told(result.create) == ["2026-01-11..2026-01-31 2026-01-11: 420.00"]
    assert result.supersede == (2,)


def test_billed_months_beside_a_split_one_leave_its_bill_date() -> None:
    """P6: they are no part of its uncut charge."""
    dearer = from_days(d2026_01_01="310", d2026_02_15="620")
    charges = planned(replace(PLAIN_LINE, stretches=dearer), end="2026-03-31")
    before, after = (
        stored(charge, charge_id=number, state=ChargeState.INVOICED)
        for number, charge in enumerate([charges[0], charges[-1]])
    )

    result = reconcile(charges, [before, after])

    assert told(result.create) == [
        "2026-02-01..2026-02-14 2026-02-01: 155.00",
        "2026-02-15..2026-02-28 2026-02-01: 310.00",
    ]


def test_open_piece_before_a_billed_one_bills_on_the_first_day() -> None:
    """P6"""
    result = reconcile(planned(), [january(11, 31, "210.00")])

    assert told(result.create) == ["2026-01-01..2026-01-10 2026-01-01: 100.00"]


def test_gaps_between_fixed_pieces_cost_what_accrues_on_their_days() -> None:
    """P5: at a price of 100 the pieces and gaps sum to 100.00."""
    [charge] = planned(replace(PLAIN_LINE, stretches=from_days(d2026_01_01="100")))
    fixed = [
        january(6, 10, "16.13", charge_id=1),
        january(21, 25, "16.13", charge_id=2, state=ChargeState.SKIPPED),
    ]

    result = reconcile([charge], reversed(fixed))

    assert told(result.create) == [
        "2026-01-01..2026-01-05 2026-01-01: 16.13",
        "2026-01-11..2026-01-20 2026-01-11: 32.26",
        "2026-01-26..2026-01-31 2026-01-26: 19.35",
    ]


def test_gap_is_charged_at_the_rates_of_its_piece() -> None:
    """P5, A2: 1-5 at 310, 6-20 fixed, 21-31 at 620 a month."""
    split = planned(replace(PLAIN_LINE, stretches=DEARER_FROM_11TH))

    result = reconcile(split, [january(6, 20, "150.00")])

    assert told(result.create) == [
        "2026-01-01..2026-01-05 2026-01-01: 50.00",
        "2026-01-21..2026-01-31 2026-01-21: 220.00",
    ]
    assert [piece.unit_price for piece in result.create] == [310, 620]


def test_gap_in_a_piece_accrues_from_the_first_day_of_the_uncut_charge() -> None:
    """P5: 100.00 less 58.06 by the 18th; counted from the 11th it were 41.93."""
    split = planned(
        replace(PLAIN_LINE, stretches=from_days(d2026_01_01="200", d2026_01_11="100"))
    )

    result = reconcile(split, [january(1, 18, "90.32")])

    assert told(result.create) == ["2026-01-19..2026-01-31 2026-01-19: 41.94"]


def test_gap_of_usage_has_no_amount() -> None:
    """P9"""
    [charge] = planned(USAGE_LINE)
    billed = replace(january(1, 10, "1.00"), quantity=Decimal(5), unit_price=None)

    [gap] = reconcile([charge], [billed]).create

    assert (gap.amount, gap.quantity, str(gap.bill_date)) == (None, None, "2026-02-01")
