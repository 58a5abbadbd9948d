"""Filters of every page and paper: money, dates, periods, addresses, badges."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing import display
from billing.choices import Badge
from billing.domain import dates

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str) -> SafeString:
    """Show an amount with its currency: {{ invoice.total|money:invoice.currency }}."""
    return display.money(amount, currency)


@register.filter
def loud_money(amount: Decimal | None, currency: str) -> SafeString:
    """Show an amount that matters, in bold."""
    return display.money(amount, currency, "loud" if amount else "zero")


@register.filter
def figure(amount: Decimal | None, currency: str) -> SafeString:
    """Show an amount as a large figure."""
    return display.money(amount, currency, "figure")


@register.filter
def bare_money(amount: Decimal | str | None, currency: str) -> SafeString:
    """Show an amount whose currency stands in the head of the column."""
    value = Decimal(amount) if isinstance(amount, str) else amount
    return display.bare_money(value, currency)


@register.filter
def money_text(amount: Decimal | str, currency: str) -> str:
    """Write an amount and its code as plain text, for sentences."""
    return f"{display.money_text(Decimal(amount), currency)} {currency}"


@register.filter
def sums(amounts: Mapping[str, Decimal]) -> SafeString:
    """Show one amount a currency."""
    return display.sums(amounts)


@register.filter
def price(value: Decimal | None, currency: str) -> str:
    """Write a unit price."""
    return display.price_text(value, currency)


@register.filter
def number(value: Decimal | str | None) -> str:
    """Write a quantity without trailing zeros; stored JSON has it as text."""
    return display.number_text(None if value is None else Decimal(value))


@register.filter
def day(value: date | None) -> str:
    """Write a date as `2 Mar 2026`."""
    return display.day_text(value)


@register.filter
def instant(value: datetime | None) -> str:
    """Write an instant to the minute."""
    return display.instant_text(value)


@register.filter
def period(first: date, last: date) -> str:
    """Write a period: {{ line.period_start|period:line.period_end }}."""
    return dates.period_text(first, last)


@register.filter
def badge(shown: Badge) -> SafeString:
    """Show a badge."""
    return display.badge(shown)


@register.filter
def counted(count: int, noun: str) -> str:
    """Write a count with its noun: {{ 3|counted:"invoice" }}."""
    return display.count_text(count, noun)


@register.filter
def thousands(count: int) -> str:
    """Write a count with its commas: 1,200."""
    return f"{count:,}"


@register.filter
def address(value: Mapping[str, str]) -> SafeString:
    """Show a stored address, one line each."""
    lines = display.address_lines(value)
    return format_html_join("", '<span class="line">{}</span>', ((x,) for x in lines))
