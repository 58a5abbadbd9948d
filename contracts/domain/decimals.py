"""Decimal numbers as people write them in files: one form, so none is ever guessed.

Digits 0-9 with an optional decimal point between digits: `1234.50`. No sign, exponent,
thousands separator, decimal comma, currency or percent sign; prices and quantities are
not negative (M9). Leading zeros don't change a number and are allowed.
"""

import re
from decimal import Decimal
from typing import Final

from billing.domain.money import EXACT

MAX_DECIMALS: Final = 6
MAX_DIGITS: Final = 12
_LONGEST: Final = 100
_MINUS: Final = ("-", "\u2212")
_SIGNS: Final = "+-\u2212"

_PLAIN: Final = re.compile(r"0*([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_EXPONENT: Final = re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+", re.ASCII)
_BLANKS_AND_APOSTROPHES: Final = re.compile(r"[0-9]['_\s\u2019][0-9]")
_NO_NUMBER: Final = "It is not a number. Write digits with a decimal point: 1234.50."
_NOT_FINITE: Final = frozenset({"nan", "snan", "inf", "infinity"})


class NotANumber(ValueError):
    """A text that isn't a number in the one accepted form; says how to write it."""


def parse_decimal(
    text: str, *, decimals: int = MAX_DECIMALS, digits: int = MAX_DIGITS
) -> Decimal:
    """Return the number a text stands for, as written.

    At most `digits` before the decimal point and `decimals` after it. Raises
    `NotANumber`.

    >>> parse_decimal("1234.50")
    Decimal('1234.50')
    """
    if len(text) > _LONGEST:
        raise NotANumber("It is too long for a number.")
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        raise NotANumber(_what_is_wrong(text))
    if len(plain[1]) > digits:
        raise NotANumber(f"It has more than {digits} digits before the decimal point.")
    if len(plain[2] or "") > decimals:
        raise NotANumber(f"It has more than {decimals} digits after the decimal point.")
    return Decimal(text)


def format_decimal(number: Decimal) -> str:
    """Return a number in its shortest plain form, without exponent.

    >>> [format_decimal(Decimal(text)) for text in ("0.50", "1E+3", "-0.0")]
    ['0.5', '1000', '0']
    """
    return f"{number.normalize(EXACT):f}" if number else "0"


def _what_is_wrong(text: str) -> str:
    unsigned = text.lstrip(_SIGNS)
    if unsigned.lower() in _NOT_FINITE:
        return _NO_NUMBER
    if text.startswith(_MINUS):
        return "It is negative; amounts and quantities are not. Correct it."
    if text.startswith("+"):
        return "Write it without the leading plus."
    if "%" in text:
        return "Write the number of percent without the percent sign."
    if _EXPONENT.fullmatch(text):
        return "Write it out in full, without an exponent."
    if "," in text:
        return (
            "A comma can be a decimal comma or a thousands separator. Write it with "
            "a decimal point and no separators, for example 1234.50."
        )
    if _BLANKS_AND_APOSTROPHES.search(text) or text.count(".") > 1:
        return "Write it without thousands separators, for example 1234.50."
    if any(sign.isdecimal() and not sign.isascii() for sign in text):
        return "Write it with the digits 0-9 and nothing else."
    if any(sign.isdigit() for sign in text):
        return "Write digits with a decimal point only, for example 1234.50."
    return _NO_NUMBER
