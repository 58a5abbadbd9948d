"""Currencies and the one place where money is rounded (M1).

An amount of money is a `Decimal` with exactly the digits of its currency's minor unit
(ISO 4217: JPY 0, EUR 2, KWD 3). Whatever is not money yet (a price per period, a share
of it) stays exact, in a context wide enough for every product that can be stored, until
`round_money` rounds it once, half up.

The table is the ISO 4217 list one of 1 January 2026. Codes without a minor unit (gold,
XXX) are no currencies to invoice in; those with four digits (CLF, UYW) don't fit the
money columns and are refused. CLDR's digits (Babel) differ from ISO's and are for
display only.
"""

from collections.abc import Mapping
from decimal import (
    ROUND_05UP,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from types import MappingProxyType
from typing import Final

_CODES_BY_DIGITS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN "
        "BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP "
        "ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR "
        "IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT "
        "MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
        "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC "
        "SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD "
        "XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_FOUR_DIGITS: Final = frozenset({"CLF", "UYW"})

_DIGITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        code: digits
        for digits, codes in _CODES_BY_DIGITS.items()
        for code in codes.split()
    }
)
_QUANTA: Final[Mapping[str, Decimal]] = MappingProxyType(
    {code: Decimal(1).scaleb(-digits) for code, digits in _DIGITS.items()}
)

# Should an intermediate result ever need more digits than these, ROUND_05UP keeps it
# recognisable as inexact, so that rounding it again gives what rounding once would.
EXACT: Final = Context(
    prec=80, rounding=ROUND_05UP, traps=[InvalidOperation, DivisionByZero, Overflow]
)


class UnknownCurrency(ValueError):
    """A currency code in which nothing can be invoiced."""

    def __init__(self, currency: str) -> None:
        if currency in _FOUR_DIGITS:
            sentence = (
                f"{currency} has four decimal digits; amounts are kept with at most "
                "three. Use another currency."
            )
        else:
            sentence = (
                f"“{currency}” is not an active ISO 4217 currency. "
                "Use a code of three capital letters such as EUR or USD."
            )
        super().__init__(sentence)


def currency_digits(currency: str) -> int:
    """Return the digits of the currency's minor unit: 0, 2 or 3 (M1, ISO 4217).

    Raises `UnknownCurrency`, also for currencies of four digits.

    >>> [currency_digits(code) for code in ("JPY", "EUR", "KWD")]
    [0, 2, 3]
    """
    try:
        return _DIGITS[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


def currencies() -> Mapping[str, int]:
    """Return every currency that can be invoiced in, with its digits (ISO 4217)."""
    return _DIGITS


def is_currency(code: str) -> bool:
    """Tell whether invoices can be made in the currency with this ISO 4217 code."""
    return code in _DIGITS


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round an exact amount half up to the currency's minor unit (M1).

    The result has exactly the currency's digits; a negative amount is rounded like
    its opposite, and zero has no sign. Raises `UnknownCurrency`, and `ValueError` for
    an amount that is not a number.

    >>> round_money(Decimal("16350.605"), "EUR")
    Decimal('16350.61')
    >>> round_money(Decimal("1199.5"), "JPY")
    Decimal('1200')
    """
    quantum = _QUANTA.get(currency)
    if quantum is None:
        raise UnknownCurrency(currency)
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount of money.")

    rounded = amount.quantize(quantum, ROUND_HALF_UP, EXACT)
    return rounded or rounded.copy_abs()


def plain_amount(amount: Decimal, currency: str) -> str:
    """Return an amount as files hold it: the currency's digits, no exponent, no groups.

    >>> plain_amount(Decimal("1200.5"), "EUR")
    '1200.50'
    """
    return f"{round_money(amount, currency):f}"
