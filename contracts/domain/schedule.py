"""The plan: every charge that a contract's terms ask for (P1-P6).

For each line the anchored periods of its frequency are clipped to what was sold (the
line's start and agreed end): these are the *uncut charges*. A term change inside one
splits it, an end by amendment or a cancellation shortens it or takes it away. The plan
depends on nothing but the terms; `today` only says how far an evergreen contract is
planned.

Charges come by line in the order of the terms, then by date, and tile the days that the
line is served. Usage is planned without price and is never split by a term change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from billing.domain.money import round_money
from billing.domain.period import Period
from billing.domain.proration import piece_amount
from contracts.domain.course import Course, end_after
from contracts.domain.terms import (
    ChargeType,
    ContractTerms,
    LineTerms,
    Proration,
    Stretch,
    check_terms,
)

_ONE_DAY = timedelta(days=1)
_COURSES_REMEMBERED: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCharge:
    """One line for one billing period, or a piece of it.

    `uncut` is the charge before term changes and an early end cut it, `base_days` the
    days that the price of a whole billing period accrues over; both serve to cut it
    further. Quantity, unit price and amount are None for usage until it is rated.
    """

    line_id: int
    period: Period
    uncut: Period
    base_days: int
    bill_date: date
    in_advance: bool
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_percent: Decimal
    amount: Decimal | None
    currency: str


def plan(terms: ContractTerms, *, today: date) -> tuple[PlannedCharge, ...]:
    """Return all charges of the contract (P1-P6).

    A contract with an end or a cancellation is planned through it. An evergreen one is
    planned for all bill dates up to 13 months after `today`, and each line up to its
    first bill date after `today`; a one-time charge is always planned. Raises
    `UnplannableTerms`.

    >>> from contracts.domain.terms import Rates, Timing
    >>> hosting = LineTerms(
    ...     line_id=1, charge_type=ChargeType.RECURRING, timing=Timing.ADVANCE,
    ...     months=1, start=date(2026, 1, 20), agreed_end=None, last_day=None,
    ...     proration=Proration.DAILY,
    ...     stretches=(Stretch(from_date=date(2026, 1, 20), rates=Rates(
    ...         quantity=Decimal(1), unit_price=Decimal(310),
    ...         discount_percent=Decimal(0))),))
    >>> contract = ContractTerms(
    ...     start=date(2026, 1, 20), end=date(2026, 3, 14), last_day=None, bill_day=1,
    ...     bill_month=None, currency="EUR", lines=(hosting,))
    >>> for charge in plan(contract, today=date(2026, 1, 1)):
    ...     print(charge.bill_date, charge.period.last_day, charge.amount)
    2026-01-20 2026-01-31 120.00
    2026-02-01 2026-02-28 310.00
    2026-03-01 2026-03-14 140.00
    """
    check_terms(terms)
    charges: list[PlannedCharge] = []
    for line in terms.lines:
        if line.months is None:
            charges.extend(_one_time_charge(line, terms))
            continue
        course = Course.of(line, terms, months=line.months)
        if line.charge_type is ChargeType.USAGE:
            charges.extend(_usage_charges(course, line, terms.currency, today))
        else:
            charges.extend(_recurring_charges(course, line, terms.currency, today))
    return tuple(charges)


def next_extension(terms: ContractTerms, *, today: date) -> date | None:
    """Return the first day after `today` on which `plan` holds more charges (P1).

    None when that never happens: the contract isn't evergreen, or each of its lines is
    planned through its end. Raises `UnplannableTerms`.
    """
    check_terms(terms)
    extensions = [
        Course.of(line, terms, months=line.months).next_extension(today)
        for line in terms.lines
        if line.months is not None
    ]
    return min((day for day in extensions if day is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _PricedStretch:
    """Rates in force from a day up to another, with their price worked out once."""

    start: date
    end: date
    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal
    price: Decimal
    full_amount: Decimal


def _priced_stretches(line: LineTerms, currency: str) -> list[_PricedStretch]:
    """Return the line's stretches in order; neighbours at equal rates become one."""
    changes = [
        stretch
        for number, stretch in enumerate(line.stretches)
        if not number or stretch.rates != line.stretches[number - 1].rates
    ]
    ends = [*(stretch.from_date for stretch in changes[1:]), date.max]
    return [
        _priced(stretch, end, currency)
        for stretch, end in zip(changes, ends, strict=True)
    ]


def _priced(stretch: Stretch, end: date, currency: str) -> _PricedStretch:
    rates = stretch.rates
    price = rates.price
    return _PricedStretch(
        start=stretch.from_date,
        end=end,
        quantity=rates.quantity,
        unit_price=rates.unit_price,
        discount_percent=rates.discount_percent,
        price=price,
        full_amount=round_money(price, currency),
    )


def _pieces(
    stretches: list[_PricedStretch], served: Period
) -> list[tuple[_PricedStretch, Period]]:
    """Cut the served days where the rates change."""
    return [
        (
            stretch,
            Period(max(stretch.start, served.start), min(stretch.end, served.end)),
        )
        for stretch in stretches
        if stretch.start < served.end and served.start < stretch.end
    ]


@lru_cache(maxsize=_COURSES_REMEMBERED)
def _served_charges(
    course: Course, today: date
) -> tuple[tuple[Period, Period, int], ...]:
    """Return for each charge: its uncut days, those served, days of its whole period.

    Remembered, because most lines of a file or a contract have the same dates.
    """
    return tuple(
        (uncut, Period(uncut.start, min(uncut.end, course.served_end)), whole_days)
        for uncut, whole_days in course.uncut_charges(today)
    )


def _recurring_charges(
    course: Course, line: LineTerms, currency: str, today: date
) -> Iterator[PlannedCharge]:
    stretches = _priced_stretches(line, currency)
    line_id, in_advance = line.line_id, course.in_advance
    at_full_price = line.proration is Proration.NONE
    for uncut, served, whole_days in _served_charges(course, today):
        base_days = uncut.days if at_full_price else whole_days
        bill_date = served.start if in_advance else served.end
        pieces = (
            _pieces(stretches, served)
            if len(stretches) > 1
            else [(stretches[0], served)]
        )
        for stretch, period in pieces:
            if period.days == base_days:
                amount = stretch.full_amount
            else:
                amount = piece_amount(
                    stretch.price,
                    piece=period,
                    uncut=uncut,
                    base_days=base_days,
                    currency=currency,
                )
            yield PlannedCharge(
                line_id=line_id,
                period=period,
                uncut=uncut,
                base_days=base_days,
                bill_date=bill_date,
                in_advance=in_advance,
                quantity=stretch.quantity,
                unit_price=stretch.unit_price,
                discount_percent=stretch.discount_percent,
                amount=amount,
                currency=currency,
            )


def _usage_charges(
    course: Course, line: LineTerms, currency: str, today: date
) -> Iterator[PlannedCharge]:
    stretches = _priced_stretches(line, currency)
    for uncut, served, whole_days in _served_charges(course, today):
        stretch, _ = _pieces(stretches, served)[-1]
        yield PlannedCharge(
            line_id=line.line_id,
            period=served,
            uncut=uncut,
            base_days=whole_days,
            bill_date=served.end,
            in_advance=False,
            quantity=None,
            unit_price=None,
            discount_percent=stretch.discount_percent,
            amount=None,
            currency=currency,
        )


def _one_time_charge(line: LineTerms, terms: ContractTerms) -> Iterator[PlannedCharge]:
    last_day = end_after(line.last_day, terms.last_day)
    if last_day <= line.start:
        return
    day = Period(line.start, line.start + _ONE_DAY)
    [(stretch, _)] = _pieces(_priced_stretches(line, terms.currency), day)
    yield PlannedCharge(
        line_id=line.line_id,
        period=day,
        uncut=day,
        base_days=1,
        bill_date=line.start,
        in_advance=True,
        quantity=stretch.quantity,
        unit_price=stretch.unit_price,
        discount_percent=stretch.discount_percent,
        amount=stretch.full_amount,
        currency=terms.currency,
    )
