"""The terms of a contract as plain values, and what makes them impossible to plan.

A contract is a set of lines. A line keeps its type, frequency and timing for life (A1);
its rates are a sequence of stretches, each in force from its date until the next one.
Dates here are inclusive, as people see them and as they are stored.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from billing.domain.money import EXACT


class ChargeType(StrEnum):
    """What a line charges for."""

    RECURRING = "RECURRING"
    USAGE = "USAGE"
    ONE_TIME = "ONE_TIME"


class Timing(StrEnum):
    """When a billing period is billed: on its first day, or the day after its last."""

    ADVANCE = "ADVANCE"
    ARREARS = "ARREARS"


class Proration(StrEnum):
    """What a stub at a line's start or agreed end costs (P4): its days, or all."""

    DAILY = "DAILY"
    NONE = "NONE"


class ChargeState(StrEnum):
    """The state of a scheduled charge."""

    PENDING = "PENDING"
    DRAFTED = "DRAFTED"
    INVOICED = "INVOICED"
    EXTERNAL = "EXTERNAL"
    SKIPPED = "SKIPPED"
    SUPERSEDED = "SUPERSEDED"
    CANCELED = "CANCELED"


LIVE_STATES: Final = frozenset(
    {
        ChargeState.PENDING,
        ChargeState.DRAFTED,
        ChargeState.INVOICED,
        ChargeState.EXTERNAL,
        ChargeState.SKIPPED,
    }
)


class ContractStatus(StrEnum):
    """The status of a contract."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    CANCELED = "CANCELED"
    ENDED = "ENDED"


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
        gross = EXACT.multiply(self.quantity, self.unit_price)
        net = EXACT.multiply(gross, EXACT.subtract(100, self.discount_percent))
        return EXACT.scaleb(net, -2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rates in force from a day on, until the next stretch begins."""

    from_date: date
    rates: Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTerms:
    """One contract line over its whole life.

    `agreed_end` is the last day that was sold (None: as long as the contract runs);
    `last_day` the one an amendment set. The first stretch covers the start. A one-time
    line has no `months`; its charge is the day it starts on.
    """

    line_id: int
    charge_type: ChargeType
    timing: Timing
    months: int | None
    start: date
    agreed_end: date | None
    last_day: date | None
    proration: Proration
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """A contract as it is planned (P1-P6).

    `end` is the agreed last day (None: evergreen), `last_day` the one a cancellation
    set; the day before the start means never served.
    """

    start: date
    end: date | None
    last_day: date | None
    bill_day: int
    bill_month: int | None
    currency: str
    lines: tuple[LineTerms, ...]
