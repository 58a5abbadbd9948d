"""Rating: what the usage of one billing period costs (P9).

The model, in this order:

1. The quantities of a whole billing period are added up before anything is priced;
   nothing is prorated.
2. The included quantity is the first of it and costs nothing; the rest is billable.
3. Tier bounds count the billable units, so `100:...` are the first hundred units that
   cost something. A bound belongs to its own tier: unit 100 lies in `100:...`.
4. Per unit: every billable unit costs the unit price. Graduated: each unit costs the
   price of the tier it lies in. Volume: all cost the price of the tier that the last
   of them lies in.
5. The discount comes off the sum, and the result is rounded half up once (M1).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from billing.domain.money import EXACT, round_money
from contracts.domain.decimals import NotANumber, format_decimal, parse_decimal

MAX_TIERS: Final = 50

_ZERO: Final = Decimal(0)
_TIERS_TEXT: Final = re.compile(r"(\S+)\s+(.+)", re.DOTALL)
_EXAMPLE: Final = "graduated 100:0.50;1000:0.40;*:0.30"


class TariffModel(StrEnum):
    """How the price of a unit follows from the quantity."""

    PER_UNIT = "PER_UNIT"
    GRADUATED = "GRADUATED"
    VOLUME = "VOLUME"


class InvalidTiers(ValueError):
    """Tiers that can't be rated; the text says what to correct."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The price of the units up to and including `up_to` (None: of all further)."""

    up_to: Decimal | None
    unit_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What usage costs; `unit_price` counts for the per-unit model only.

    Raises `InvalidTiers` for tiers that don't fit the model or one another.
    """

    model: TariffModel
    unit_price: Decimal = _ZERO
    tiers: tuple[Tier, ...] = ()
    included_quantity: Decimal = _ZERO
    discount_percent: Decimal = _ZERO

    def __post_init__(self) -> None:
        if self.model is not TariffModel.PER_UNIT:
            check_tiers(self.tiers)
        elif self.tiers:
            raise InvalidTiers("A price per unit has no tiers.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedPart:
    """Units at one price, a step of the calculation: no discount, not rounded."""

    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedUsage:
    """The usage of a period with its price; `amount` is discounted and rounded."""

    quantity: Decimal
    billable_quantity: Decimal
    amount: Decimal
    parts: tuple[RatedPart, ...]


def rate(tariff: Tariff, quantity: Decimal, currency: str) -> RatedUsage:
    """Return what the whole usage of one billing period costs (P9).

    Raises `UnknownCurrency`, and `ValueError` for a negative quantity (M9).

    >>> model, tiers = parse_tiers("graduated 100:0.50;1000:0.40;*:0.30")
    >>> tariff = Tariff(model=model, tiers=tiers, included_quantity=Decimal(50))
    >>> rate(tariff, Decimal(300), "EUR").amount  # 50 free, 100 x 0.50, 150 x 0.40
    Decimal('110.00')
    """
    if quantity < 0:
        raise ValueError("A quantity of usage is not negative.")

    billable = max(EXACT.subtract(quantity, tariff.included_quantity), _ZERO)
    parts = tuple(_parts(tariff, billable))
    gross = _ZERO
    for part in parts:
        gross = EXACT.add(gross, part.amount)
    net = EXACT.multiply(gross, EXACT.subtract(100, tariff.discount_percent))
    return RatedUsage(
        quantity=quantity,
        billable_quantity=billable,
        amount=round_money(EXACT.scaleb(net, -2), currency),
        parts=parts,
    )


def _parts(tariff: Tariff, billable: Decimal) -> Iterator[RatedPart]:
    if not billable:
        return
    if tariff.model is TariffModel.PER_UNIT:
        yield _part(billable, tariff.unit_price)
    elif tariff.model is TariffModel.VOLUME:
        yield _part(billable, _tier_of(tariff.tiers, billable).unit_price)
    else:
        below = _ZERO
        for tier in tariff.tiers:
            top = billable if tier.up_to is None else min(tier.up_to, billable)
            yield _part(EXACT.subtract(top, below), tier.unit_price)
            if top == billable:
                return
            below = top


def _part(quantity: Decimal, unit_price: Decimal) -> RatedPart:
    amount = EXACT.multiply(quantity, unit_price)
    return RatedPart(quantity=quantity, unit_price=unit_price, amount=amount)


def _tier_of(tiers: tuple[Tier, ...], quantity: Decimal) -> Tier:
    return next(tier for tier in tiers if tier.up_to is None or quantity <= tier.up_to)


def parse_tiers(text: str) -> tuple[TariffModel, tuple[Tier, ...]]:
    """Read tiers as they stand in files and on contract lines.

    `graduated` or `volume`, then `bound:price` for each tier, separated by semicolons,
    the last bound `*`. Raises `InvalidTiers`.

    >>> model, tiers = parse_tiers("volume 10:2;*:1.50")
    >>> model.value, [str(tier.unit_price) for tier in tiers]
    ('VOLUME', ['2', '1.50'])
    """
    split = _TIERS_TEXT.fullmatch(text.strip())
    if split is None:
        raise InvalidTiers(f"Write tiers like this: {_EXAMPLE}.")
    model = _parse_model(split[1])
    tiers = tuple(_parse_tier(item.strip()) for item in split[2].split(";"))
    check_tiers(tiers)
    return model, tiers


def format_tiers(model: TariffModel, tiers: tuple[Tier, ...]) -> str:
    """Return the canonical text of tiers; `parse_tiers` reads it back to equal ones.

    >>> format_tiers(*parse_tiers("graduated 100.0:0.50; *:0.30"))
    'graduated 100:0.5;*:0.3'
    """
    items = ";".join(
        f"{'*' if tier.up_to is None else format_decimal(tier.up_to)}"
        f":{format_decimal(tier.unit_price)}"
        for tier in tiers
    )
    return f"{model.value.lower()} {items}"


def check_tiers(tiers: tuple[Tier, ...]) -> None:
    """Raise `InvalidTiers` unless every quantity lies in exactly one tier (P9)."""
    if not tiers:
        raise InvalidTiers(f"There is no tier. Write tiers like this: {_EXAMPLE}.")
    if len(tiers) > MAX_TIERS:
        raise InvalidTiers(f"There are more than {MAX_TIERS} tiers.")
    if any(tier.unit_price < 0 for tier in tiers):
        raise InvalidTiers("A tier has a negative price; prices are not negative.")
    if tiers[-1].up_to is not None:
        raise InvalidTiers("The last tier must be open: write its bound as *.")

    bounds = [tier.up_to for tier in tiers[:-1] if tier.up_to is not None]
    if len(bounds) < len(tiers) - 1:
        raise InvalidTiers("Only the last tier is open: give the others a bound.")
    if any(bound <= 0 for bound in bounds):
        raise InvalidTiers("A tier ends at 0; bounds are above 0.")
    for lower, upper in pairwise(bounds):
        if upper <= lower:
            raise InvalidTiers(
                f"Bounds must rise from tier to tier, but {format_decimal(upper)} "
                f"comes after {format_decimal(lower)}."
            )


def _parse_model(word: str) -> TariffModel:
    if word == "graduated":
        return TariffModel.GRADUATED
    if word == "volume":
        return TariffModel.VOLUME
    raise InvalidTiers(
        f"Tiers begin with the word graduated or volume, not with “{word}”: {_EXAMPLE}."
    )


def _parse_tier(item: str) -> Tier:
    bound, colon, price = (part.strip() for part in item.partition(":"))
    if not colon:
        raise InvalidTiers(
            f"“{item}” is not a tier: write its bound, a colon and its price, "
            "and a semicolon between tiers."
        )
    return Tier(
        up_to=None if bound == "*" else _parse_number("bound", bound),
        unit_price=_parse_number("price", price),
    )


def _parse_number(what: str, text: str) -> Decimal:
    try:
        return parse_decimal(text)
    except NotANumber as fault:
        raise InvalidTiers(f"The {what} “{text}” of a tier: {fault}") from None
