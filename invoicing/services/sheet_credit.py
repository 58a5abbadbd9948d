"""What stands on the paper of a credit note (A5, A9).

It names the invoice that it reduces, with its date, what it takes of each line, its
tax by rate, and where its money went when it was issued. All of that is stored and
never changes, so the same paper can be printed again years later (M3). A void one
says so across the page, and no more of where money went. The reason is told in words
for customers; what was typed for the books stays there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from invoicing.domain.states import CreditReason, CreditSettlement
from invoicing.models import CreditNote, CreditNoteLine, Invoice
from invoicing.services.lettering import width
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
from invoicing.services.sheet_frame import Frame, compose_frame, print_sums
from invoicing.services.sheet_lines import AMOUNT
from invoicing.services.wording import Writer, plain


class NotIssuedIsNotPrinted(ValueError):
    """A credit that waits, or was declined, has no paper."""

    def __init__(self, note: CreditNote) -> None:
        super().__init__(f"{note} was not issued, so there is no paper of it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditWords:
    """The fixed words of a credit note's table in its language."""

    description: str
    charged: str
    tax: str
    credited: str
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedLine:
    """What is credited of one line of the invoice, beside what it had charged."""

    product: str
    description: str
    period: str
    charged: str
    tax: str
    credited: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedContract:
    """The credited lines of one contract."""

    heading: str
    lines: tuple[CreditedLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSheet:
    """The paper of one credit note; `claims` say what it does, a sentence each."""

    frame: Frame
    words: CreditWords
    notes: Columns
    contracts: tuple[CreditedContract, ...]
    has_tax_rates: bool
    has_long_figures: bool
    columns: int
    sums: Blocks
    total: str
    claims: tuple[str, ...]


def compose_credit_sheet(note: CreditNote) -> CreditSheet:
    """Return what the paper of a credit note says; reads its lines and its invoice.

    Raises `NotIssuedIsNotPrinted`.
    """
    if note.number is None:
        raise NotIssuedIsNotPrinted(note)
    invoice = note.invoice
    write = Writer.of(invoice.language, note.currency)
    lines = list(
        note.lines.select_related("invoice_line").order_by("invoice_line__position")
    )
    has_tax_rates = len({line.invoice_line.tax_percent for line in lines}) > 1
    contracts = tuple(_contracts(write, lines))
    sums = tuple(print_sums(write, subtotal=note.subtotal, taxes=note.taxes))
    return CreditSheet(
        frame=compose_frame(
            write,
            title=write.say("Credit note {number}", number=note.number),
            mark=write.say("Void") if note.is_void else "",
            seller=note.seller,
            bill_to=note.bill_to,
            facts=blocks(_facts(write, note, invoice)),
        ),
        words=_words(write),
        notes=in_two_columns(filled((write.say("Reason"), _reason(write, note)))),
        contracts=contracts,
        has_tax_rates=has_tax_rates,
        has_long_figures=_has_long_figures(contracts)
        or are_long(sums, write.money(note.total)),
        columns=3 + has_tax_rates,
        sums=sum_blocks(sums),
        total=write.money(note.total),
        claims=tuple(_claims(write, note, invoice)),
    )


def _words(write: Writer) -> CreditWords:
    return CreditWords(
        description=write.say("Description"),
        charged=write.say("Charged, {currency}", currency=write.currency),
        tax=write.say("Tax"),
        credited=write.say("Credited, {currency}", currency=write.currency),
        total=write.say("Total credited"),
    )


def _facts(write: Writer, note: CreditNote, invoice: Invoice) -> tuple[Fact, ...]:
    issued, invoiced = note.issue_date, invoice.issue_date
    return filled(
        (write.say("Credit note number"), note.number or ""),
        (write.say("Date"), write.day(issued) if issued else ""),
        (write.say("For invoice"), invoice.number or ""),
        (write.say("Invoice date"), write.day(invoiced) if invoiced else ""),
        (write.say("PO number"), invoice.po_number),
        (write.say("Your tax id"), invoice.tax_id),
    )


def _reason(write: Writer, note: CreditNote) -> str:
    match CreditReason(note.reason_code):
        case CreditReason.BILLING_ERROR:
            return write.say("Correction of the billing")
        case CreditReason.SERVICE_ISSUE:
            return write.say("Compensation for a service issue")
        case CreditReason.CANCELLATION:
            return write.say("Cancellation")
        case CreditReason.GOODWILL:
            return write.say("Goodwill")
        case CreditReason.OTHER:
            return write.say("Other adjustment")


def _contracts(
    write: Writer, lines: Iterable[CreditNoteLine]
) -> Iterable[CreditedContract]:
    grouped = groupby(lines, key=lambda line: line.invoice_line.contract_number)
    for number, group in grouped:
        yield CreditedContract(
            heading=write.say("Contract {number}", number=plain(number)),
            lines=tuple(_line(write, line) for line in group),
        )


def _line(write: Writer, credited: CreditNoteLine) -> CreditedLine:
    line = credited.invoice_line
    return CreditedLine(
        product=plain(line.product_name),
        description=plain(line.description),
        period=write.period(line.period_start, line.period_end),
        charged=write.amount(line.amount),
        tax="" if line.tax_percent is None else write.percent(line.tax_percent),
        credited=write.amount(credited.amount),
    )


def _has_long_figures(contracts: Iterable[CreditedContract]) -> bool:
    return any(
        width(line.charged) > AMOUNT
        for contract in contracts
        for line in contract.lines
    )


def _claims(write: Writer, note: CreditNote, invoice: Invoice) -> Iterable[str]:
    if note.voided_on is not None:
        yield write.say(
            "Void since {day}: this credit note has no effect.",
            day=write.day(note.voided_on),
        )
        return
    number = invoice.number or ""
    day = write.day(invoice.issue_date) if invoice.issue_date else ""
    if note.total == invoice.total:
        yield write.say(
            "Invoice {number} of {day} is credited in full.", number=number, day=day
        )
    else:
        yield write.say(
            "Invoice {number} of {day} is credited in part.", number=number, day=day
        )
    given_back = note.given_back or Decimal(0)
    if lowered := note.total - given_back:
        yield write.say(
            "Its amount due is lowered by {amount}.", amount=write.money(lowered)
        )
    if not given_back:
        return
    if note.settlement == CreditSettlement.REFUND:
        yield write.say("{amount} is refunded to you.", amount=write.money(given_back))
    else:
        yield write.say(
            "{amount} goes to your credit balance, which is used for your invoices.",
            amount=write.money(given_back),
        )
