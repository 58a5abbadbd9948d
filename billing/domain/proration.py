"""What a part of a billing period costs, counted in real days (P4, P5).

A price accrues evenly over the days of its base: the whole anchored period a charge
lies in, or, for a stub at full price (proration NONE), the stub itself. A part costs
what has accrued by its end minus what had accrued by its start, both rounded, counted
from the first day of the uncut charge. Rounded differences telescope: however a charge
is cut, its pieces at one price sum to the whole.
"""

from datetime import date
from decimal import Decimal

from billing.domain.money import EXACT, round_money
from billing.domain.period import Period


def accrued(
    price: Decimal, *, start: date, until: date, base_days: int, currency: str
) -> Decimal:
    """Return what of a price per `base_days` days accrues from `start` up to `until`.

    Money, rounded once (P4). `until` is not included; from a day to itself nothing
    accrues. Raises `ValueError` for days before the start or beyond the base, and
    `UnknownCurrency`.

    >>> accrued(Decimal("300"), start=date(2026, 3, 1), until=date(2026, 3, 16),
    ...         base_days=31, currency="EUR")
    Decimal('145.16')
    """
    days = (until - start).days
    if not 0 <= days <= base_days or base_days < 1:
        raise ValueError(f"{days} days can't accrue out of {base_days}.")

    share = EXACT.divide(EXACT.multiply(price, days), base_days)
    return round_money(share, currency)


def piece_amount(
    price: Decimal, *, piece: Period, uncut: Period, base_days: int, currency: str
) -> Decimal:
    """Return what a piece of an uncut charge costs at a price per `base_days` (P5).

    Raises `ValueError` for a piece that is not inside the uncut charge, or an uncut
    charge longer than the base, and `UnknownCurrency`.

    >>> march = Period(date(2026, 3, 1), date(2026, 4, 1))
    >>> pieces = [Period(date(2026, 3, 1), date(2026, 3, 11)),
    ...           Period(date(2026, 3, 11), date(2026, 3, 21)),
    ...           Period(date(2026, 3, 21), date(2026, 4, 1))]
    >>> [str(piece_amount(Decimal("100"), piece=piece, uncut=march,
    ...                   base_days=31, currency="EUR")) for piece in pieces]
    ['32.26', '32.26', '35.48']
    """
    if piece.start < uncut.start or piece.end > uncut.end:
        raise ValueError(f"{piece} is not a piece of {uncut}.")

    after = accrued(
        price,
        start=uncut.start,
        until=piece.end,
        base_days=base_days,
        currency=currency,
    )
    before = accrued(
        price,
        start=uncut.start,
        until=piece.start,
        base_days=base_days,
        currency=currency,
    )
    return after - before
