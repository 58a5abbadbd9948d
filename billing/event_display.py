"""How audit entries are told: what happened and what changed, in words (M5)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from billing.choices import DELIVERY_METHODS
from billing.display import NOTHING, day_text, money_text, number_text
from billing.domain.money import UnknownCurrency
from billing.events import event_sentence
from billing.models import AuditEvent

MOST_CHANGES: Final = 12
_SAID: Final = ("total", "amount")
_MONEY: Final = frozenset(
    {
        *(*_SAID, "due", "given_back", "subtotal", "tax", "price", "difference"),
        "taken_off",
    }
)
_NAMES: Final = {"line1": "address", "line2": "address, line 2"}
_WORDS: Final = frozenset(
    {
        *("status", "state", "charges", "invoicing", "kind", "timing"),
        *("frequency", "proration", "charge_type", "first_invoice", "settlement"),
    }
)
# Keys by which the machine finds things; they tell a reader nothing.
_HIDDEN: Final = frozenset(
    {
        *("currency", "sha256", "ids", "import", "charges_at_zero", "credit_notes"),
        "from",
        *("payment", "credit_note", "line_id", "lineage", "id", "version", "attempts"),
    }
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"-?\d+\.\d+\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changed; a dash stands for nothing."""

    label: str
    before: str
    after: str

    @property
    def is_new(self) -> bool:
        """Whether there was nothing before."""
        return self.before == NOTHING


def event_text(event: AuditEvent) -> str:
    """Say what happened, and for how much where the entry holds an amount."""
    sentence = event_sentence(event.code)
    amount = _amount(event)
    return f"{sentence} for {amount}" if amount else sentence


def event_changes(event: AuditEvent) -> tuple[Change, ...]:
    """Return what an entry says has changed, in the order in which it says it.

    What stayed as it was is left out, and the amount that the sentence names.
    """
    code = _currency(event)
    before = dict(_flat(event.before, code))
    after = dict(_flat(event.after, code))
    said = _SAID if _amount(event) else ()
    return tuple(
        Change(
            label=_label(path),
            before=_at(before, path),
            after=_at(after, path),
        )
        for path in {**before, **after}
        if _at(before, path) != _at(after, path)
        if path[-1] not in said
    )


def _currency(event: AuditEvent) -> str:
    return str(event.after.get("currency") or event.before.get("currency") or "")


def _amount(event: AuditEvent) -> str:
    code = _currency(event)
    for state in (event.after, event.before):
        for key in _SAID:
            if code and isinstance(state.get(key), str):
                return _money(state[key], code)
    return ""


def _money(text: str, code: str) -> str:
    try:
        return f"{money_text(Decimal(text), code)} {code}"
    except (InvalidOperation, UnknownCurrency):
        return text


_Path = tuple[str, ...]


def _flat(state: Any, code: str, path: _Path = ()) -> Iterator[tuple[_Path, str]]:
    """Yield every value of a stored state with the way to it, as it is shown."""
    if isinstance(state, Mapping):
        for key, value in state.items():
            if key not in _HIDDEN:
                yield from _flat(value, code, (*path, str(key)))
    elif isinstance(state, list) and any(isinstance(x, dict | list) for x in state):
        for number, value in enumerate(state, start=1):
            yield from _flat(value, code, _place(value, path, number))
    elif isinstance(state, list):
        yield path, ", ".join(_text(x, path, code) for x in state) or NOTHING
    else:
        yield path, _text(state, path, code)


def _place(value: Any, path: _Path, number: int) -> _Path:
    """Return the way to one of several: stretches of terms by their day."""
    day = value.get("from") if isinstance(value, Mapping) else None
    if path[-1:] == ("stretches",) and isinstance(day, str) and _DAY.match(day):
        return (*path[:-1], day)
    return (*path, str(number))


def _at(state: Mapping[_Path, str], path: _Path) -> str:
    """Return what a state says at a path; of terms, what holds from that day on."""
    if path in state:
        return state[path]
    for place, key in enumerate(path):
        if _DAY.match(key):
            head, tail = path[:place], path[place + 1 :]
            earlier = [
                one
                for one in state
                if one[:place] == head and one[place + 1 :] == tail and one[place] < key
            ]
            return state[max(earlier)] if earlier else NOTHING
    return NOTHING


def _text(value: Any, path: _Path, code: str) -> str:
    key = path[-1] if path else ""
    if value is None or not str(value):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if key == "delivery" and text in DELIVERY_METHODS.condition_values():
        return DELIVERY_METHODS.badge(text).label
    if key in _WORDS and text.isupper():
        return text.replace("_", " ").capitalize()
    if _DAY.match(text):
        return _day(text)
    if _DECIMAL.match(text):
        is_money = bool(code) and key in _MONEY
        return _money(text, code) if is_money else number_text(Decimal(text))
    return text


def _day(text: str) -> str:
    try:
        return day_text(date.fromisoformat(text))
    except ValueError:
        return text


def _label(path: _Path) -> str:
    """Write the way to a value: its own name last.

    >>> _label(("lines", "2", "unit_price"))
    'Line 2, unit price'
    >>> _label(("cf_buyer_id",))
    'Buyer id'
    >>> _label(("line1",))
    'Address'
    >>> _label(("lines", "1", "2026-11-01", "unit_price"))
    'Line 1, from 1 Nov 2026, unit price'
    """
    words = ""
    for key in path:
        if _DAY.match(key):
            words += f", from {_day(key)}"
            continue
        name = _NAMES.get(key) or key.removeprefix("cf_").replace("_", " ")
        if name.isdigit():  # one of several
            words = f"{words.removesuffix('s')} {name}"
        else:
            words += f", {name}"
    words = words.removeprefix(", ").strip()
    return words[:1].upper() + words[1:]
