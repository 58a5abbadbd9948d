"""What amendments make of a line's original terms (A1).

A change sets only the fields it names, from its date on: a field's value on a day is
the one of the change with the latest date up to that day, the newest where dates are
equal. Changes are given in that order: by date, then oldest first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from contracts.domain.rates import Rates, Stretch

_ONE_DAY = timedelta(days=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one amendment sets on a line from a day on; None leaves a field alone."""

    from_date: date
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    discount_percent: Decimal | None = None
    included_quantity: Decimal | None = None
    tiers: str | None = None
    last_day: date | None = None


def stretches(
    original: Rates, *, start: date, changes: Sequence[Change]
) -> tuple[Stretch, ...]:
    """Return the rates of a line over its life, beginning with its start.

    >>> original = Rates(quantity=Decimal(2), unit_price=Decimal(10),
    ...                  discount_percent=Decimal(0))
    >>> dearer = Change(from_date=date(2026, 3, 1), unit_price=Decimal(12))
    >>> for stretch in stretches(original, start=date(2026, 1, 1), changes=[dearer]):
    ...     print(stretch.from_date, stretch.rates.price)
    2026-01-01 20.00
    2026-03-01 24.00
    """
    rates = original
    rates_from = {start: rates}
    for change in changes:
        rates = Rates(
            quantity=_either(change.quantity, rates.quantity),
            unit_price=_either(change.unit_price, rates.unit_price),
            discount_percent=_either(change.discount_percent, rates.discount_percent),
        )
        rates_from[max(change.from_date, start)] = rates
    return tuple(
        Stretch(from_date=day, rates=rates) for day, rates in rates_from.items()
    )


def value_on(
    day: date,
    original: T,
    changes: Sequence[Change],
    named: Callable[[Change], T | None],
) -> T:
    """Return what a field of a line is on a day; `named` is what a change sets.

    >>> change = Change(from_date=date(2026, 3, 1), tiers="volume *:2")
    >>> [value_on(day, "", [change], lambda change: change.tiers)
    ...  for day in (date(2026, 2, 28), date(2026, 3, 1))]
    ['', 'volume *:2']
    """
    value = original
    for change in changes:
        if change.from_date > day:
            break
        value = _either(named(change), value)
    return value


def served_through(changes: Sequence[Change]) -> date | None:
    """Return the last day that amendments leave of a line; None: they set none.

    An end holds from its change's date until another change sets another one.

    >>> served_through([Change(from_date=date(2026, 4, 1), last_day=date(2026, 3, 31))])
    datetime.date(2026, 3, 31)
    """
    ends = {change.from_date: change.last_day for change in changes if change.last_day}
    if not ends:
        return None
    holds_until = [*(later - _ONE_DAY for _, later in pairwise(ends)), date.max]
    for (from_date, last_day), until in zip(ends.items(), holds_until, strict=True):
        if last_day < until:
            return max(last_day, from_date - _ONE_DAY)
    return None


def _either(new: T | None, old: T) -> T:
    return old if new is None else new
