"""The lines of a paper under their contracts, and how usage came to its amount."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

from invoicing.models import InvoiceLine
from invoicing.services.lettering import width
from invoicing.services.sheet_facts import Fact
from invoicing.services.wording import Writer, plain

# Millimetres that document.css leaves of the columns.
QUANTITY: Final = 22
PRICE: Final = 26
RATE: Final = 16
AMOUNT: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedTier:
    """A step of how usage was priced; what is included has no price."""

    label: str
    quantity: str
    unit_price: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLine:
    """One line of the paper."""

    product: str
    description: str
    period: str
    quantity: str
    unit_price: str
    discount: str
    tax: str
    amount: str
    tiers: tuple[PrintedTier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedContract:
    """The lines of one contract."""

    heading: str
    fields: tuple[Fact, ...]
    lines: tuple[PrintedLine, ...]


def print_contracts(
    write: Writer,
    lines: Iterable[InvoiceLine],
    fields: Mapping[str, tuple[Fact, ...]],
) -> tuple[PrintedContract, ...]:
    """Return invoice lines, in order of position, under their contracts.

    `fields` are the printed ones by contract number.
    """
    return tuple(
        PrintedContract(
            heading=write.say("Contract {number}", number=plain(number)),
            fields=fields.get(number, ()),
            lines=tuple(_line(write, line) for line in group),
        )
        for number, group in groupby(lines, key=lambda line: line.contract_number)
    )


def has_long_figure(contract: PrintedContract) -> bool:
    """Tell whether a figure needs more room than its column usually has."""
    return any(
        width(figure) > room
        for line in contract.lines
        for figure, room in _figures(line)
    )


def _figures(line: PrintedLine) -> Iterator[tuple[str, float]]:
    """Yield the figures of a line, each with the room that it usually has."""
    yield from ((line.quantity, QUANTITY), (line.unit_price, PRICE))
    yield from ((line.discount, RATE), (line.tax, RATE), (line.amount, AMOUNT))
    for tier in line.tiers:
        yield from ((tier.quantity, QUANTITY), (tier.unit_price, PRICE))
        yield (tier.amount, AMOUNT)


def _line(write: Writer, line: InvoiceLine) -> PrintedLine:
    price, discount, tax = line.unit_price, line.discount_percent, line.tax_percent
    return PrintedLine(
        product=plain(line.product_name),
        description=plain(line.description),
        period=write.period(line.period_start, line.period_end),
        quantity=write.number(line.quantity),
        unit_price="" if price is None else write.price(price),
        discount=write.percent(-discount) if discount else "",
        tax="" if tax is None else write.percent(tax),
        amount=write.amount(line.amount),
        tiers=tuple(_tiers(write, line)),
    )


def _tiers(write: Writer, line: InvoiceLine) -> Iterable[PrintedTier]:
    """Tell how usage came to its amount, where the line does not tell it by itself."""
    parts: list[dict[str, str]] = line.detail
    billed = sum((Decimal(part["quantity"]) for part in parts), Decimal())
    included = line.quantity - billed
    label = write.say("first") if len(parts) > 1 else write.say("all")
    if included and (parts or _is_included_altogether(line)):
        label = write.say("next")
        yield PrintedTier(
            label=write.say("included"),
            quantity=write.number(included),
            unit_price="",
            amount="",
        )
    elif len(parts) == 1 and line.unit_price is not None:
        return
    for part in parts:
        yield PrintedTier(
            label=label,
            quantity=write.number(Decimal(part["quantity"])),
            unit_price=write.price(Decimal(part["unit_price"])),
            amount=write.price(Decimal(part["amount"])),
        )
        label = write.say("next")


def _is_included_altogether(line: InvoiceLine) -> bool:
    return not line.amount and line.unit_price != 0 and line.discount_percent != 100
