"""The plan once more, day by day and with fractions, to check the real one against.

Nothing here computes with months or periods: a boundary is a day that looks like one,
a charge is a run of days without a boundary between them, and money is a fraction until
it is rounded. Slow on purpose, and no code of the domain is used but its values.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from contracts.domain.terms import (
    ChargeType,
    ContractTerms,
    LineTerms,
    Proration,
    Rates,
    Timing,
)

ONE_DAY = timedelta(days=1)
DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCharge:
    """What the plan should hold; dates are inclusive."""

    line_id: int
    first_day: date
    last_day: date
    bill_date: date
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal | None


def days_through(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += ONE_DAY


def clamped(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def months_later(day: date, months: int) -> date:
    year, month = day.year, day.month + months
    while month > 12:
        year, month = year + 1, month - 12
    return clamped(year, month, day.day)


def is_boundary(day: date, terms: ContractTerms, months: int) -> bool:
    if day != clamped(day.year, day.month, terms.bill_day):
        return False
    start_month = terms.bill_month or terms.start.month
    distance = (day.year - terms.start.year) * 12 + day.month - start_month
    return distance % months == 0


def anchored_days(day: date, terms: ContractTerms, months: int) -> tuple[date, date]:
    """Return the first and last day of the anchored period that the day lies in."""
    first = day
    while not is_boundary(first, terms, months):
        first -= ONE_DAY
    last = day
    while not is_boundary(last + ONE_DAY, terms, months):
        last += ONE_DAY
    return first, last


def rates_on(day: date, line: LineTerms) -> Rates:
    in_force = [stretch for stretch in line.stretches if stretch.from_date <= day]
    return max(in_force, key=lambda stretch: stretch.from_date).rates


def price_of(rates: Rates) -> Fraction:
    discount = Fraction(rates.discount_percent) / 100
    return Fraction(rates.quantity) * Fraction(rates.unit_price) * (1 - discount)


def rounded(amount: Fraction, currency: str) -> Decimal:
    digits = DIGITS[currency]
    minor_units = (amount * 10**digits + Fraction(1, 2)).__floor__()
    return Decimal(minor_units).scaleb(-digits)


def expected_plan(terms: ContractTerms, *, today: date) -> list[ExpectedCharge]:
    """Return the charges of the contract as P1-P6 have them, by line and date."""
    charges: list[ExpectedCharge] = []
    for line in terms.lines:
        if line.charge_type is ChargeType.ONE_TIME:
            charges.extend(_one_time(line, terms))
            continue
        line_charges = list(_recurring(line, terms, today))
        if terms.end is None and terms.last_day is None:
            line_charges = _within_horizon(line_charges, today)
        charges.extend(line_charges)
    return charges


def _within_horizon(charges: list[ExpectedCharge], today: date) -> list[ExpectedCharge]:
    upcoming = [charge.bill_date for charge in charges if charge.bill_date > today]
    horizon = max(months_later(today, 13), min(upcoming, default=today))
    return [charge for charge in charges if charge.bill_date <= horizon]


def _last_served(line: LineTerms, terms: ContractTerms) -> date:
    ends = (line.agreed_end, terms.end, line.last_day, terms.last_day)
    return min(end for end in (*ends, date(2200, 12, 31)) if end)


def _one_time(line: LineTerms, terms: ContractTerms) -> Iterator[ExpectedCharge]:
    if line.start > _last_served(line, terms):
        return
    rates = rates_on(line.start, line)
    yield ExpectedCharge(
        line_id=line.line_id,
        first_day=line.start,
        last_day=line.start,
        bill_date=line.start,
        quantity=rates.quantity,
        unit_price=rates.unit_price,
        amount=rounded(price_of(rates), terms.currency),
    )


def _recurring(
    line: LineTerms, terms: ContractTerms, today: date
) -> Iterator[ExpectedCharge]:
    assert line.months
    last_served = _last_served(line, terms)
    if terms.end is None and terms.last_day is None:
        far = months_later(max(today, line.start), 13 + 2 * line.months)
        last_served = min(last_served, anchored_days(far, terms, line.months)[1])
    day = line.start
    while day <= last_served:
        first, last = anchored_days(day, terms, line.months)
        whole_days = (last - first).days + 1
        agreed_end = min(end for end in (line.agreed_end, terms.end, last) if end)
        uncut = list(days_through(day, agreed_end))
        served = [one for one in uncut if one <= last_served]
        base_days = len(uncut) if line.proration is Proration.NONE else whole_days
        if line.charge_type is ChargeType.USAGE:
            yield _usage(line, served)
        else:
            yield from _pieces(line, terms.currency, served, base_days)
        day = last + ONE_DAY


def _usage(line: LineTerms, served: list[date]) -> ExpectedCharge:
    return ExpectedCharge(
        line_id=line.line_id,
        first_day=served[0],
        last_day=served[-1],
        bill_date=served[-1] + ONE_DAY,
        quantity=None,
        unit_price=None,
        amount=None,
    )


def _pieces(
    line: LineTerms, currency: str, served: list[date], base_days: int
) -> Iterator[ExpectedCharge]:
    is_advance = line.timing is Timing.ADVANCE
    bill_date = served[0] if is_advance else served[-1] + ONE_DAY
    for rates, grouped in groupby(served, key=lambda day: rates_on(day, line)):
        days = list(grouped)
        daily_price = price_of(rates) / base_days
        before = (days[0] - served[0]).days
        yield ExpectedCharge(
            line_id=line.line_id,
            first_day=days[0],
            last_day=days[-1],
            bill_date=bill_date,
            quantity=rates.quantity,
            unit_price=rates.unit_price,
            amount=rounded(daily_price * (before + len(days)), currency)
            - rounded(daily_price * before, currency),
        )
