"""What a custom field is, as plain values, and which keys it can have."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from customfields.domain.kinds import (
    InvalidValue,
    Kind,
    Stored,
    check_length,
    parse,
)

MAX_KEY: Final = 40
MAX_CHOICES: Final = 200
MAX_CHOICE: Final = 100
MOST_COLUMNS: Final = 4
MOST_FILTERS: Final = 8
KEY_PATTERN: Final = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
# Words that mean a lookup in custom_fields__<key>, or a method of it in a template.
RESERVED_KEYS: Final = frozenset(
    [
        "contained_by",
        "contains",
        "endswith",
        "exact",
        "gt",
        "gte",
        "has_any_keys",
        "has_key",
        "has_keys",
        "icontains",
        "iendswith",
        "iexact",
        "in",
        "iregex",
        "isnull",
        "istartswith",
        "lt",
        "lte",
        "range",
        "regex",
        "startswith",
        "items",
        "keys",
        "values",
    ]
)

_KEY: Final = re.compile(KEY_PATTERN)


class FieldObject(StrEnum):
    """What a custom field belongs to (F1)."""

    ACCOUNT = "ACCOUNT"
    BILL_GROUP = "BILL_GROUP"
    CONTRACT = "CONTRACT"
    INVOICE = "INVOICE"


class InvalidKey(ValueError):
    """A key that no field can have; the text says what to write instead."""


class InvalidChoices(ValueError):
    """A list of choices that no field can have; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """A custom field that is in use; `default` is a stored value.

    `retired` are choices that are no longer offered but may still be held.
    """

    key: str
    label: str
    kind: Kind
    choices: tuple[str, ...] = ()
    required: bool = False
    default: Stored | None = None
    help_text: str = ""
    printed: bool = False
    in_list: bool = True
    in_filter: bool = True
    retired: tuple[str, ...] = ()


def check_key(key: str) -> None:
    """Refuse a key that is no identifier or is reserved; raises `InvalidKey`.

    >>> check_key("portal_id")
    """
    if len(key) > MAX_KEY:
        raise InvalidKey(f"The key has {len(key)} characters; at most {MAX_KEY} fit.")
    if key.endswith("\n") or not _KEY.match(key):
        raise InvalidKey(
            "A key starts with a small letter and has small letters, digits and "
            "single underscores between them, for example portal_id."
        )
    if key in RESERVED_KEYS:
        raise InvalidKey(
            f"The key {key} is reserved. Choose another one, for example {key}_value."
        )


def check_choices(kind: Kind, choices: tuple[str, ...]) -> None:
    """Refuse choices that can't be told apart or don't fit; raises `InvalidChoices`."""
    if kind is not Kind.CHOICE:
        if choices:
            raise InvalidChoices("Only a field of the type choice has choices.")
        return
    if not choices:
        raise InvalidChoices("Write the choices, one a line.")
    if len(choices) > MAX_CHOICES:
        raise InvalidChoices(
            f"There are {len(choices)} choices; at most {MAX_CHOICES} fit."
        )
    seen: set[str] = set()
    for choice in choices:
        _check_choice(choice)
        if choice.casefold() in seen:
            raise InvalidChoices(f"The choice {choice} is there twice.")
        seen.add(choice.casefold())


def _check_choice(choice: str) -> None:
    try:
        written = parse(Kind.TEXT, choice)
        check_length(choice, MAX_CHOICE)
    except InvalidValue as fault:
        raise InvalidChoices(f"The choice {choice[:20]!r}: {fault}") from None
    if written != choice:
        raise InvalidChoices(f"The choice {choice!r} has blanks around it.")
