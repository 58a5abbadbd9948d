"""The sums of an invoice, its due date, and its status at issue (M1, M8, M9).

Amounts come in rounded, one per printed line, and every total is a sum of what is
printed. Tax is computed once for each rate on its taxable sum and rounded once
(EN 16931: BR-CO-17 the tax, BR-CO-14 and BR-CO-15 the totals).

A line with a rate of 0 % is taxable at zero: the paper needs its row (EN 16931 asks
for a breakdown of every rate used). A line without a rate (None) bears no tax and has
no row.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from billing.domain.money import EXACT, round_money
from invoicing.domain.states import InvoiceStatus


class TaxLine(NamedTuple):
    """The tax of one rate: percent, the sum it is taken of, and the tax, rounded."""

    percent: Decimal
    taxable: Decimal
    tax: Decimal


class Totals(NamedTuple):
    """What an invoice comes to; `taxes` has the highest rate first."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal
    taxes: tuple[TaxLine, ...]


class UnroundedAmount(ValueError):
    """A line amount with more digits than its currency has."""


def invoice_totals(
    lines: Iterable[tuple[Decimal, Decimal | None]], currency: str
) -> Totals:
    """Add up lines of (rounded amount, tax percent or None) as M1 asks.

    Raises `UnroundedAmount` for sums that can't be printed in the currency, and
    `UnknownCurrency`.

    >>> totals = invoice_totals([(Decimal("0.13"), Decimal(19))] * 3, "EUR")
    >>> totals.subtotal, totals.tax, totals.total
    (Decimal('0.39'), Decimal('0.07'), Decimal('0.46'))
    """
    zero = round_money(Decimal(), currency)
    untaxed = zero
    taxable_sums: dict[Decimal, Decimal] = {}
    for amount, percent in lines:
        if percent is None:
            untaxed += amount
        else:
            taxable_sums[percent] = taxable_sums.get(percent, zero) + amount

    taxes: list[TaxLine] = []
    subtotal, tax = _printed(untaxed, zero, currency), zero
    for percent, sum_of_rate in sorted(taxable_sums.items(), reverse=True):
        taxable = _printed(sum_of_rate, zero, currency)
        tax_of_rate = round_money(
            EXACT.multiply(taxable, percent).scaleb(-2, EXACT), currency
        )
        taxes.append(TaxLine(percent=percent, taxable=taxable, tax=tax_of_rate))
        subtotal += taxable
        tax += tax_of_rate
    return Totals(subtotal=subtotal, tax=tax, total=subtotal + tax, taxes=tuple(taxes))


def _printed(amount: Decimal, zero: Decimal, currency: str) -> Decimal:
    if amount.same_quantum(zero):
        return amount
    rounded = round_money(amount, currency)
    if rounded != amount:
        raise UnroundedAmount(
            f"{amount} has more digits than {currency}. Round each line first."
        )
    return rounded


def due_date(issue_date: date, bill_date: date, net_terms: int) -> date:
    """Return issue date + net terms in days, never before the bill date (M8).

    >>> due_date(date(2026, 3, 1), date(2026, 3, 1), 30)
    datetime.date(2026, 3, 31)
    """
    return max(issue_date + timedelta(days=net_terms), bill_date)


def status_at_issue(total: Decimal) -> InvoiceStatus:
    """Return the status with which an invoice is issued: PAID when zero (M9)."""
    return InvoiceStatus.OPEN if total else InvoiceStatus.PAID
