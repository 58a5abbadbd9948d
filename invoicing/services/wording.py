"""How figures, dates, periods and addresses are written on papers.

Words come from `languages`. Digits of money come from ISO 4217 (`currency_digits`),
never from CLDR, which rounds some currencies for display. Nothing here passes through a
float. Dates name the month, so that no reader can take the day for it.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from babel import Locale
from babel.numbers import format_decimal

from billing.domain.address import Address
from billing.domain.money import currency_digits
from invoicing.services.languages import language_of, words
from invoicing.services.lettering import is_in_fonts

MOST_DECIMALS: Final = 6

# Countries that write the city before the region and the postal code.
_CITY_FIRST: Final = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "SG", "US", "ZA"})
_NO_BREAK_SPACE: Final = "\u00a0"
_TO: Final = "\u2013"
_NOT_PRINTED: Final = re.compile(
    # Control characters, those that turn the direction of what follows them, those of
    # private use, emoji.
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    r"\ufe0f\ue000-\uf8ff\U000f0000-\U0010ffff\U0001f000-\U0001faff]"
)
# Where signs stand that may be emoji too: a star, a check mark, the frame of a keycap.
_MAYBE_EMOJI: Final = re.compile(r"[\u20e3\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff]")


def plain(text: str) -> str:
    r"""Return a typed text without what would disturb the paper around it.

    >>> plain("Blue\u202e box\x07"), plain("Gold \u2b50"), plain("\u2713 paid")
    ('Blue box', 'Gold', '\u2713 paid')
    """
    printed = _NOT_PRINTED.sub(
        lambda sign: " " if sign[0] in "\t\v\f\u2028\u2029" else "",
        text.replace("\r\n", "\n").replace("\r", "\n"),
    )
    return _MAYBE_EMOJI.sub(
        lambda sign: sign[0] if is_in_fonts(sign[0]) else "", printed
    ).strip()


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes figures and dates in a language, and money in a currency."""

    locale: Locale
    currency: str

    @classmethod
    def of(cls, language: str, currency: str) -> "Writer":
        """Return the writer of a language, or of English where it is not known."""
        return cls(Locale.parse(language_of(language)), currency)

    def say(self, message: str, **values: str) -> str:
        """Return an English message in the language, its `{names}` filled in.

        >>> Writer.of("de", "EUR").say("Contract {number}", number="C-1")
        'Vertrag C-1'
        """
        said = words(self.locale.language).get(message, message)
        return said.format(**values)

    def amount(self, amount: Decimal) -> str:
        """Write an amount with the digits of the currency, without its code.

        >>> Writer.of("en", "KWD").amount(Decimal("16350.6"))
        '16,350.600'
        """
        digits = currency_digits(self.currency)
        return self._decimal(amount, at_least=digits, at_most=digits)

    def money(self, amount: Decimal) -> str:
        r"""Write an amount with the code of its currency.

        >>> Writer.of("en", "JPY").money(Decimal(1200))
        '1,200\xa0JPY'
        """
        return f"{self.amount(amount)}{_NO_BREAK_SPACE}{self.currency}"

    def price(self, price: Decimal) -> str:
        """Write a unit price: with the currency's digits, or more if it has more."""
        return self._decimal(
            price, at_least=currency_digits(self.currency), at_most=MOST_DECIMALS
        )

    def number(self, number: Decimal) -> str:
        """Write a quantity with no more digits than it has."""
        return self._decimal(number, at_least=0, at_most=MOST_DECIMALS)

    def percent(self, percent: Decimal) -> str:
        """Write a rate, for example `19 %`."""
        return f"{self.number(percent)}{_NO_BREAK_SPACE}%"

    def day(self, day: date) -> str:
        """Write a date.

        >>> Writer.of("en", "EUR").day(date(2026, 3, 2))
        '2 Mar 2026'
        """
        return self.say(
            "{day} {month} {year}",
            day=str(day.day),
            month=self._month(day),
            year=str(day.year),
        )

    def period(self, start: date, end: date) -> str:
        """Write inclusive dates without saying month or year twice.

        >>> write = Writer.of("en", "EUR")
        >>> write.period(date(2026, 1, 31), date(2026, 1, 31))
        '31 Jan 2026'
        """
        if start == end:
            return self.day(start)
        if (start.year, start.month) == (end.year, end.month):
            first = self.say("{day}", day=str(start.day))
            return f"{first}{_TO}{self.day(end)}"
        if start.year == end.year:
            first = self.say(
                "{day} {month}", day=str(start.day), month=self._month(start)
            )
            return f"{first} {_TO} {self.day(end)}"
        return f"{self.day(start)} {_TO} {self.day(end)}"

    def address(self, address: Address) -> tuple[str, ...]:
        """Return the lines of a postal address below its name, blank ones left out."""
        if address.country in _CITY_FIRST:
            area = " ".join(
                part for part in (address.region, address.postal_code) if part
            )
            town = [", ".join(part for part in (address.city, area) if part)]
        else:
            coded = " ".join(
                part for part in (address.postal_code, address.city) if part
            )
            town = [coded, address.region]
        country = self.locale.territories.get(address.country, address.country)
        lines = (address.line1, address.line2, *town, country)
        return tuple(line for line in map(plain, lines) if line)

    def _month(self, day: date) -> str:
        return str(self.locale.months["format"]["abbreviated"][day.month])

    def _decimal(self, number: Decimal, *, at_least: int, at_most: int) -> str:
        pattern = "#,##0"
        if at_most:
            pattern += f".{'0' * at_least}{'#' * (at_most - at_least)}"
        written = format_decimal(number, format=pattern, locale=self.locale)
        # The paper's font has one no-break space, the plain one.
        return written.replace("-", "\u2212").replace("\u202f", _NO_BREAK_SPACE)
