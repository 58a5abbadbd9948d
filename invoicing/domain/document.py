"""From pending charges to the lines and sums of one document.

Pure: what stands on the paper follows from the charges, the usage recorded for them
and the tax rates, and from nothing else. A charge that bills zero and has no quantity
gets no line (G10).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from billing.domain.dates import day_text
from billing.domain.money import round_money
from contracts.domain.rates import period_price
from contracts.domain.rating import RatedUsage, Tariff, rate
from invoicing.domain.totals import Totals, invoice_totals

_ZERO: Final = Decimal(0)
# What the columns of quantities and amounts no longer hold.
TOO_MUCH_USAGE: Final = Decimal(10) ** 12
TOO_MUCH_MONEY: Final = Decimal(10) ** 15


class NotBillable(ValueError):
    """Charges that no document can be made of; the text says what to correct."""


class TaxPercentMissing(NotBillable):
    """A tax rate that has no percent on the day it is needed."""

    def __init__(self, name: str, day: date) -> None:
        super().__init__(
            f"The tax rate {name} has no percent on {day_text(day)}. Add a step to it."
        )


class TooLargeToBill(NotBillable):
    """More than an invoice has digits for, as a slip of the keyboard makes it."""

    def __init__(self, what: str, contract_number: str) -> None:
        super().__init__(
            f"{what} of contract {contract_number} is more than an invoice can hold. "
            "Correct what was recorded or agreed."
        )


def rate_without_percent(reason: str) -> str:
    """Return the name of the tax rate that a `TaxPercentMissing` is about; else blank.

    >>> rate_without_percent(str(TaxPercentMissing("VAT 13.5 %", date(2026, 3, 1))))
    'VAT 13.5 %'
    """
    found = re.match(r"The tax rate (.+) has no percent on ", reason)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSteps:
    """A tax rate: its name, and (valid from, percent) with the newest step first."""

    name: str
    steps: tuple[tuple[date, Decimal], ...]

    def percent_on(self, day: date) -> Decimal:
        """Return the percent in force on a day; raises `TaxPercentMissing`."""
        for valid_from, percent in self.steps:
            if valid_from <= day:
                return percent
        raise TaxPercentMissing(self.name, day)


class PendingCharge(NamedTuple):
    """A pending charge with what its line on a document needs; dates are inclusive.

    `amount`, `quantity` and `unit_price` are None for usage, which is rated here. A
    night reads millions of them, hence the cheapest of immutable values.
    """

    charge_id: int
    contract_id: int
    contract_number: str
    bill_group_id: int
    bill_date: date
    period_start: date
    period_end: date
    in_advance: bool
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_percent: Decimal
    amount: Decimal | None
    product_name: str
    description: str
    tax_rate_id: int | None


class DocumentLine(NamedTuple):
    """One charge as it is billed; `usage` tells how usage was rated."""

    charge: PendingCharge
    quantity: Decimal
    amount: Decimal
    tax_name: str
    tax_percent: Decimal | None
    usage: RatedUsage | None = None


class Document(NamedTuple):
    """What one pending invoice comes to; without lines it is no document (G10).

    `zero_charges` bill nothing and have no line. `full_price_subtotal` takes stubs at
    full price, for the comparison of G14.
    """

    bill_date: date
    currency: str
    lines: tuple[DocumentLine, ...]
    zero_charges: tuple[PendingCharge, ...]
    totals: Totals
    full_price_subtotal: Decimal


Usage = Mapping[int, tuple[Decimal, Tariff]]
Taxes = Mapping[int, TaxSteps]


def compose(
    charges: Sequence[PendingCharge], *, currency: str, usage: Usage, taxes: Taxes
) -> Document:
    """Return the document of charges that share a bill group and a bill date.

    `usage` maps a usage charge to the quantity of its period and its tariff, `taxes` a
    tax rate to its steps. Raises `NotBillable`.
    """
    lines: list[DocumentLine] = []
    zero_charges: list[PendingCharge] = []
    full_price_subtotal = _ZERO
    for charge in charges:
        line = _line(charge, currency, usage, taxes)
        if line.amount or line.quantity:
            lines.append(line)
            full_price_subtotal += _full_price(line, currency)
        else:
            zero_charges.append(charge)
    totals = invoice_totals(
        [(line.amount, line.tax_percent) for line in lines], currency
    )
    if totals.total >= TOO_MUCH_MONEY:
        raise TooLargeToBill("The total with lines", charges[0].contract_number)
    return Document(
        bill_date=charges[0].bill_date if charges else date.min,
        currency=currency,
        lines=tuple(lines),
        zero_charges=tuple(zero_charges),
        totals=totals,
        full_price_subtotal=full_price_subtotal,
    )


def _line(
    charge: PendingCharge, currency: str, usage: Usage, taxes: Taxes
) -> DocumentLine:
    tax_name, tax_percent = "", None
    if charge.tax_rate_id is not None:
        steps = taxes[charge.tax_rate_id]
        tax_name, tax_percent = steps.name, steps.percent_on(charge.period_end)

    if charge.amount is not None and charge.quantity is not None:
        amount = round_money(charge.amount, currency)
        return DocumentLine(charge, charge.quantity, amount, tax_name, tax_percent)
    quantity, tariff = usage[charge.charge_id]
    if quantity >= TOO_MUCH_USAGE:
        used = f"The usage of {charge.product_name}"
        raise TooLargeToBill(used, charge.contract_number)
    rated = rate(tariff, quantity, currency)
    return DocumentLine(
        charge, rated.quantity, rated.amount, tax_name, tax_percent, rated
    )


def _full_price(line: DocumentLine, currency: str) -> Decimal:
    charge = line.charge
    if charge.quantity is None or charge.unit_price is None:
        return line.amount
    return round_money(
        period_price(charge.quantity, charge.unit_price, charge.discount_percent),
        currency,
    )
