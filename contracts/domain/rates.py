"""What a line costs, and from which day on.

Rates are exact numbers within what the database keeps, so that the plan computed from
stored terms is the plan that was previewed.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from billing.domain.money import EXACT

# What the columns hold: numeric(18, 6) for quantities and unit prices, numeric(18, 3)
# for amounts, numeric(6, 3) for percentages.
_RATE_LIMIT: Final = Decimal(10) ** 12
_RATE_STEP: Final = Decimal("0.000001")
_PERCENT_STEP: Final = Decimal("0.001")
_AMOUNT_LIMIT: Final = Decimal(10) ** 15


class Problem(NamedTuple):
    """The name of a field that is wrong, and a sentence for finance staff about it."""

    field: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one billing period of a line costs. The discount is a percentage, 0-100."""

    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal

    @property
    def price(self) -> Decimal:
        """The price per billing period, exact and unrounded.

        >>> Rates(
        ...     quantity=Decimal("3"),
        ...     unit_price=Decimal("9.995"),
        ...     discount_percent=Decimal("10"),
        ... ).price
        Decimal('26.98650')
        """
        return period_price(self.quantity, self.unit_price, self.discount_percent)

    def problem(self) -> Problem | None:
        """Return what makes these rates unusable (M9), if anything does."""
        problem = (
            _number_problem("quantity", self.quantity, _RATE_STEP)
            or _number_problem("unit_price", self.unit_price, _RATE_STEP)
            or _number_problem("discount_percent", self.discount_percent, _PERCENT_STEP)
        )
        if problem:
            return problem
        if self.discount_percent > 100:
            return Problem(
                "discount_percent",
                f"The discount is 0 to 100 percent, not {self.discount_percent}.",
            )
        if self.price >= _AMOUNT_LIMIT:
            return Problem(
                "unit_price",
                "Quantity times unit price is too large: an amount has at most "
                "15 digits before the decimal point.",
            )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rates in force from a day on, until the next stretch begins."""

    from_date: date
    rates: Rates


def period_price(
    quantity: Decimal, unit_price: Decimal, discount_percent: Decimal
) -> Decimal:
    """Return the price of `Rates`, which a night asks for by the million."""
    gross = EXACT.multiply(quantity, unit_price)
    net = EXACT.multiply(gross, EXACT.subtract(100, discount_percent))
    return EXACT.scaleb(net, -2)


def _number_problem(field: str, value: Decimal, step: Decimal) -> Problem | None:
    if value.is_finite() and 0 <= value < _RATE_LIMIT:
        if not EXACT.remainder(value, step):
            return None
        decimals = -step.adjusted()
        sentence = f"has more than {decimals} decimal places: {value}."
    elif not value.is_finite():
        sentence = "is not a number."
    elif value < 0:
        sentence = f"is negative: {value}."
    else:
        sentence = "has more than 12 digits before the decimal point."
    name = field.removesuffix("_percent").replace("_", " ")
    return Problem(field, f"The {name} {sentence}")
