"""The terms before and after an amendment, line by line (A1).

Both sides are the JSON that an amendment keeps: each line with every stretch of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from contracts.domain.rates import Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a line costs from a day on; usage says its tiers and what is included."""

    rates: Rates
    tiers: str = ""
    included_quantity: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TermDifference:
    """A line from a day on, before and after; None where it is not served then.

    `last_day_before` and `last_day_after` are the ends that amendments set.
    """

    line_id: int
    from_date: date
    before: Stage | None
    after: Stage | None
    last_day_before: date | None
    last_day_after: date | None

    @property
    def mark(self) -> str:
        """The kind of difference: added, ended, changed, or empty."""
        if self.before is None and self.after is not None:
            return "added"
        if self.last_day_after != self.last_day_before:
            return "ended"
        return "" if self.before == self.after else "changed"


def term_differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[TermDifference, ...]:
    """Return every stretch of every line on either side, line by line, day by day.

    >>> stretch = {"from": "2026-01-01", "quantity": "2", "unit_price": "10",
    ...            "discount_percent": "0"}
    >>> line = {"line": 7, "start": "2026-01-01", "last_day": None}
    >>> (one,) = term_differences(
    ...     {"lines": [line | {"stretches": [stretch]}]},
    ...     {"lines": [line | {"stretches": [stretch | {"quantity": "1"}]}]})
    >>> one.mark, str(one.before.rates.price), str(one.after.rates.price)
    ('changed', '20.00', '10.00')
    """
    old = {line["line"]: line for line in before.get("lines", ())}
    new = {line["line"]: line for line in after.get("lines", ())}
    return tuple(
        difference
        for line_id in dict.fromkeys([*old, *new])
        for difference in _of_line(line_id, old.get(line_id), new.get(line_id))
    )


def _of_line(
    line_id: int, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterator[TermDifference]:
    before, after = _stages(old), _stages(new)
    shown: tuple[Stage | None, Stage | None] | None = None
    for day in sorted({*before, *after}):
        pair = _on(day, before), _on(day, after)
        if pair == shown:
            continue
        shown = pair
        yield TermDifference(
            line_id=line_id,
            from_date=day,
            before=pair[0],
            after=pair[1],
            last_day_before=_last_day(old),
            last_day_after=_last_day(new),
        )


def _stages(line: Mapping[str, Any] | None) -> dict[date, Stage]:
    stretches: Sequence[Mapping[str, str]] = line["stretches"] if line else ()
    return {
        date.fromisoformat(stretch["from"]): Stage(
            rates=Rates(
                quantity=Decimal(stretch["quantity"]),
                unit_price=Decimal(stretch["unit_price"]),
                discount_percent=Decimal(stretch["discount_percent"]),
            ),
            tiers=stretch.get("tiers", ""),
            included_quantity=Decimal(stretch.get("included_quantity", "0")),
        )
        for stretch in stretches
    }


def _on(day: date, stages: Mapping[date, Stage]) -> Stage | None:
    days = [one for one in stages if one <= day]
    return stages[max(days)] if days else None


def _last_day(line: Mapping[str, Any] | None) -> date | None:
    text = line["last_day"] if line else None
    return date.fromisoformat(text) if text else None
