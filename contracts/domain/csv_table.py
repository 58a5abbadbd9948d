"""A CSV with a fixed set of columns: its header, and the cells of a row by column.

Files of usage and of payments are such tables; `csv_file` splits them into rows.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, TypeVar

from contracts.domain.csv_fields import BadCell
from contracts.domain.csv_file import EMPTY, MAX_ROWS, Row, RowError, read_rows, shown
from contracts.domain.csv_guide import ColumnGuide
from contracts.domain.decimals import NotANumber

T = TypeVar("T")


def read_table(
    source: bytes | BinaryIO,
    read_row: Callable[[int, "Cells"], T],
    *,
    columns: Sequence[ColumnGuide],
    most: int = MAX_ROWS,
    noun: str = "rows",
) -> tuple[tuple[T, ...], tuple[RowError, ...]]:
    """Return the rows that can be read, and every fault of the others.

    `read_row` makes a row of its line and cells. A header that is wrong ends it, and
    so does a row more than `most`.
    """
    rows: list[T] = []
    errors: list[RowError] = []
    header: list[str] | None = None
    for row in read_rows(source):
        if isinstance(row, RowError):
            errors.append(row)
        elif header is None:
            header = [name.strip() for name in row.cells]
            errors.extend(_header_errors(row.line, header, columns))
            if errors:
                break
        elif len(rows) == most:
            message = f"A file takes {most:,} {noun} at most. Divide it."
            errors.append(RowError(line=row.line, column="", value="", message=message))
            break
        elif fault := _width_error(row, header):
            errors.append(fault)
        else:
            cells = Cells(row, header)
            made = read_row(row.line, cells)
            errors.extend(cells.errors)
            if not cells.errors:
                rows.append(made)
    if not errors and not rows:
        message = EMPTY if header is None else "The file has no row below the header."
        errors.append(RowError(line=1, column="", value="", message=message))
    return tuple(rows), tuple(errors)


def _header_errors(
    line: int, header: list[str], columns: Sequence[ColumnGuide]
) -> Iterator[RowError]:
    """Yield each column that is missing, doubled or unknown."""
    known = [column.name for column in columns]
    for column in columns:
        count = header.count(column.name)
        if count > 1 or (count == 0 and column.is_required):
            what = "is missing" if count == 0 else f"stands there {count} times"
            yield RowError(
                line=line,
                column=column.name,
                value="",
                message=f"The column {column.name} {what}. The columns are: "
                f"{', '.join(known)}.",
            )
    for name in header:
        if name not in known:
            yield RowError(
                line=line,
                column=shown(name),
                value="",
                message="This column is not known. Remove it, or correct its name. "
                f"The columns are: {', '.join(known)}.",
            )


def _width_error(row: Row, header: list[str]) -> RowError | None:
    """Return the fault of a row that has more or fewer cells than the header."""
    if len(row.cells) == len(header):
        return None
    message = (
        f"This row has {len(row.cells)} cells, the header {len(header)}. A comma "
        "inside a cell needs quotes around the cell."
    )
    return RowError(line=row.line, column="", value="", message=message)


class Cells:
    """The cells of a row by column, and what is wrong with those read so far."""

    def __init__(self, row: Row, header: list[str]) -> None:
        self._line = row.line
        self._cells = dict(zip(header, row.cells, strict=True))
        self.errors: list[RowError] = []

    def read(self, column: str, parse: Callable[[str], T], otherwise: T) -> T:
        """Return what a cell says, or note its fault and return `otherwise`."""
        cell = self._cells[column].strip()
        try:
            return parse(_filled(cell))
        except (BadCell, NotANumber) as fault:
            self.errors.append(
                RowError(
                    line=self._line,
                    column=column,
                    value=shown(cell),
                    message=str(fault),
                )
            )
            return otherwise

    def read_if_filled(self, column: str, parse: Callable[[str], T], otherwise: T) -> T:
        """Return what a cell says; `otherwise` where it or its column is not there."""
        if not self._cells.get(column, "").strip():
            return otherwise
        return self.read(column, parse, otherwise)


def _filled(cell: str) -> str:
    if not cell:
        raise BadCell("This cell must be filled in.")
    return cell
