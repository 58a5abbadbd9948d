"""Contracts to plan: a plain line of 310 a month, variations of it, any at all."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from billing.domain.period import Period
from contracts.domain.reconcile import StoredCharge
from contracts.domain.schedule import PlannedCharge, plan
from contracts.domain.terms import (
    ChargeState,
    ChargeType,
    ContractTerms,
    LineTerms,
    Proration,
    Rates,
    Stretch,
    Timing,
)

YEAR_START = date(2026, 1, 1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def price(
    unit_price: str, *, quantity: str = "1", discount_percent: str = "0"
) -> Rates:
    return Rates(
        quantity=Decimal(quantity),
        unit_price=Decimal(unit_price),
        discount_percent=Decimal(discount_percent),
    )


def from_days(**unit_prices: str) -> tuple[Stretch, ...]:
    """Return stretches; a keyword like d2026_01_15 names the first day of each."""
    return tuple(
        Stretch(from_date=day(name[1:].replace("_", "-")), rates=price(unit_price))
        for name, unit_price in unit_prices.items()
    )


PLAIN_LINE = LineTerms(
    line_id=1,
    charge_type=ChargeType.RECURRING,
    timing=Timing.ADVANCE,
    months=1,
    start=YEAR_START,
    agreed_end=None,
    last_day=None,
    proration=Proration.DAILY,
    stretches=(Stretch(from_date=date.min, rates=price("310")),),
)
ARREARS_LINE = replace(PLAIN_LINE, timing=Timing.ARREARS)
USAGE_LINE = replace(ARREARS_LINE, charge_type=ChargeType.USAGE)
ONE_TIME_LINE = replace(PLAIN_LINE, charge_type=ChargeType.ONE_TIME, months=None)

PLAIN_CONTRACT = ContractTerms(
    start=YEAR_START,
    end=date(2026, 3, 31),
    last_day=None,
    bill_day=1,
    bill_month=None,
    currency="EUR",
    lines=(PLAIN_LINE,),
)
EVERGREEN = replace(PLAIN_CONTRACT, end=None)


def told(charges: Iterable[PlannedCharge]) -> list[str]:
    """Return each charge as “first..last billed on: amount”."""
    return [
        f"{charge.period.start}..{charge.period.last_day} "
        f"{charge.bill_date}: {charge.amount}"
        for charge in charges
    ]


def stored(
    charge: PlannedCharge,
    *,
    charge_id: int = 1,
    state: ChargeState = ChargeState.PENDING,
) -> StoredCharge:
    """Return the row that a planned charge becomes."""
    return StoredCharge(
        id=charge_id,
        line_id=charge.line_id,
        period=charge.period,
        bill_date=charge.bill_date,
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        discount_percent=charge.discount_percent,
        amount=charge.amount,
        state=state,
    )


def planned(
    line: LineTerms = PLAIN_LINE,
    *,
    end: str = "2026-01-31",
    last_day: str | None = None,
) -> tuple[PlannedCharge, ...]:
    """Plan January alone, or through another end and a cancellation."""
    contract = replace(
        PLAIN_CONTRACT,
        end=day(end),
        last_day=day(last_day) if last_day else None,
        lines=(line,),
    )
    return plan(contract, today=YEAR_START)


def january(
    first_day: int,
    last_day: int,
    amount: str,
    *,
    state: ChargeState = ChargeState.INVOICED,
    charge_id: int = 1,
) -> StoredCharge:
    """Return a stored piece of January at the plain price."""
    [whole] = planned()
    days = Period.from_inclusive(
        whole.period.start.replace(day=first_day),
        whole.period.start.replace(day=last_day),
    )
    return replace(
        stored(whole, charge_id=charge_id, state=state),
        period=days,
        amount=Decimal(amount),
    )


RATES = st.builds(
    Rates,
    quantity=st.sampled_from([Decimal(0), Decimal(1), Decimal("2.5"), Decimal(7)]),
    unit_price=st.decimals(min_value=0, max_value=100_000, places=4, allow_nan=False),
    discount_percent=st.sampled_from([Decimal(0), Decimal("12.5"), Decimal(100)]),
)


def days_after(
    start: date, *, at_most: int, at_least: int = 0
) -> st.SearchStrategy[date]:
    return st.integers(at_least, at_most).map(lambda days: start + timedelta(days=days))


@st.composite
def stretches_from(draw: st.DrawFn, start: date) -> tuple[Stretch, ...]:
    changes = draw(st.lists(days_after(start, at_most=700), max_size=3, unique=True))
    return tuple(
        Stretch(from_date=from_date, rates=draw(RATES))
        for from_date in sorted({start, *changes})
    )


@st.composite
def lines(draw: st.DrawFn, contract: ContractTerms, line_id: int) -> LineTerms:
    charge_type = draw(st.sampled_from(ChargeType))
    timing = draw(st.sampled_from(Timing))
    divisors = [1, 2, 3, 6, 12]
    months = draw(
        st.sampled_from(divisors if contract.bill_month else [*divisors, 5, 18, 60])
    )
    start = draw(days_after(contract.start, at_most=200))
    agreed_end = draw(st.none() | days_after(start, at_most=500))
    if contract.end:
        start = min(start, contract.end)
        agreed_end = min(agreed_end, contract.end) if agreed_end else None
    return LineTerms(
        line_id=line_id,
        charge_type=charge_type,
        timing=Timing.ARREARS if charge_type is ChargeType.USAGE else timing,
        months=None if charge_type is ChargeType.ONE_TIME else months,
        start=start,
        agreed_end=max(agreed_end, start) if agreed_end else None,
        last_day=draw(st.none() | days_after(start, at_least=-20, at_most=400)),
        proration=draw(st.sampled_from(Proration)),
        stretches=draw(stretches_from(start)),
    )


@st.composite
def contracts(draw: st.DrawFn, *, evergreen: bool | None = None) -> ContractTerms:
    """Any plannable contract of up to three lines and two years; or evergreen."""
    start = draw(st.dates(min_value=date(2023, 1, 1), max_value=date(2025, 6, 30)))
    end = draw(days_after(start, at_most=700))
    last_day = draw(st.none() | days_after(start, at_least=-1, at_most=700))
    if evergreen is None:
        evergreen = draw(st.booleans())
    contract = ContractTerms(
        start=start,
        end=None if evergreen else end,
        last_day=min(last_day, end) if last_day and not evergreen else None,
        bill_day=draw(st.integers(1, 31) | st.just(start.day)),
        bill_month=draw(st.none() | st.integers(1, 12)),
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        lines=(),
    )
    count = draw(st.integers(1, 3))
    return replace(
        contract,
        lines=tuple(draw(lines(contract, line_id)) for line_id in range(1, count + 1)),
    )


TODAYS = st.dates(min_value=date(2022, 6, 1), max_value=date(2027, 12, 31))
