"""A usage CSV: one row for what was used of a contract line on a day (P9).

The header names exactly these columns, in any order: `contract_number`, `line` (the
lines of a contract count from 1), `usage_date`, `quantity`, `idempotency_key`. The file
itself is read as contract files are; see `csv_file`.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Final

from contracts.domain.csv_fields import BadCell, calendar_date, identifier
from contracts.domain.csv_file import RowError
from contracts.domain.csv_guide import ColumnGuide
from contracts.domain.csv_table import Cells, read_table
from contracts.domain.decimals import parse_decimal

USAGE_FILE: Final = (
    ColumnGuide("contract_number", "Number of the contract", ("C-1002",) * 2, True),
    ColumnGuide("line", "Which line of it, counted from 1", ("1",) * 2, True),
    ColumnGuide("usage_date", "Day it was used", ("2026-01-15", "2026-01-31"), True),
    ColumnGuide("quantity", "How much", ("120", "12.5"), True),
    ColumnGuide(
        "idempotency_key",
        "Any text of your own, another for each record: the same key and data again "
        "changes nothing",
        ("meter-7-0115", "meter-7-0131"),
        True,
    ),
)
_POSITION: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_LAST_POSITION: Final = 32_767
_NUMBER: Final = identifier(100)
_KEY: Final = identifier(200)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """One row of the file; `line` is where it stands, `position` the contract's."""

    line: int
    contract_number: str
    position: int
    usage_date: date
    quantity: Decimal
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedUsage:
    """The rows that can be read, and every fault of the others."""

    rows: tuple[UsageRow, ...]
    errors: tuple[RowError, ...]


def parse_usage(source: bytes | BinaryIO) -> ParsedUsage:
    r"""Read a usage CSV; nothing ambiguous is guessed.

    >>> head = b"contract_number,line,usage_date,quantity,idempotency_key"
    >>> [row] = parse_usage(head + b"\nC-1,2,2026-01-31,12.5,jan-7\n").rows
    >>> row.position, str(row.usage_date), row.quantity
    (2, '2026-01-31', Decimal('12.5'))
    """
    rows, errors = read_table(source, _read_row, columns=USAGE_FILE)
    return ParsedUsage(rows=rows, errors=errors)


def _read_row(line: int, cells: Cells) -> UsageRow:
    return UsageRow(
        line=line,
        contract_number=cells.read("contract_number", _NUMBER, ""),
        position=cells.read("line", _position, 0),
        usage_date=cells.read("usage_date", calendar_date, date.min),
        quantity=cells.read("quantity", parse_decimal, Decimal(0)),
        idempotency_key=cells.read("idempotency_key", _KEY, ""),
    )


def _position(cell: str) -> int:
    if not _POSITION.fullmatch(cell) or int(cell) > _LAST_POSITION:
        raise BadCell("Write the number of the line on its contract: 1, 2, 3.")
    return int(cell)
