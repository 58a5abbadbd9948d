"""Laws of the plan on any contract (P1-P8)."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import groupby, pairwise

from hypothesis import given, settings

from contracts.domain.schedule import PlannedCharge, plan
from contracts.domain.terms import ChargeType, ContractTerms, LineTerms, Rates
from tests.contracts.domain.sold import TODAYS, contracts
from tests.oracle import ExpectedCharge, expected_plan, price_of, rounded


def as_expected(charge: PlannedCharge) -> ExpectedCharge:
    return ExpectedCharge(
        line_id=charge.line_id,
        first_day=charge.period.start,
        last_day=charge.period.last_day,
        bill_date=charge.bill_date,
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        amount=charge.amount,
    )


def of_line(charges: tuple[PlannedCharge, ...], line: LineTerms) -> list[PlannedCharge]:
    return [charge for charge in charges if charge.line_id == line.line_id]


@settings(deadline=None, max_examples=300)
@given(contract=contracts(), today=TODAYS)
def test_plan_is_what_counting_days_gives(contract: ContractTerms, today: date) -> None:
    """P1-P6: dates, bill dates, rates and amounts of every charge."""
    planned = plan(contract, today=today)

    assert [as_expected(charge) for charge in planned] == expected_plan(
        contract, today=today
    )


@settings(deadline=None)
@given(contract=contracts(), today=TODAYS)
def test_charges_tile_the_days_that_a_line_is_served(
    contract: ContractTerms, today: date
) -> None:
    """P2, P8: without hole or overlap, from its start to its last day."""
    planned = plan(contract, today=today)

    for line in contract.lines:
        charges = of_line(planned, line)
        assert all(
            one.period.end == next_.period.start for one, next_ in pairwise(charges)
        )
        ends = [line.agreed_end, line.last_day, contract.end, contract.last_day]
        last_days = [end for end in ends if end]
        if charges:
            assert charges[0].period.start == line.start
            assert all(charges[-1].period.last_day <= end for end in last_days)
        is_closed = contract.end or contract.last_day
        if is_closed and line.charge_type is not ChargeType.ONE_TIME:
            served = max((min(last_days) - line.start).days + 1, 0)
            assert sum(charge.period.days for charge in charges) == served


def swapped(rates: Rates) -> Rates:
    return replace(rates, quantity=rates.unit_price, unit_price=rates.quantity)


def at_one_price(line: LineTerms) -> LineTerms:
    """Return the line with changes that leave the price: quantity for unit price."""
    rates = line.stretches[0].rates
    stretches = tuple(
        replace(stretch, rates=swapped(rates) if number % 2 else rates)
        for number, stretch in enumerate(line.stretches)
    )
    return replace(line, stretches=stretches)


@settings(deadline=None)
@given(contract=contracts(), today=TODAYS)
def test_pieces_at_one_price_sum_to_the_whole(
    contract: ContractTerms, today: date
) -> None:
    """P5"""
    lines = tuple(at_one_price(line) for line in contract.lines)

    planned = plan(replace(contract, lines=lines), today=today)

    for _, pieces in groupby(planned, key=lambda one: (one.line_id, one.uncut.start)):
        charges = list(pieces)
        first = charges[0]
        if first.quantity is None or first.unit_price is None:
            continue
        rates = Rates(
            quantity=first.quantity,
            unit_price=first.unit_price,
            discount_percent=first.discount_percent,
        )
        served = sum(charge.period.days for charge in charges)
        share = Fraction(served, first.base_days)
        whole = rounded(price_of(rates) * share, contract.currency)
        assert sum(charge.amount or 0 for charge in charges) == whole


@settings(deadline=None)
@given(contract=contracts(evergreen=True), today=TODAYS, later=TODAYS)
def test_extending_only_appends(
    contract: ContractTerms, today: date, later: date
) -> None:
    """P7"""
    earlier, later = sorted([today, later])

    planned = plan(contract, today=earlier)
    extended = plan(contract, today=later)

    for line in contract.lines:
        already = of_line(planned, line)
        assert of_line(extended, line)[: len(already)] == already


@settings(deadline=None)
@given(contract=contracts(), today=TODAYS)
def test_planning_neither_depends_on_the_order_of_lines_nor_on_the_other_lines(
    contract: ContractTerms, today: date
) -> None:
    """P7"""
    planned = plan(contract, today=today)

    for line in contract.lines:
        alone = plan(replace(contract, lines=(line,)), today=today)
        assert list(alone) == of_line(planned, line)


@settings(deadline=None)
@given(contract=contracts(), today=TODAYS)
def test_pieces_name_the_uncut_charge_they_lie_in(
    contract: ContractTerms, today: date
) -> None:
    """P5"""
    for charge in plan(contract, today=today):
        assert charge.uncut.start <= charge.period.start
        assert charge.period.end <= charge.uncut.end
        assert charge.uncut.days <= charge.base_days
        assert charge.in_advance == (charge.bill_date == charge.uncut.start)
