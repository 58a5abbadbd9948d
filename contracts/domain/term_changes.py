"""What an amendment asks for, as plain values (A1)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from contracts.domain.terms import ChargeType, Proration, Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEdit:
    """What changes of one line from the effective date on; None leaves it alone.

    `ends` makes the day before the effective date the line's last.
    """

    line_id: int
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    discount_percent: Decimal | None = None
    included_quantity: Decimal | None = None
    tiers: str | None = None
    ends: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether no field is named."""
        return not self.ends and all(
            value is None
            for value in (
                self.quantity,
                self.unit_price,
                self.discount_percent,
                self.included_quantity,
                self.tiers,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """A line that an amendment adds; it is served from the effective date on."""

    product_id: int
    charge_type: ChargeType
    timing: Timing
    frequency_months: int | None
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_percent: Decimal = Decimal(0)
    included_quantity: Decimal = Decimal(0)
    tiers: str = ""
    proration: Proration = Proration.DAILY
    description: str = ""
    tax_rate_id: int | None = None
    end_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermChanges:
    """All that an amendment asks for, and the version of the terms it was made for."""

    version: int
    edits: tuple[LineEdit, ...] = ()
    new_lines: tuple[NewLine, ...] = ()
