"""Statements as files: a PDF in the account's language, and a CSV with every figure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from django.template.loader import render_to_string

from billing.domain.money import plain_amount
from customfields.domain.csv_cells import csv_line, plain_text
from invoicing.services.rendering import render
from invoicing.services.statement_sheet import compose_statement
from invoicing.services.statement_words import movement_note, movement_text
from invoicing.services.statements import LedgerStatement
from invoicing.services.wording import Writer

TEMPLATE: Final = "invoicing/documents/statement.html"
MOST_PRINTED: Final = 2_000
COLUMNS: Final = (
    "legal_entity", "currency", "date", "kind", "text", "note", "document",
    "received_on", "due_change", "balance_held_change", "due", "balance_held",
    "account_balance",
)  # fmt: skip


class TooLongToPrint(ValueError):
    """A range with more rows than a paper can have."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"The range has {rows:,} rows, and a PDF has at most {MOST_PRINTED:,}. "
            "Choose a shorter range or one bill group, or take the CSV file."
        )


def statement_html(statements: Sequence[LedgerStatement]) -> str:
    """Return the papers of statements as HTML, each begins on a page of its own."""
    sheets = [compose_statement(ledger) for ledger in statements]
    return render_to_string(TEMPLATE, {"sheets": sheets})


def statement_pdf(statements: Sequence[LedgerStatement]) -> bytes:
    """Return the papers of statements as one PDF; nothing is stored.

    Raises `TooLongToPrint`, `PangoMissing` and `GlyphsMissing`.
    """
    rows = sum(len(one.statement.movements) + len(one.items) for one in statements)
    if rows > MOST_PRINTED:
        raise TooLongToPrint(rows)
    return render(statement_html(statements))


def statement_csv(statements: Sequence[LedgerStatement]) -> Iterator[str]:
    """Yield the lines of a CSV file: opening, movements and closing of each ledger.

    Amounts are plain decimals, dates ISO; due and held stand apart and together.
    """
    yield _line(COLUMNS)
    for ledger in statements:
        drawn = ledger.statement
        whose = (ledger.legal_entity.name, ledger.currency)
        write = Writer.of(ledger.account.language, ledger.currency)

        def amounts(*given: Decimal, code: str = ledger.currency) -> tuple[str, ...]:
            return tuple(plain_amount(amount, code) for amount in given)

        opening, closing = drawn.opening, drawn.closing
        yield _line(
            (*whose, drawn.first.isoformat(), "OPENING", *[""] * 6),
            amounts(opening.due, opening.held, opening.balance),
        )
        for move in drawn.movements:
            received = move.document.received_on
            after = move.after
            yield _line(
                (
                    *(*whose, move.on.isoformat(), move.kind.value),
                    movement_text(write, move),
                    movement_note(write, move).replace("\u00a0", " "),
                    move.document.name,
                    received.isoformat() if received else "",
                ),
                amounts(move.due, move.held, after.due, after.held, after.balance),
            )
        yield _line(
            (*whose, drawn.last.isoformat(), "CLOSING", *[""] * 6),
            amounts(closing.due, closing.held, closing.balance),
        )


def _line(texts: Sequence[str], figures: Sequence[str] = ()) -> str:
    """Return a line; a text that a spreadsheet would run begins with an apostrophe."""
    return csv_line((*map(plain_text, texts), *figures))
