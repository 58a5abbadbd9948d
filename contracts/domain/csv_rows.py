"""From the bytes of a contract CSV to contracts, or to everything that is wrong (I5).

One row is one contract line; rows of one contract may stand anywhere in the file. A row
that repeats another cell for cell is refused, for it would be billed twice.

Every faulty row is named with all its faults. Only where a file has more than 100,000
of them, each further row is named with its first one.
"""

from operator import getitem, itemgetter
from typing import Any, BinaryIO, Final

from contracts.domain.csv_columns import (
    LINE_COLUMNS,
    CellReader,
    Fault,
    Header,
    header_errors,
    read_header,
)
from contracts.domain.csv_contracts import ParsedFile
from contracts.domain.csv_file import EMPTY, Row, RowError, read_rows, shown
from contracts.domain.csv_heads import HeadReader
from contracts.domain.csv_lines import Faults, read_line

MAX_LINES: Final = 10_000

_ENOUGH_ERRORS: Final = 100_000


def parse_contracts(source: bytes | BinaryIO) -> ParsedFile:
    """Read a contract CSV completely: its contracts, or else all its errors (I1, I5).

    Raises nothing, whatever bytes the file has.
    """
    errors = _Errors()
    reader: _RowReader | None = None
    for row in read_rows(source):
        if isinstance(row, RowError):
            errors.add(row)
        elif reader:
            reader.read(row)
        elif errors.found:
            break  # what should have been the header couldn't be read
        else:
            header = read_header(row.cells)
            for error in header_errors(header):
                errors.add(error)
            if not header.is_usable:
                break
            reader = _RowReader(header, errors)

    if reader is None and not errors.found:
        errors.report(1, "", "", EMPTY)
    if reader is not None and reader.is_empty and not errors.found:
        errors.report(1, "", "", "The file has a header and no rows below it.")
    if reader is None or errors.found:
        return ParsedFile(errors=tuple(errors.found))
    return ParsedFile(contracts=tuple(reader.heads.contracts()))


class _Errors:
    """The errors found so far, in the order of the rows."""

    def __init__(self) -> None:
        self.found: list[RowError] = []

    def add(self, error: RowError) -> None:
        if len(self.found) < _ENOUGH_ERRORS or self.found[-1].line != error.line:
            self.found.append(error)

    def report(self, line: int, column: str, value: str, message: str) -> None:
        self.add(
            RowError(line=line, column=column, value=shown(value), message=message)
        )


class _RowReader:
    """Reads row after row, each together with what the rows before it said."""

    def __init__(self, header: Header, errors: _Errors) -> None:
        self.heads = HeadReader(header)
        self._header = header
        self._errors = errors
        self._rows: dict[int, int] = {}
        self._readers = [CellReader(column) for column in LINE_COLUMNS]
        self._pick = itemgetter(*(header.position(c.name) for c in LINE_COLUMNS))

    @property
    def is_empty(self) -> bool:
        """Whether there was no row yet."""
        return not self._rows

    def read(self, row: Row) -> None:
        """Add the line of a row to its contract, or the faults of the row."""
        line, cells = row
        width = len(self._header.names)
        if len(cells) == width:
            self._read_cells(line, [*cells, ""])
        else:
            self._errors.report(
                line,
                "",
                ",".join(cells),
                f"This row has {len(cells)} cells, the header {width}. A comma inside "
                "a cell needs double quotes around the cell.",
            )

    def _read_cells(self, line: int, cells: list[str]) -> None:
        head = self.heads.read(line, cells)
        picked = self._pick(cells)
        values = list(map(getitem, self._readers, picked))
        faults = dict(head.faults)
        if Fault in map(type, values):
            _move_faults(values, faults)
        if head.lines is not None:
            # Two different rows with one hash: in one of 10**9 files of the full size.
            first = self._rows.setdefault(hash((id(head.lines), picked)), line)
            if first != line:
                faults.setdefault(
                    "product",
                    f"This row repeats line {first}. Remove it, raise the quantity "
                    "there, or tell the two apart in their descriptions.",
                )
            if len(head.lines) == MAX_LINES:
                faults["contract_number"] = (
                    f"The contract has more than {MAX_LINES:,} lines. Split it."
                )
        parsed = read_line(line, values, head.term, faults)
        if parsed is not None and head.lines is not None:
            head.lines.append(parsed)
        if faults:
            self._report(line, cells, faults)

    def _report(self, line: int, cells: list[str], faults: Faults) -> None:
        for column in sorted(faults, key=self._header.position):
            cell = cells[self._header.position(column)]
            self._errors.report(line, column, cell, faults[column])


def _move_faults(values: list[Any], faults: Faults) -> None:
    """Put None in the place of each fault, and what it says among the faults."""
    for index, value in enumerate(values):
        if type(value) is Fault:
            faults[LINE_COLUMNS[index].name] = value.message
            values[index] = None
