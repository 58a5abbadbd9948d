"""What stands on the paper of an invoice: every word and figure, ready to be printed.

A sheet is made from what the invoice stored and from nothing else, so that printing it
again years later gives the same paper: its own columns, its lines, the bill-to of its
current revision (D2), and the logo whose content it names. It claims the invoice's
total less the credit balance that was used when it was issued (M4). What is paid,
applied or credited afterwards is told by other papers and never changes this one (M3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.balances import used_at_issue
from invoicing.services.sheet_facts import (
    Blocks,
    Columns,
    Fact,
    are_long,
    blocks,
    filled,
    in_two_columns,
    sum_blocks,
)
from invoicing.services.sheet_fields import print_fields
from invoicing.services.sheet_frame import Frame, compose_frame, print_sums
from invoicing.services.sheet_lines import (
    PrintedContract,
    has_long_figure,
    print_contracts,
)
from invoicing.services.sheet_payment import (
    ACCOUNT_VALUE,
    Code,
    print_account,
    print_claim,
    print_code,
)
from invoicing.services.wording import Writer, plain


class VoidIsNotPrinted(ValueError):
    """A draft that was thrown away has no paper."""

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(f"{invoice} was thrown away and is not printed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The fixed words of an invoice's table in its language."""

    description: str
    quantity: str
    unit_price: str
    discount: str
    tax: str
    amount: str
    amount_due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The paper of one invoice.

    `columns` count those of its table of lines; `total` is what the invoice comes to,
    `due` what it asks for.
    """

    frame: Frame
    words: Words
    notes: Columns
    contracts: tuple[PrintedContract, ...]
    has_discounts: bool
    has_tax_rates: bool
    has_long_figures: bool
    columns: int
    columns_after_price: int
    sums: Blocks
    total: str
    due: str
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
    fields = print_fields(write, invoice.printed_fields)
    contracts = print_contracts(write, lines, fields)
    has_discounts = any(line.discount_percent for line in lines)
    has_tax_rates = len({line.tax_percent for line in lines}) > 1
    applied = used_at_issue(invoice)
    due = invoice.total - applied
    sums = tuple(_sums(write, invoice, applied))
    return Sheet(
        frame=compose_frame(
            write,
            title=_title(write, invoice),
            mark="" if invoice.is_issued else write.say("Draft"),
            seller=invoice.seller,
            bill_to=revision.bill_to if revision else invoice.bill_to,
            facts=blocks(_facts(write, invoice)),
        ),
        words=_words(write),
        notes=in_two_columns(fields.get("", ())),
        contracts=contracts,
        has_discounts=has_discounts,
        has_tax_rates=has_tax_rates,
        has_long_figures=any(map(has_long_figure, contracts))
        or are_long(sums, write.money(due)),
        columns=4 + has_discounts + has_tax_rates,
        columns_after_price=1 + has_discounts + has_tax_rates,
        sums=sum_blocks(sums),
        total=write.money(invoice.total),
        due=write.money(due),
        claim=print_claim(write, invoice, due),
        payment=blocks(print_account(write, invoice, due), value=ACCOUNT_VALUE),
        code=print_code(write, invoice, due),
        payment_instructions=plain(
            invoice.seller.get("payment_instructions", "") if due else ""
        ),
    )


def _title(write: Writer, invoice: Invoice) -> str:
    if invoice.number:
        return write.say("Invoice {number}", number=invoice.number)
    return write.say("Draft invoice")


def _words(write: Writer) -> Words:
    return Words(
        description=write.say("Description"),
        quantity=write.say("Quantity"),
        unit_price=write.say("Unit price"),
        discount=write.say("Discount"),
        tax=write.say("Tax"),
        amount=write.say("Amount, {currency}", currency=write.currency),
        amount_due=write.say("Amount due"),
    )


def _facts(write: Writer, invoice: Invoice) -> tuple[Fact, ...]:
    issued, due = invoice.issue_date, invoice.due_date
    return filled(
        (write.say("Invoice number"), invoice.number or ""),
        (write.say("Issue date"), write.day(issued) if issued else ""),
        (write.say("Bill date"), write.day(invoice.bill_date)),
        (write.say("Due date"), write.day(due) if due else ""),
        (write.say("PO number"), invoice.po_number),
        (write.say("Your tax id"), invoice.tax_id),
    )


def _sums(write: Writer, invoice: Invoice, applied: Decimal) -> Iterable[Fact]:
    yield from print_sums(write, subtotal=invoice.subtotal, taxes=invoice.taxes)
    if applied:
        yield Fact(label=write.say("Total"), value=write.amount(invoice.total))
        yield Fact(
            label=write.say("Less credit balance applied"),
            value=write.amount(-applied),
        )
