"""How the commands write JSON: money and numbers as text, lists one item at a time."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from billing.domain.money import currency_digits
from contracts.domain.decimals import format_decimal


def money(amount: Decimal, currency: str) -> str:
    """Return an amount with exactly its currency's digits.

    >>> money(Decimal("1200.000"), "JPY")
    '1200'
    """
    return f"{amount:.{currency_digits(currency)}f}"


def number(value: Decimal | None) -> str | None:
    """Return a quantity or unit price without trailing zeros.

    >>> number(Decimal("1.500000")), number(Decimal("100.000000"))
    ('1.5', '100')
    """
    return None if value is None else format_decimal(value)


def json_object(fields: Mapping[str, Any]) -> Iterator[str]:
    """Write an object piece by piece; an iterator among its values becomes a list.

    Memory does not grow with the length of such a list.
    """
    yield "{"
    for index, (key, value) in enumerate(fields.items()):
        yield f"{',' if index else ''}\n  {json.dumps(key)}: "
        if isinstance(value, Iterator):
            yield from _json_list(value)
        else:
            yield json.dumps(value)
    yield "\n}"


def _json_list(items: Iterable[Any]) -> Iterator[str]:
    yield "["
    for index, item in enumerate(items):
        yield f"{',' if index else ''}\n    {json.dumps(item)}"
    yield "]"
