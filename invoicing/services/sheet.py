"""What stands on the paper of an invoice: every word and figure, ready to be printed.

A sheet is made from what the invoice stored and from nothing else, so that printing it
again years later gives the same paper: its own columns, its lines, and the bill-to of
its current revision (D2). It claims the invoice's total. What is paid or credited
afterwards is told by other papers and never changes this one (M3).
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

from billing.domain.address import Address
from invoicing.domain.giro_code import giro_code, qr_picture
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice, InvoiceLine
from invoicing.services.wording import Writer, plain

LONG_FIGURE: Final = 16
SHORT_LABEL: Final = 20
SHORT_VALUE: Final = 22
WINDOW_COLUMNS: Final = 40
WINDOW_ROWS: Final = 6


class VoidIsNotPrinted(ValueError):
    """A draft that was thrown away has no paper."""

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(f"{invoice} was thrown away and is not printed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A labelled value."""

    label: str
    value: str


Blocks = tuple[tuple[Fact, ...], ...]


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
    lines: tuple[PrintedLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A name and the address lines below it.

    One that `is_tall` needs the notes' zone of a window envelope too (DIN 5008).
    """

    name: str
    lines: tuple[str, ...]
    is_tall: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The fixed words of a paper in its language."""

    page: str
    of: str
    description: str
    quantity: str
    unit_price: str
    discount: str
    tax: str
    amount: str
    amount_due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A QR code as a PNG in base64, and what it is for."""

    picture: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The paper of one invoice; `columns` count those of its table of lines."""

    language: str
    words: Words
    mark: str
    title: str
    seller: Party
    seller_facts: tuple[Fact, ...]
    bill_to: Party
    facts: Blocks
    notes: Blocks
    contracts: tuple[PrintedContract, ...]
    has_discounts: bool
    has_tax_rates: bool
    has_long_figures: bool
    columns: int
    columns_after_price: int
    sums: Blocks
    total: str
    claim: str
    payment: Blocks
    code: Code | None
    payment_instructions: str


def compose_sheet(invoice: Invoice) -> Sheet:
    """Return what the paper of an invoice says; reads its lines and its revision.

    Raises `VoidIsNotPrinted`.
    """
    if invoice.status == InvoiceStatus.VOID:
        raise VoidIsNotPrinted(invoice)
    write = Writer.of(invoice.language, invoice.currency)
    lines = sorted(invoice.lines.all(), key=lambda line: line.position)
    revision = invoice.current_revision
    seller = invoice.seller
    contracts = _contracts(write, lines)
    has_discounts = any(line.discount_percent for line in lines)
    has_tax_rates = len({line.tax_percent for line in lines}) > 1
    return Sheet(
        language=write.locale.language,
        words=_words(write),
        mark="" if invoice.is_issued else write.say("Draft"),
        title=_title(write, invoice),
        seller=_party(write, seller),
        seller_facts=_filled(
            (write.say("Tax id"), seller.get("tax_id", "")),
            (write.say("Email"), seller.get("email", "")),
        ),
        bill_to=_party(write, revision.bill_to if revision else invoice.bill_to),
        facts=_blocks(_facts(write, invoice)),
        notes=_blocks(_filled(*_printed_fields(invoice))),
        contracts=contracts,
        has_discounts=has_discounts,
        has_tax_rates=has_tax_rates,
        has_long_figures=any(map(_has_long_figure, contracts)),
        columns=4 + has_discounts + has_tax_rates,
        columns_after_price=1 + has_discounts + has_tax_rates,
        sums=_blocks(_sums(write, invoice), label=60),
        total=write.money(invoice.total),
        claim=_claim(write, invoice),
        payment=_blocks(_payment(write, invoice)),
        code=_code(write, invoice),
        payment_instructions=plain(seller.get("payment_instructions", "")),
    )


def _title(write: Writer, invoice: Invoice) -> str:
    if invoice.number:
        return write.say("Invoice {number}", number=invoice.number)
    return write.say("Draft invoice")


def _words(write: Writer) -> Words:
    return Words(
        page=write.say("Page"),
        of=write.say("of"),
        description=write.say("Description"),
        quantity=write.say("Quantity"),
        unit_price=write.say("Unit price"),
        discount=write.say("Discount"),
        tax=write.say("Tax"),
        amount=write.say("Amount, {currency}", currency=write.currency),
        amount_due=write.say("Amount due"),
    )


def _party(write: Writer, stored: Mapping[str, str]) -> Party:
    parts = ("name", "line1", "line2", "city", "region", "postal_code", "country")
    address = Address(**{part: stored.get(part, "") for part in parts})
    name, lines = plain(address.name), write.address(address)
    rows = sum(-(-len(line) // WINDOW_COLUMNS) for line in (name, *lines))
    return Party(name=name, lines=lines, is_tall=rows > WINDOW_ROWS)


def _filled(*pairs: tuple[str, str]) -> tuple[Fact, ...]:
    facts = (Fact(label=plain(label), value=plain(value)) for label, value in pairs)
    return tuple(fact for fact in facts if fact.value)


def _blocks(facts: Iterable[Fact], *, label: int = SHORT_LABEL) -> Blocks:
    """Put facts that need one line each together: a row of a table is what costs."""
    blocks: list[tuple[Fact, ...]] = []
    for is_short, run in groupby(facts, key=lambda fact: _is_short(fact, label)):
        together = tuple(run)
        blocks.extend([together] if is_short else [(fact,) for fact in together])
    return tuple(blocks)


def _is_short(fact: Fact, label: int) -> bool:
    return len(fact.label) <= label and len(fact.value) <= SHORT_VALUE


def _facts(write: Writer, invoice: Invoice) -> tuple[Fact, ...]:
    issued, due = invoice.issue_date, invoice.due_date
    return _filled(
        (write.say("Invoice number"), invoice.number or ""),
        (write.say("Issue date"), write.day(issued) if issued else ""),
        (write.say("Bill date"), write.day(invoice.bill_date)),
        (write.say("Due date"), write.day(due) if due else ""),
        (write.say("PO number"), invoice.po_number),
        (write.say("Your tax id"), invoice.tax_id),
    )


def _printed_fields(invoice: Invoice) -> Iterable[tuple[str, str]]:
    return ((field["label"], field["value"]) for field in invoice.printed_fields)


def _contracts(write: Writer, lines: list[InvoiceLine]) -> tuple[PrintedContract, ...]:
    return tuple(
        PrintedContract(
            heading=write.say("Contract {number}", number=plain(number)),
            lines=tuple(_line(write, line) for line in group),
        )
        for number, group in groupby(lines, key=lambda line: line.contract_number)
    )


def _has_long_figure(contract: PrintedContract) -> bool:
    return any(
        len(figure) > LONG_FIGURE
        for line in contract.lines
        for figure in (line.quantity, line.unit_price, line.amount)
    )


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


def _sums(write: Writer, invoice: Invoice) -> Iterable[Fact]:
    yield Fact(label=write.say("Subtotal"), value=write.amount(invoice.subtotal))
    for tax in invoice.taxes:
        yield _tax(write, tax)


def _tax(write: Writer, tax: Mapping[str, str]) -> Fact:
    percent = write.percent(Decimal(tax["percent"]))
    taxable = write.amount(Decimal(tax["taxable"]))
    name = plain(tax["name"])
    if not name or name == f"{tax['percent']} %":  # a rate that an import made
        name = write.say("Tax")
    return Fact(
        label=write.say(
            "{tax} {percent} of {amount}", tax=name, percent=percent, amount=taxable
        ),
        value=write.amount(Decimal(tax["tax"])),
    )


def _claim(write: Writer, invoice: Invoice) -> str:
    if not invoice.total:
        return write.say("There is nothing to pay.")
    if invoice.due_date is None:
        return write.say("Nothing is to be paid on a draft.")
    return write.say(
        "Please pay {amount} by {day}.",
        amount=write.money(invoice.total),
        day=write.day(invoice.due_date),
    )


def _payment(write: Writer, invoice: Invoice) -> tuple[Fact, ...]:
    if not invoice.total or not invoice.number:
        return ()
    iban = plain(invoice.seller.get("iban", "")).replace(" ", "")
    groups = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
    return _filled(
        (write.say("Account holder"), invoice.seller.get("name", "") if iban else ""),
        ("IBAN", groups),
        ("BIC", invoice.seller.get("bic", "")),
        (write.say("Reference"), invoice.number),
    )


def _code(write: Writer, invoice: Invoice) -> Code | None:
    text = giro_code(
        name=plain(invoice.seller.get("name", "")),
        iban=plain(invoice.seller.get("iban", "")),
        bic=plain(invoice.seller.get("bic", "")),
        amount=invoice.total,
        currency=invoice.currency,
        remittance=invoice.number or "",
    )
    if not text:
        return None
    return Code(
        picture=b64encode(qr_picture(text)).decode(),
        caption=write.say("Scan to pay with your banking app"),
    )
