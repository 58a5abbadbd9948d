"""From the bytes of a CSV file to its rows, refusing what is not a plain CSV file.

Accepted is one dialect: UTF-8 with or without byte order mark, comma between cells,
double quotes around cells that need them, any line end. Nothing else is guessed.

`line` counts records as a spreadsheet numbers its rows: the header is line 1, a cell
with line breaks inside doesn't count twice, blank rows count and are skipped.

The file is at most 50 MB and 200,000 rows; rows are parsed one at a time, so memory
stays proportional to the file.
"""

import csv
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import BinaryIO, Final, NamedTuple

EMPTY: Final = "The file is empty."
MAX_BYTES: Final = 50_000_000
MAX_ROWS: Final = 200_000
MAX_ROW_CHARACTERS: Final = 100_000  # below the limit that the csv module has

_CHUNK: Final = 1_000_000
_HEADER_BYTES: Final = 1000
_SHOWN_CHARACTERS: Final = 100
_MAX_REREAD_CHARACTERS: Final = 10_000_000
_SAVE_AS: Final = "Open it in your spreadsheet and save it as “CSV UTF-8”."
_FOREIGN: Final = (
    (b"PK\x03\x04", f"It is an Excel workbook or a zip archive. {_SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"It is an old Excel workbook. {_SAVE_AS}"),
    (b"%PDF", "It is a PDF. Export the data itself as “CSV UTF-8”."),
    (b"\x1f\x8b", "It is compressed with gzip. Unpack it first."),
    (b"\xff\xfe", f"It is saved as UTF-16 (“Unicode text”). {_SAVE_AS}"),
    (b"\xfe\xff", f"It is saved as UTF-16 (“Unicode text”). {_SAVE_AS}"),
)
# Column names are plain text; no header begins with anything but a letter.
_NO_TEXT: Final = re.compile(rb"[\x80-\xff]|[^\n]*[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """A fault of the file: where it is, what stands there, and what to do.

    `column` is blank where a whole row or the whole file (line 1) is at fault. `value`
    is shortened and printable, so that it can be shown and stored as it is.
    """

    line: int
    column: str
    value: str
    message: str


class Row(NamedTuple):
    """The cells of one record, as they stand in the file."""

    line: int
    cells: list[str]


def shown(value: str) -> str:
    """Return a value from a file shortened and printable.

    >>> shown("a" * 200) == "a" * 99 + "…"
    True
    """
    if len(value) > _SHOWN_CHARACTERS:
        value = value[: _SHOWN_CHARACTERS - 1] + "…"
    return value if value.isprintable() else "".join(map(_printable, value))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    if ord(character) < 32:
        return chr(0x2400 + ord(character))  # the picture that Unicode has for it
    return " " if character.isspace() else "\ufffd"


def read_rows(source: bytes | BinaryIO) -> Iterator[Row | RowError]:
    """Yield the rows of a CSV file in order, the header first, faulty ones as errors.

    A file that can't be read at all yields one error and no row; a file with bytes that
    are not UTF-8 an error for each cell that has some, and no row; a file of blank rows
    nothing.
    """
    data = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    refusal = _refusal(data)
    if refusal:
        yield _file_error(refusal)
    elif _is_clean_text(data):
        yield from _rows(data)
    else:
        yield from _unreadable_cells(data)


def _file_error(message: str) -> RowError:
    return RowError(line=1, column="", value="", message=message)


def _refusal(data: bytes) -> str | None:
    text = data[:_HEADER_BYTES].removeprefix(BOM_UTF8)
    if not text:
        return EMPTY
    if len(data) > MAX_BYTES:
        return "The file has more than 50 MB. Split it by contracts."
    for signature, complaint in _FOREIGN:
        if data.startswith(signature):
            return f"This is not a CSV file. {complaint}"
    if _NO_TEXT.match(text):
        guess = " (it may be UTF-16)" if b"\0" in text else ""
        return f"This is not a text in UTF-8{guess}. {_SAVE_AS}"
    return None


def _is_clean_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    text = _lines(data, errors="strict")
    try:
        while text.read(_CHUNK):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _lines(data: bytes, *, errors: str) -> TextIOWrapper:
    return TextIOWrapper(BytesIO(data), encoding="utf-8-sig", errors=errors, newline="")


def _unreadable_cells(data: bytes) -> Iterator[RowError]:
    """Name every cell with bytes that are no text, and rows that can't be split."""
    header: list[str] = []
    for row in _rows(data, errors="surrogateescape"):
        if isinstance(row, RowError):
            yield row
            continue
        header = header or [shown(name.strip()) for name in row.cells]
        for index, cell in enumerate(row.cells):
            complaint = _complaint_about(cell)
            if complaint:
                yield RowError(
                    line=row.line,
                    column=header[index] if index < len(header) else "",
                    value=shown(_as_windows_1252(cell)),
                    message=complaint,
                )


def _complaint_about(cell: str) -> str | None:
    if "\0" in cell:
        return "There is a NUL byte in this cell. Type the cell again."
    if any("\udc80" <= character <= "\udcff" for character in cell):
        return (
            "This is not UTF-8; the file was probably saved as Windows-1252 or "
            f"Latin-1. {_SAVE_AS}"
        )
    return None


def _as_windows_1252(cell: str) -> str:
    return cell.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


class _PhysicalLines:
    """The lines of the file; those of the current record are kept.

    Where a quote that is never closed swallows rows, reading goes on with the line
    after the one it opens in, as if the quote had not been there.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: list[str] = []
        self._may_reread = _MAX_REREAD_CHARACTERS
        self.taken: list[str] = []
        self.characters = 0

    def __iter__(self) -> "_PhysicalLines":
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._lines)
        self.taken.append(line)
        self.characters += len(line)
        if self.characters > MAX_ROW_CHARACTERS:
            raise csv.Error
        return line

    def begin_record(self) -> None:
        self.taken.clear()
        self.characters = 0

    def give_back_all_but_first(self) -> bool:
        """Have the record's further lines read again; False when that is too much."""
        self._may_reread -= self.characters - len(self.taken[0])
        self._again.extend(reversed(self.taken[1:]))
        return self._may_reread >= 0


def _rows(data: bytes, *, errors: str = "strict") -> Iterator[Row | RowError]:
    lines = _PhysicalLines(_lines(data, errors=errors))
    reader = csv.reader(lines, strict=True)
    header: list[str] = []
    line = 0
    while True:
        line += 1
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield _unsplittable(line, lines.taken, header)
            if not lines.give_back_all_but_first():
                yield _stopped_at(line)
                return
            continue
        if line > MAX_ROWS + 1:
            yield _too_many_rows(line)
            return
        if any(map(str.strip, cells)):
            header = header or cells
            yield Row(line, cells)


def _unsplittable(line: int, taken: list[str], header: list[str]) -> RowError:
    first = taken[0]
    if len(first) > MAX_ROW_CHARACTERS:
        message = "This row has more than 100,000 characters. Shorten it."
        return RowError(line=line, column="", value=shown(first), message=message)

    cells = next(csv.reader([first]))
    if len(taken) == 1 and first.count('"') % 2 == 0:
        message = (
            "A quote inside a cell must be written twice, as in "
            '"17"" screen", and the cell in quotes.'
        )
        return RowError(line=line, column="", value=shown(first), message=message)
    index = len(cells) - 1
    message = (
        "A quote opens in this row and is not closed properly. Close it at the end of "
        "the cell, or remove it."
    )
    return RowError(
        line=line,
        column=shown(header[index].strip()) if index < len(header) else "",
        value=shown(cells[index].strip()),
        message=message,
    )


def _stopped_at(line: int) -> RowError:
    message = "Too many quotes are never closed: the rows from here on were not read."
    return RowError(line=line, column="", value="", message=message)


def _too_many_rows(line: int) -> RowError:
    message = f"The file has more than {MAX_ROWS:,} rows. Split it by contracts."
    return RowError(line=line, column="", value="", message=message)
