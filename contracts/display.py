"""How the terms of lines are shown, before and after an amendment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from billing.display import number_text, price_text
from billing.domain.money import round_money
from contracts.domain.rates import Rates
from contracts.domain.term_differences import Stage, TermDifference, term_differences

TIMES: Final = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRow:
    """A line from a day on; amounts are per billing period, None for usage."""

    line_id: int
    name: str
    from_date: date
    mark: str
    was: str
    becomes: str
    was_price: Decimal | None
    becomes_price: Decimal | None
    last_day: date | None

    @property
    def difference(self) -> Decimal | None:
        """What a billing period costs more, or less; None for usage."""
        if self.was_price is None and self.becomes_price is None:
            return None
        return (self.becomes_price or Decimal(0)) - (self.was_price or Decimal(0))


def rates_text(rates: Rates, currency: str) -> str:
    """Write rates as quantity, price and discount.

    >>> rates = Rates(quantity=Decimal(2), unit_price=Decimal(10),
    ...               discount_percent=Decimal(5))
    >>> rates_text(rates, "EUR") == f"2 {TIMES} 10.00 less 5 %"
    True
    """
    price = price_text(rates.unit_price, currency)
    text = f"{number_text(rates.quantity)} {TIMES} {price}"
    if rates.discount_percent:
        text += f" less {number_text(rates.discount_percent)} %"
    return text


def usage_text(stage: Stage, currency: str) -> str:
    """Write how usage is priced: tiers or a price each, and what is included."""
    text = stage.tiers or f"{price_text(stage.rates.unit_price, currency)} each"
    if stage.included_quantity:
        text += f", {number_text(stage.included_quantity)} included"
    if stage.rates.discount_percent:
        text += f", less {number_text(stage.rates.discount_percent)} %"
    return text


def term_rows(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    names: Mapping[int, str],
    usage_lines: Iterable[int],
    currency: str,
) -> list[TermRow]:
    """Return the terms that an amendment keeps, as rows of a table (A1)."""
    usage = set(usage_lines)
    return [
        _row(one, names.get(one.line_id, ""), one.line_id in usage, currency)
        for one in term_differences(before, after)
    ]


def _row(one: TermDifference, name: str, is_usage: bool, currency: str) -> TermRow:  # noqa: FBT001
    def text(stage: Stage | None) -> str:
        if stage is None:
            return ""
        if is_usage:
            return usage_text(stage, currency)
        return rates_text(stage.rates, currency)

    def price(stage: Stage | None) -> Decimal | None:
        if stage is None or is_usage:
            return None
        return round_money(stage.rates.price, currency)

    return TermRow(
        line_id=one.line_id,
        name=name,
        from_date=one.from_date,
        mark=one.mark,
        was=text(one.before),
        becomes=text(one.after),
        was_price=price(one.before),
        becomes_price=price(one.after),
        last_day=one.last_day_after,
    )
