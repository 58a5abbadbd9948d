"""What one cell of a contract CSV can say: parsers from text to value.

A parser gets a text without blanks around it, not empty, and returns its value or
raises `BadCell` with a sentence that says what to write instead. Words and codes are
taken as they are documented, in their case; nothing ambiguous is guessed.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Final, TypeVar

from babel import Locale

from billing.domain.money import UnknownCurrency, is_currency
from contracts.domain.csv_file import shown
from contracts.domain.decimals import NotANumber, parse_decimal
from contracts.domain.rating import InvalidTiers, format_tiers, parse_tiers
from contracts.domain.terms import FIRST_YEAR, LAST_YEAR

FREQUENCIES: Final = {"monthly": 1, "quarterly": 3, "semiannual": 6, "annual": 12}
MAX_TIERS_LENGTH: Final = 1000
CUSTOM_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

T = TypeVar("T")
Parser = Callable[[str], T]

_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,4}")
_EVERY: Final = re.compile(r"every:([0-9]{1,3})")
# Control characters, marks that turn the direction of a text, blanks without width.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\ufff9-\ufffb]"
)
_UNPRINTABLE_IN_LONG_TEXT: Final = re.compile(
    _UNPRINTABLE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b\x0c\x0e-\x1f")
)
_SPREADSHEET_ERRORS: Final = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
)
_SPREADSHEET_NUMBER: Final = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]{2}")
_EMAIL_NAME: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}", re.ASCII)
_EMAIL_HOST: Final = re.compile(r"(?:\w(?:[\w-]{0,61}\w)?\.)+[^\W\d][\w-]{0,61}\w")
# CLDR's two-letter codes that ISO 3166 has not given to a country, but for Kosovo's XK.
_NO_COUNTRIES: Final = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)
_COUNTRY_MISTAKES: Final = {"UK": "GB", "EL": "GR"}


class BadCell(ValueError):
    """A cell that can't be read; the text says what to write instead."""


def text(max_length: int) -> Parser[str]:
    """Return a parser of one line of text; accents are composed (Unicode NFC)."""
    return partial(_checked_text, max_length, _UNPRINTABLE)


def long_text(max_length: int) -> Parser[str]:
    """Return a parser of text that may have tabs and line breaks."""
    return partial(_checked_text, max_length, _UNPRINTABLE_IN_LONG_TEXT)


def identifier(max_length: int) -> Parser[str]:
    """Return a parser of a number that names something, kept as text."""

    def parse(cell: str) -> str:
        if "E+" in cell and _SPREADSHEET_NUMBER.fullmatch(cell):
            raise BadCell(
                "A spreadsheet has rounded this number. Format the column as text "
                "and type the number again."
            )
        return _checked_text(max_length, _UNPRINTABLE, cell)

    return parse


def _checked_text(max_length: int, unprintable: re.Pattern[str], cell: str) -> str:
    value = cell if cell.isascii() else unicodedata.normalize("NFC", cell)
    if len(value) > max_length:
        raise BadCell(f"This has {len(value)} characters; at most {max_length} fit.")
    if not value.isprintable():
        found = unprintable.search(value)
        if found:
            raise BadCell(
                f"There is an invisible character (U+{ord(found[0]):04X}) in it. "
                "Type it again."
            )
    if "\ufffd" in value:
        raise BadCell("A character was lost (shown as \ufffd). Type it again.")
    if value in _SPREADSHEET_ERRORS:
        raise BadCell("This is an error of the spreadsheet. Put in the real value.")
    return value


def calendar_date(cell: str) -> date:
    """Read an ISO date, YYYY-MM-DD."""
    if not _ISO_DATE.fullmatch(cell):
        raise BadCell(_what_is_wrong_with_date(cell))
    try:
        day = date.fromisoformat(cell)
    except ValueError:
        raise BadCell("There is no such day in the calendar.") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadCell(
            f"The year must lie between {FIRST_YEAR} and {LAST_YEAR}. "
            "Leave an end date blank where there is no end."
        )
    return day


def _what_is_wrong_with_date(cell: str) -> str:
    if _ISO_DATE.match(cell):
        return "Leave out everything after the day: YYYY-MM-DD."
    if cell.isdecimal() and len(cell) == 5:
        return "This is a spreadsheet's number of a day. Format it as YYYY-MM-DD."
    return (
        "Write dates as YYYY-MM-DD, for example 2026-01-31; other forms can be read "
        "in more than one way."
    )


def number(cell: str) -> Decimal:
    """Read a quantity or price: not negative, at most 12 digits and 6 decimals."""
    try:
        return parse_decimal(cell)
    except NotANumber as fault:
        raise BadCell(str(fault)) from None


def percent(cell: str) -> Decimal:
    """Read a percentage from 0 to 100 with at most 3 decimals."""
    try:
        value = parse_decimal(cell, decimals=3)
    except NotANumber as fault:
        raise BadCell(str(fault)) from None
    if value > 100:
        raise BadCell("A percentage lies between 0 and 100.")
    return value


def whole_number(low: int, high: int) -> Parser[int]:
    """Return a parser of a whole number within bounds, both included."""

    def parse(cell: str) -> int:
        if not _WHOLE_NUMBER.fullmatch(cell) or not low <= int(cell) <= high:
            raise BadCell(f"Write a whole number from {low} to {high}.")
        return int(cell)

    return parse


def word(words: Mapping[str, T]) -> Parser[T]:
    """Return a parser of one of a few words."""
    allowed = f"Write one of: {', '.join(words)}."

    def parse(cell: str) -> T:
        try:
            return words[cell]
        except KeyError:
            raise BadCell(allowed) from None

    return parse


def frequency(cell: str) -> int:
    """Read how often a line is billed, in months (P2)."""
    if cell in FREQUENCIES:
        return FREQUENCIES[cell]
    every = _EVERY.fullmatch(cell)
    if every and 1 <= int(every[1]) <= 60:
        return int(every[1])
    raise BadCell(
        f"Write one of: {', '.join(FREQUENCIES)}, or every:N with N months from 1 to "
        "60, for example every:18."
    )


def currency(cell: str) -> str:
    """Read a currency that invoices can be made in (M1)."""
    if is_currency(cell):
        return cell
    raise BadCell(str(UnknownCurrency(shown(cell))))


def country(cell: str) -> str:
    """Read an ISO 3166 alpha-2 code (and XK, which ISO leaves to its users)."""
    if cell in _countries():
        return cell
    if cell in _COUNTRY_MISTAKES:
        raise BadCell(f"The ISO code of this country is {_COUNTRY_MISTAKES[cell]}.")
    raise BadCell("Write the ISO code of two capital letters, for example DE or US.")


@cache
def _countries() -> frozenset[str]:
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2) - _NO_COUNTRIES


def email(cell: str) -> str:
    """Read one mail address."""
    name, _, host = cell.partition("@")
    if (
        len(cell) > 254
        or "_" in host
        or not _EMAIL_NAME.fullmatch(name)
        or not _EMAIL_HOST.fullmatch(host)
        or name[0] == "."
        or name[-1] == "."
        or ".." in name
    ):
        raise BadCell("Write one mail address, for example billing@example.com.")
    return cell


def tiers(cell: str) -> str:
    """Read the tiers of a usage line and return their canonical text (P9)."""
    if len(cell) > MAX_TIERS_LENGTH:
        raise BadCell(f"Tiers have at most {MAX_TIERS_LENGTH} characters.")
    try:
        return format_tiers(*parse_tiers(cell))
    except InvalidTiers as fault:
        raise BadCell(str(fault)) from None
