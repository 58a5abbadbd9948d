"""How billing's values are shown: on admin pages, in lists and on papers.

Amounts stand with the digits of their currency (ISO 4217) and the code in a column of
its own, dates as `2 Mar 2026`, negative figures with a true minus sign.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.domain import dates
from billing.domain.money import round_money

NOTHING: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"


def day_text(day: date | None) -> str:
    """Write a date as people read it, whatever the locale; a dash for none.

    >>> day_text(date(2026, 3, 2))
    '2 Mar 2026'
    """
    if day is None:
        return NOTHING
    return dates.day_text(day)


def instant_text(at: datetime | None, time_zone: str = "") -> str:
    """Write an instant to the minute, in a time zone or else the current one."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at, ZoneInfo(time_zone) if time_zone else None)
    return f"{day_text(local.date())}, {local:%H:%M}"


def money_text(amount: Decimal, currency: str) -> str:
    """Write an amount with the currency's digits, without its code.

    >>> money_text(Decimal("16350.6"), "EUR"), money_text(Decimal(1200), "JPY")
    ('16,350.60', '1,200')
    """
    return f"{round_money(amount, currency):,f}".replace("-", MINUS)


def number_text(value: Decimal | None) -> str:
    """Write a quantity or a price per unit without trailing zeros.

    >>> number_text(Decimal("1250.500000")), number_text(Decimal("100"))
    ('1,250.5', '100')
    """
    if value is None:
        return NOTHING
    text = f"{value:,f}".replace("-", MINUS)
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_text(value: Decimal | None, currency: str) -> str:
    """Write a unit price: the currency's digits, and more where it has more.

    >>> price_text(Decimal("36.000000"), "EUR"), price_text(Decimal("0.0125"), "EUR")
    ('36.00', '0.0125')
    """
    if value is None:
        return NOTHING
    rounded = round_money(value, currency)
    return money_text(value, currency) if rounded == value else number_text(value)


def money(amount: Decimal | None, currency: str, tone: str = "") -> SafeString:
    """Show an amount with its currency; `tone` is a class such as `loud` or `bad`."""
    if amount is None:
        return format_html('<span class="zero">{}</span>', NOTHING)
    shown = tone or ("" if amount else "zero")
    return format_html(
        '<span class="money {}">{}<span class="cur">{}</span></span>',
        shown,
        money_text(amount, currency),
        currency,
    )


def bare_money(amount: Decimal | None, currency: str) -> SafeString:
    """Show an amount where the currency stands in the head of its column."""
    if amount is None:
        return format_html('<span class="zero">{}</span>', NOTHING)
    return format_html(
        '<span class="money{}">{}</span>',
        "" if amount else " zero",
        money_text(amount, currency),
    )


def sums(amounts: Mapping[str, Decimal]) -> SafeString:
    """Show one amount a currency: sums of different currencies are never added."""
    return format_html_join(
        " · ",
        "{}",
        ((money(amount, currency),) for currency, amount in sorted(amounts.items())),
    )


def badge(shown: Badge) -> SafeString:
    """Show a status as a badge: a word, a shape and a colour."""
    return format_html('<span class="badge {}">{}</span>', shown.tone, shown.label)


def count_text(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun.

    >>> count_text(1, "invoice"), count_text(1200, "invoice")
    ('1 invoice', '1,200 invoices')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def country_name(code: str) -> str:
    """Return a country's English name, or the code when it is none.

    >>> country_name("DE")
    'Germany'
    """
    return str(Locale("en").territories.get(code, code))


def address_lines(address: Mapping[str, str]) -> tuple[str, ...]:
    """Return a stored address (`Address.as_dict`) line by line, blank ones left out.

    >>> address_lines({"name": "Halden", "line1": "Kai 4", "postal_code": "20457",
    ...                "city": "Hamburg", "country": "DE"})
    ('Halden', 'Kai 4', '20457 Hamburg', 'Germany')
    """
    town = " ".join(
        part for key in ("postal_code", "city") if (part := address.get(key, ""))
    )
    lines: Iterable[str] = (
        address.get("name", ""),
        address.get("line1", ""),
        address.get("line2", ""),
        town,
        address.get("region", ""),
        country_name(address.get("country", "")),
    )
    return tuple(line for line in lines if line)
