"""What an evergreen plan grows by, without planning the past again (P1).

Planning from the start costs the more the older a contract is. A line's charges end on
boundaries, which follow from the contract's start alone: a line that begins on the day
after its last stored charge has the same charges from there on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from billing.domain.period import add_months
from contracts.domain.course import HORIZON_MONTHS, end_after
from contracts.domain.schedule import PlannedCharge, plan
from contracts.domain.terms import ContractTerms, LineTerms

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How far a line is charged: the last day of its last charge, and its bill date."""

    last_day: date
    bill_date: date


def appended(
    terms: ContractTerms, *, covered: Mapping[int, Covered], today: date
) -> tuple[PlannedCharge, ...]:
    """Return what `plan` holds today after each line's last stored charge (P1).

    `covered` has no entry for a line without charges. Raises `UnplannableTerms`.

    >>> from decimal import Decimal
    >>> from contracts.domain.terms import (
    ...     ChargeType, Proration, Rates, Stretch, Timing)
    >>> hosting = LineTerms(
    ...     line_id=1, charge_type=ChargeType.RECURRING, timing=Timing.ADVANCE,
    ...     months=1, start=date(2020, 1, 1), agreed_end=None, last_day=None,
    ...     proration=Proration.DAILY,
    ...     stretches=(Stretch(from_date=date(2020, 1, 1), rates=Rates(
    ...         quantity=Decimal(1), unit_price=Decimal(310),
    ...         discount_percent=Decimal(0))),))
    >>> contract = ContractTerms(
    ...     start=date(2020, 1, 1), end=None, last_day=None, bill_day=1,
    ...     bill_month=None, currency="EUR", lines=(hosting,))
    >>> reached = Covered(last_day=date(2027, 2, 28), bill_date=date(2027, 2, 1))
    >>> [str(charge.bill_date) for charge in appended(
    ...     contract, covered={1: reached}, today=date(2026, 3, 15))]
    ['2027-03-01', '2027-04-01']
    """
    lines = tuple(_rest_of_lines(terms, covered))
    if not lines:
        return ()
    horizon = add_months(today, HORIZON_MONTHS)
    awaiting = {line_id for line_id, last in covered.items() if last.bill_date > today}
    return tuple(
        charge
        for charge in plan(replace(terms, lines=lines), today=today)
        if charge.bill_date <= horizon or charge.line_id not in awaiting
    )


def _rest_of_lines(
    terms: ContractTerms, covered: Mapping[int, Covered]
) -> Iterator[LineTerms]:
    """Yield the lines that may go on, each from the day after its last charge."""
    for line in terms.lines:
        last = covered.get(line.line_id)
        if last is None:
            yield line
            continue
        start = last.last_day + _ONE_DAY
        ends = (line.agreed_end, line.last_day, terms.end, terms.last_day)
        if line.months is not None and start < end_after(*ends):
            yield replace(line, start=start)
