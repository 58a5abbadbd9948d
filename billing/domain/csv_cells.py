"""Texts for the cells of CSV files that people open in a spreadsheet."""

from typing import Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def plain_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    >>> plain_text("Halden"), plain_text("=HYPERLINK(1)")
    ('Halden', "'=HYPERLINK(1)")
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
