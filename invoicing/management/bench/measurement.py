"""What a measurement says, and whether that is good enough."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self


class CanNotMeasure(RuntimeError):
    """This machine lacks what a measurement needs; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A value, beside its yardstick of the same bench where it has one."""

    value: float
    unit: str
    budget: float
    ok: bool
    yardstick: float | None = None
    ratio: float | None = None

    @classmethod
    def at_least(
        cls, budget: float, *, value: float, unit: str, yardstick: float | None = None
    ) -> Self:
        """Judge a value of which more is better; the yardstick is only shown."""
        return cls(
            value=value,
            unit=unit,
            budget=budget,
            ok=value >= budget,
            yardstick=yardstick,
            ratio=None if yardstick is None else value / yardstick,
        )

    @classmethod
    def at_most(cls, budget: float, *, value: float, unit: str) -> Self:
        """Judge a value of which less is better."""
        return cls(value=value, unit=unit, budget=budget, ok=value <= budget)

    @classmethod
    def ratio_at_least(
        cls, budget: float, *, ratio: float, value: float, unit: str, yardstick: float
    ) -> Self:
        """Judge a ratio that was measured in turns."""
        return cls(
            value=value,
            unit=unit,
            budget=budget,
            ok=ratio >= budget,
            yardstick=yardstick,
            ratio=ratio,
        )

    def as_json(self) -> dict[str, Any]:
        """Return {value, unit, yardstick, ratio, budget, ok}, rounded to be read."""
        return {
            "value": _readable(self.value),
            "unit": self.unit,
            "yardstick": _readable(self.yardstick),
            "ratio": _readable(self.ratio),
            "budget": self.budget,
            "ok": self.ok,
        }


def _readable(value: float | None) -> float | None:
    """Return a figure with four digits that count; more would be noise."""
    return None if value is None else float(f"{value:.4g}")


Measurements = Mapping[str, Measurement]
# Takes the URL of an empty database, a size and a number of rounds; raises
# CanNotMeasure.
Measure = Callable[[str, int, int], Measurements]
