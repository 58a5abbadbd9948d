"""Laws of reconciliation: any stored charges, any new terms (P5-P8)."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.period import Period
from contracts.domain.reconcile import StoredCharge, reconcile
from contracts.domain.schedule import PlannedCharge, plan
from contracts.domain.terms import LIVE_STATES, ChargeState, ContractTerms
from tests.contracts.domain.sold import TODAYS, contracts, days_after, lines, stored

FIXED_STATES = sorted(LIVE_STATES - {ChargeState.PENDING})


def days_of(line_id: int, period: Period) -> list[tuple[int, date]]:
    return [(line_id, period.start + timedelta(days=n)) for n in range(period.days)]


def apply(
    planned: tuple[PlannedCharge, ...], charges: list[StoredCharge]
) -> list[StoredCharge]:
    """Return what is stored after the difference was applied."""
    result = reconcile(planned, charges)
    states = dict.fromkeys(result.supersede, ChargeState.SUPERSEDED) | dict.fromkeys(
        result.cancel, ChargeState.CANCELED
    )
    ids = count(len(charges) + 1)
    return [
        *(replace(one, state=states.get(one.id, one.state)) for one in charges),
        *(stored(piece, charge_id=next(ids)) for piece in result.create),
    ]


def live_days(charges: list[StoredCharge]) -> Counter[tuple[int, date]]:
    return Counter(
        line_day
        for charge in charges
        if charge.state in LIVE_STATES
        for line_day in days_of(charge.line_id, charge.period)
    )


@st.composite
def stored_from(
    draw: st.DrawFn, planned: tuple[PlannedCharge, ...]
) -> list[StoredCharge]:
    """Any charges that once were planned: some missing, some cut, in any state."""
    charges: list[StoredCharge] = []
    for charge in planned:
        states = [*ChargeState, None, None]
        for piece in draw(cut_up(charge)):
            state = draw(st.sampled_from(states))
            if state:
                charges.append(stored(piece, charge_id=len(charges) + 1, state=state))
    return charges


@st.composite
def cut_up(draw: st.DrawFn, charge: PlannedCharge) -> list[PlannedCharge]:
    """The charge, or what reconciliation makes of it around a fixed middle."""
    if charge.period.days < 3 or draw(st.booleans()):
        return [charge]
    start = draw(days_after(charge.period.start, at_most=charge.period.days - 1))
    middle = Period(
        start,
        draw(days_after(start, at_least=1, at_most=(charge.period.end - start).days)),
    )
    outside = reconcile(
        [charge],
        [replace(stored(charge), period=middle, state=ChargeState.SKIPPED)],
    ).create
    inside = reconcile(
        [charge],
        [
            replace(stored(piece, state=ChargeState.SKIPPED), id=number)
            for number, piece in enumerate(outside)
        ],
    ).create
    return [*outside, *inside]


@st.composite
def amended(draw: st.DrawFn, contract: ContractTerms) -> ContractTerms:
    """The contract with other lines under the same ids, and maybe canceled."""
    last_day = draw(st.none() | days_after(contract.start, at_least=-1, at_most=700))
    if contract.end and last_day:
        last_day = min(last_day, contract.end)
    return replace(
        contract,
        last_day=last_day,
        lines=tuple(
            draw(st.just(line) | lines(contract, line.line_id))
            for line in contract.lines
        ),
    )


@settings(deadline=None)
@given(data=st.data(), contract=contracts(), today=TODAYS)
def test_every_planned_day_is_covered_exactly_once(
    data: st.DataObject, contract: ContractTerms, today: date
) -> None:
    """P7, P8: after new terms on any stored charges; twice changes nothing."""
    charges = data.draw(stored_from(plan(contract, today=today)))
    planned = plan(data.draw(amended(contract)), today=today)

    after = apply(planned, charges)

    covered = live_days(after)
    planned_days = {
        line_day
        for charge in planned
        for line_day in days_of(charge.line_id, charge.period)
    }
    fixed = [charge for charge in charges if charge.state in FIXED_STATES]
    assert set(covered.values()) <= {1}
    assert set(covered) == planned_days | set(live_days(fixed))
    assert [one for one in after if one.state in FIXED_STATES] == fixed
    assert reconcile(planned, after).changes_nothing
    assert apply(planned, after) == after


@settings(deadline=None)
@given(contract=contracts(), today=TODAYS)
def test_planning_twice_plans_nothing(contract: ContractTerms, today: date) -> None:
    """P7"""
    planned = plan(contract, today=today)

    result = reconcile(planned, apply(planned, []))

    assert result.changes_nothing
    assert len(result.kept) == len(planned)


@settings(deadline=None)
@given(data=st.data(), contract=contracts(), today=TODAYS)
def test_fixed_pieces_and_gaps_at_one_price_sum_to_the_whole(
    data: st.DataObject, contract: ContractTerms, today: date
) -> None:
    """P5"""
    planned = plan(contract, today=today)
    charges = data.draw(stored_from(planned))

    after = [one for one in apply(planned, charges) if one.state in LIVE_STATES]

    assert len(reconcile(planned, charges).differing) == 0
    for charge in planned:
        parts = [
            one
            for one in after
            if one.line_id == charge.line_id and one.period.overlaps(charge.period)
        ]
        if charge.amount is None:
            assert all(part.amount is None for part in parts)
        else:
            assert sum(part.amount or Decimal(0) for part in parts) == charge.amount


@settings(deadline=None)
@given(data=st.data(), contract=contracts(), today=TODAYS)
def test_pending_charges_are_either_kept_superseded_or_canceled(
    data: st.DataObject, contract: ContractTerms, today: date
) -> None:
    """P7: superseded where something stands on their days now, else canceled."""
    charges = data.draw(stored_from(plan(contract, today=today)))
    planned = plan(data.draw(amended(contract)), today=today)

    result = reconcile(planned, charges)

    pending = [one for one in charges if one.state is ChargeState.PENDING]
    ids = [*result.kept, *result.supersede, *result.cancel]
    assert sorted(ids) == [one.id for one in pending]
    new_days = live_days(
        [one for one in apply(planned, charges) if one.state is ChargeState.PENDING]
    )
    for one in pending:
        is_covered = any(day in new_days for day in days_of(one.line_id, one.period))
        assert is_covered == (one.id not in result.cancel)


@settings(deadline=None)
@given(data=st.data(), contract=contracts(), today=TODAYS)
def test_order_of_what_is_stored_does_not_matter(
    data: st.DataObject, contract: ContractTerms, today: date
) -> None:
    """P7"""
    charges = data.draw(stored_from(plan(contract, today=today)))
    shuffled = data.draw(st.permutations(charges))
    planned = plan(data.draw(amended(contract)), today=today)

    one, other = reconcile(planned, charges), reconcile(planned, shuffled)

    assert one.create == other.create
    assert sorted(one.supersede) == sorted(other.supersede)
    assert sorted(one.cancel) == sorted(other.cancel)
