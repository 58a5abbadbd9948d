from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.domain.extension import Covered, appended
from contracts.domain.schedule import PlannedCharge, plan
from contracts.domain.terms import ContractTerms
from tests.contracts.domain.sold import (
    EVERGREEN,
    ONE_TIME_LINE,
    PLAIN_CONTRACT,
    TODAYS,
    contracts,
    told,
)


def covered_by(charges: tuple[PlannedCharge, ...]) -> dict[int, Covered]:
    """Return how far each line is charged; charges come in order."""
    return {
        charge.line_id: Covered(
            last_day=charge.period.last_day, bill_date=charge.bill_date
        )
        for charge in charges
    }


@settings(deadline=None, max_examples=400)
@given(
    contract=contracts(evergreen=True),
    today=TODAYS,
    days=st.integers(0, 900),
)
def test_what_is_appended_is_what_planning_again_adds(
    contract: ContractTerms, today: date, days: int
) -> None:
    """P1: after one night or after years."""
    stored = plan(contract, today=today)
    covered = covered_by(stored)
    later = today + timedelta(days=days)

    added = appended(contract, covered=covered, today=later)

    assert list(added) == [
        charge
        for charge in plan(contract, today=later)
        if charge.line_id not in covered
        or charge.period.start > covered[charge.line_id].last_day
    ]


def test_a_contract_with_an_end_is_never_extended() -> None:
    stored = plan(PLAIN_CONTRACT, today=date(2026, 1, 1))

    added = appended(PLAIN_CONTRACT, covered=covered_by(stored), today=date(2030, 1, 1))

    assert added == ()


def test_a_one_time_charge_comes_once() -> None:
    contract = ContractTerms(
        start=EVERGREEN.start,
        end=None,
        last_day=None,
        bill_day=1,
        bill_month=None,
        currency="EUR",
        lines=(ONE_TIME_LINE,),
    )
    stored = plan(contract, today=date(2026, 1, 1))

    assert appended(contract, covered=covered_by(stored), today=date(2030, 1, 1)) == ()


def test_a_line_that_is_not_charged_yet_is_planned_whole() -> None:
    added = appended(EVERGREEN, covered={}, today=date(2026, 1, 1))

    assert told(added) == told(plan(EVERGREEN, today=date(2026, 1, 1)))
