"""A CSV of payments: one row for each, as a bank's list of receipts (M4).

The header names these columns, in any order: `bill_group` (its public id), `amount`,
`currency`, `received_on`, `reference`, and if wanted `invoice` (the number of the one
that the payment pays first). The file is read as contract files are; see `csv_file`.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Final

from billing.domain.money import currency_digits
from contracts.domain.csv_fields import BadCell, calendar_date, currency, identifier
from contracts.domain.csv_fields import text as text_of
from contracts.domain.csv_file import RowError
from contracts.domain.csv_guide import ColumnGuide
from contracts.domain.csv_table import Cells, read_table
from contracts.domain.decimals import parse_decimal

PAYMENT_FILE: Final = (
    ColumnGuide(
        "bill_group", "Public id of who paid", ("BG-000123", "BG-000124"), True
    ),
    ColumnGuide(
        "amount", "More than zero, a point before cents", ("1190.00", "20"), True
    ),
    ColumnGuide("currency", "Three letters, the bill group's", ("EUR",) * 2, True),
    ColumnGuide("received_on", "Day the money came", ("2026-03-02",) * 2, True),
    ColumnGuide(
        "reference",
        "What the bank says of the payment",
        ("SEPA 4711", "SEPA 4712"),
        True,
    ),
    ColumnGuide(
        "invoice",
        "Number of the invoice it pays first; blank: what is due, oldest first",
        ("INV-000042", ""),
    ),
)
MOST_ROWS: Final = 2_000
_PUBLIC_ID: Final = re.compile(r"BG-[0-9]{6,18}", re.ASCII)
_NUMBER: Final = identifier(40)
_REFERENCE: Final = text_of(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """One row of the file; `invoice` is blank where the oldest due is paid first."""

    line: int
    bill_group: str
    amount: Decimal
    currency: str
    received_on: date
    reference: str
    invoice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedPayments:
    """The rows that can be read, and every fault of the others."""

    rows: tuple[PaymentRow, ...]
    errors: tuple[RowError, ...]


def parse_payments(source: bytes | BinaryIO) -> ParsedPayments:
    r"""Read a payments CSV; nothing ambiguous is guessed.

    >>> head = b"bill_group,amount,currency,received_on,reference"
    >>> [row] = parse_payments(head + b"\nBG-000123,12.50,EUR,2026-01-31,R 7\n").rows
    >>> row.bill_group, row.amount, row.invoice
    ('BG-000123', Decimal('12.50'), '')
    """
    rows, errors = read_table(
        source, _read_row, columns=PAYMENT_FILE, most=MOST_ROWS, noun="payments"
    )
    return ParsedPayments(rows=rows, errors=errors)


def _read_row(line: int, cells: Cells) -> PaymentRow:
    code = cells.read("currency", currency, "")
    digits = currency_digits(code) if code else 3

    def amount(cell: str) -> Decimal:
        value = parse_decimal(cell, decimals=digits)
        if not value:
            raise BadCell("A payment is more than zero.")
        return value

    return PaymentRow(
        line=line,
        bill_group=cells.read("bill_group", _public_id, ""),
        amount=cells.read("amount", amount, Decimal(0)),
        currency=code,
        received_on=cells.read("received_on", calendar_date, date.min),
        reference=cells.read("reference", _REFERENCE, ""),
        invoice=cells.read_if_filled("invoice", _NUMBER, ""),
    )


def _public_id(cell: str) -> str:
    if not _PUBLIC_ID.fullmatch(cell):
        raise BadCell("Write the public id of the bill group, for example BG-000123.")
    return cell
