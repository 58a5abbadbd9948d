"""What stands on the paper of a statement: every word and figure, ready to be printed.

It claims nothing by itself: it lists what was booked and what stands. Seller and
address are those of today; the figures are those of the books on the last day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from invoicing.domain.aging import OpenItem
from invoicing.domain.statement import Movement, Standing
from invoicing.services.lettering import width
from invoicing.services.papers import seller_of
from invoicing.services.sheet_facts import (
    Blocks,
    Fact,
    are_long,
    blocks,
    filled,
    sum_blocks,
)
from invoicing.services.sheet_frame import Frame, compose_frame
from invoicing.services.statement_words import (
    age_labels,
    movement_note,
    movement_text,
    signed,
)
from invoicing.services.statements import LedgerStatement
from invoicing.services.wording import Writer, plain

FIGURE: Final = 25  # millimetres that document.css leaves of a column


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedMovement:
    """A row of the list of movements."""

    day: str
    text: str
    note: str
    raised: str
    lowered: str
    balance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedItem:
    """An invoice that is open; `age` says how long it is overdue."""

    number: str
    issued: str
    due_on: str
    age: str
    total: str
    due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementSheet:
    """The paper of one statement; `words` are its fixed words by English name."""

    frame: Frame
    words: dict[str, str]
    has_long_figures: bool
    opening: str
    opening_label: str
    movements: tuple[PrintedMovement, ...]
    raised: str
    lowered: str
    closing: str
    closing_label: str
    sums: Blocks
    items: tuple[PrintedItem, ...]
    ages: tuple[Fact, ...]
    claim: str


def compose_statement(ledger: LedgerStatement) -> StatementSheet:
    """Return what the paper of a statement says, in the account's language."""
    account, drawn = ledger.account, ledger.statement
    write = Writer.of(account.language, ledger.currency)
    group = ledger.bill_group
    address = group.bill_to_address if group else account.address
    facts = filled(
        (write.say("Account"), account.number),
        (write.say("Bill group"), group.public_id if group else ""),
        (write.say("From"), write.day(drawn.first)),
        (write.say("To"), write.day(drawn.last)),
        (write.say("Currency"), ledger.currency),
    )
    movements = tuple(_movement(write, move) for move in drawn.movements)
    items = tuple(_item(write, item, ledger) for item in ledger.items)
    sums = tuple(_sums(write, drawn.closing))
    opening, closing = drawn.opening.balance, drawn.closing.balance
    raised, lowered = write.amount(drawn.raised), write.amount(drawn.lowered)
    figures = (
        *(write.amount(opening), raised, lowered),
        *_figures(movements, items),
    )
    return StatementSheet(
        frame=compose_frame(
            write,
            title=write.say("Statement of account"),
            mark="",
            seller=seller_of(ledger.legal_entity),
            bill_to=address.as_dict(),
            facts=blocks(facts),
        ),
        words=_words(write),
        has_long_figures=are_long(sums, write.money(closing))
        or any(width(figure) > FIGURE for figure in figures),
        opening=write.amount(opening),
        opening_label=write.say("Balance before {day}", day=write.day(drawn.first)),
        movements=movements,
        raised=raised,
        lowered=lowered,
        closing=write.money(closing),
        closing_label=write.say("Balance on {day}", day=write.day(drawn.last)),
        sums=sum_blocks(sums),
        items=items,
        ages=tuple(
            Fact(label=label, value=write.amount(amount))
            for label, amount in zip(age_labels(write), ledger.ages, strict=True)
        ),
        claim=_claim(write, drawn.closing, ledger.overdue),
    )


def _words(write: Writer) -> dict[str, str]:
    return {
        "date": write.say("Date"),
        "movement": write.say("Movement"),
        "charges": write.say("Charges, {currency}", currency=write.currency),
        "credits": write.say("Credits, {currency}", currency=write.currency),
        "balance": write.say("Balance, {currency}", currency=write.currency),
        "nothing": write.say("Nothing was booked in this time."),
        "open": write.say("Open invoices"),
        "number": write.say("Invoice number"),
        "issued": write.say("Issue date"),
        "due_on": write.say("Due date"),
        "total": write.say("Total"),
        "due": write.say("Open, {currency}", currency=write.currency),
        "age": write.say("What is open by age, in days after the due date"),
    }


def _movement(write: Writer, move: Movement) -> PrintedMovement:
    raised, lowered = signed(move.balance)
    return PrintedMovement(
        day=write.day(move.on),
        text=movement_text(write, move),
        note=movement_note(write, move),
        raised=write.amount(raised) if raised else "",
        lowered=write.amount(lowered) if lowered else "",
        balance=write.amount(move.after.balance),
    )


def _item(write: Writer, item: OpenItem, ledger: LedgerStatement) -> PrintedItem:
    late = item.days_late(ledger.statement.last)
    return PrintedItem(
        number=plain(item.number),
        issued=write.day(item.issue_date),
        due_on=write.day(item.due_date),
        age=write.say("{days} days overdue", days=str(late)) if late else "",
        total=write.amount(item.total),
        due=write.amount(item.due),
    )


def _figures(
    movements: Iterable[PrintedMovement], items: Iterable[PrintedItem]
) -> Iterator[str]:
    for move in movements:
        yield from (move.raised, move.lowered, move.balance)
    for item in items:
        yield from (item.total, item.due)


def _sums(write: Writer, closing: Standing) -> Iterable[Fact]:
    if not closing.held:
        return
    yield Fact(label=write.say("Open invoices"), value=write.amount(closing.due))
    yield Fact(
        label=write.say("Credit balance held for you"),
        value=write.amount(-closing.held),
    )


def _claim(write: Writer, closing: Standing, overdue: Decimal) -> str:
    if overdue:
        return write.say("{amount} is overdue.", amount=write.money(overdue))
    if closing.due:
        return write.say("Nothing is overdue.")
    return write.say("Nothing is open.")
