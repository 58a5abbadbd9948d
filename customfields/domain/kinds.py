"""The seven types of a custom field: text to stored value and back, and nothing else.

A stored value is what JSON on the owner keeps: `bool` for yes/no, `str` for all else
(numbers as plain decimals without trailing zeros, dates as YYYY-MM-DD, texts composed
to Unicode NFC). There is one stored form for each value, so stored values can be
compared and searched for as they are, and `parse(kind, show(kind, v))` is `v`.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Context, Decimal
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

Stored = str | bool

MAX_TEXT: Final = 500
MAX_LONG_TEXT: Final = 5_000
MAX_URL: Final = 2_000
MAX_DIGITS: Final = 15
MAX_DECIMALS: Final = 6
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200

_EXACT: Final = Context(prec=MAX_DIGITS + MAX_DECIMALS)
_NUMBER: Final = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NEWLINE: Final = re.compile(r"\r\n?")
_OUTER_BLANKS: Final = (
    " \t\r\n\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u202f\u205f\u3000"
)
# Signs that are no blanks, but of which nothing is seen where they stand alone.
_SHOWS_NOTHING: Final = dict.fromkeys(
    map(ord, "\u115f\u1160\u180b\u180c\u180d\u180e\u200c\u200d\u2800\u3164\uffa0\ufe0f")
)
# Control characters, marks that turn the direction of a text, blanks without width.
_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\ufff9-\ufffb]"
)
_INVISIBLE_IN_LONG_TEXT: Final = re.compile(
    _INVISIBLE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f")
)
_NOT_IN_URL: Final = re.compile(r"""[\s"<>\\^`{|}]""")
_YES_NO: Final = {"yes": True, "true": True, "no": False, "false": False}
_CHOICES_NAMED: Final = 10


class Kind(StrEnum):
    """The type of a custom field; it never changes."""

    TEXT = "TEXT"
    LONG_TEXT = "LONG_TEXT"
    NUMBER = "NUMBER"
    DATE = "DATE"
    YES_NO = "YES_NO"
    CHOICE = "CHOICE"
    URL = "URL"


class InvalidValue(ValueError):
    """A value that its field can't hold; the text says what to write instead."""


def is_blank(text: str) -> bool:
    """Return whether a text stands for no value at all."""
    return not text.translate(_SHOWS_NOTHING).strip(_OUTER_BLANKS)


def parse(kind: Kind, text: str, *, choices: Sequence[str] = ()) -> Stored:
    """Return the stored value that a text of a form or file stands for.

    `choices` are those of a choice field. Raises `InvalidValue`, for a blank text too.

    >>> parse(Kind.NUMBER, " 12.50 "), parse(Kind.YES_NO, "Yes")
    ('12.5', True)
    """
    value = text if text.isascii() else unicodedata.normalize("NFC", text)
    value = value.strip(_OUTER_BLANKS)
    if is_blank(value):
        raise InvalidValue("It is blank. Write a value.")
    match kind:
        case Kind.TEXT:
            return _line(value, MAX_TEXT)
        case Kind.LONG_TEXT:
            return _long_text(value)
        case Kind.NUMBER:
            return _number(value)
        case Kind.DATE:
            return _date(value)
        case Kind.YES_NO:
            return _yes_no(value)
        case Kind.CHOICE:
            return _choice(value, choices)
        case Kind.URL:
            return _url(value)


def check(kind: Kind, stored: object, *, choices: Sequence[str] = ()) -> Stored:
    """Return a stored value if it is in its one stored form; raises `InvalidValue`."""
    value = parse(kind, show(kind, stored), choices=choices)
    if type(value) is not type(stored) or value != stored:
        raise InvalidValue(f"It is stored as {stored!r} instead of {value!r}.")
    return value


def show(kind: Kind, stored: object) -> str:
    """Return a stored value as forms and files write it; never fails.

    >>> show(Kind.YES_NO, True), show(Kind.DATE, "2026-03-02")
    ('yes', '2026-03-02')
    """
    if kind is Kind.YES_NO and isinstance(stored, bool):
        return "yes" if stored else "no"
    return str(stored)


def check_length(text: str, longest: int) -> None:
    """Refuse a text of more characters than fit; raises `InvalidValue`."""
    if len(text) > longest:
        raise InvalidValue(f"It has {len(text)} characters; at most {longest} fit.")


def _line(value: str, longest: int) -> str:
    _refuse_invisible(value, _INVISIBLE)
    check_length(value, longest)
    return value


def _long_text(value: str) -> str:
    value = _NEWLINE.sub("\n", value)
    _refuse_invisible(value, _INVISIBLE_IN_LONG_TEXT)
    check_length(value, MAX_LONG_TEXT)
    return value


def _refuse_invisible(value: str, invisible: re.Pattern[str]) -> None:
    if value.isprintable() and "\ufffd" not in value:
        return
    found = invisible.search(value)
    if found and found[0] in "\t\n\r":
        raise InvalidValue("It has a tab or line break in it. Write it on one line.")
    if found:
        raise InvalidValue(
            f"There is an invisible character (U+{ord(found[0]):04X}) in it. "
            "Type it again."
        )
    if "\ufffd" in value:
        raise InvalidValue("A character was lost (shown as \ufffd). Type it again.")


def _number(value: str) -> str:
    written = _NUMBER.fullmatch(value)
    if written is None:
        raise InvalidValue(_what_is_wrong_with_number(value))
    if len(written[1].lstrip("0")) > MAX_DIGITS:
        raise InvalidValue(f"It has more than {MAX_DIGITS} digits before the point.")
    if len(written[2] or "") > MAX_DECIMALS:
        raise InvalidValue(f"It has more than {MAX_DECIMALS} digits after the point.")
    number = Decimal(value)
    return f"{number.normalize(_EXACT):f}" if number else "0"


def _what_is_wrong_with_number(value: str) -> str:
    if "," in value:
        return (
            "A comma can be a decimal comma or a thousands separator. Write it with "
            "a decimal point and no separators, for example 1234.5."
        )
    return "It is not a number. Write digits with a decimal point, for example 1234.5."


def _date(value: str) -> str:
    if not _ISO_DATE.fullmatch(value):
        raise InvalidValue(
            "Write dates as YYYY-MM-DD, for example 2026-01-31; other forms can be "
            "read in more than one way."
        )
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidValue("There is no such day in the calendar.") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidValue(f"The year lies between {FIRST_YEAR} and {LAST_YEAR}.")
    return value


def _yes_no(value: str) -> bool:
    try:
        return _YES_NO[value.lower()]
    except KeyError:
        raise InvalidValue("Write yes or no.") from None


def _choice(value: str, choices: Sequence[str]) -> str:
    if value in choices:
        return value
    named = ", ".join(choices[:_CHOICES_NAMED])
    if len(choices) > _CHOICES_NAMED:
        named += f" or one of {len(choices) - _CHOICES_NAMED} more"
    raise InvalidValue(f"It is not one of the choices. Write one of: {named}.")


def _url(value: str) -> str:
    value = _line(value, MAX_URL)
    if _NOT_IN_URL.search(value):
        raise InvalidValue("A web address has no blanks, quotes or brackets in it.")
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
        parts = urlsplit("")
    if not value.lower().startswith(("http://", "https://")):
        raise InvalidValue("Start the web address with https:// or http://.")
    if not has_host:
        raise InvalidValue(
            "It is not a web address. Write it like https://portal.example.com/path."
        )
    if "@" in parts.netloc:
        raise InvalidValue("Leave user name and password out of the web address.")
    return value
