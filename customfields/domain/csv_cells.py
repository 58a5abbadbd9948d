"""Cells and lines of CSV files that people open in spreadsheets.

A text that a spreadsheet would run as a formula is written with an apostrophe before
it. One that begins with apostrophes before such a text gets one more, so that reading
takes away just what writing has added.
"""

import csv
import re
from collections.abc import Iterable
from io import StringIO
from typing import Final

_FORMULA: Final = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def plain_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    >>> plain_text("Halden"), plain_text("=HYPERLINK(1)")
    ('Halden', "'=HYPERLINK(1)")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def read_text(cell: str) -> str:
    """Return the text that `plain_text` has written.

    >>> read_text("'=HYPERLINK(1)"), read_text("'t Hof")
    ('=HYPERLINK(1)', "'t Hof")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def csv_line(cells: Iterable[str]) -> str:
    r"""Return cells as a line of a file, with its end.

    >>> csv_line(["Halden, Oslo", "12.50"])
    '"Halden, Oslo",12.50\r\n'
    """
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
