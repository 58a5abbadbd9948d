"""The one check of an owner's custom fields, whichever way they come in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from customfields.domain.csv_cells import plain_text, read_text
from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import InvalidValue, Kind, Stored, is_blank, parse, show

# Umlauts as they are: escaped ones would have to be escaped once more to be copied.
_JSON: Final = json.JSONEncoder(ensure_ascii=False)

# The types whose values a spreadsheet could run as formulas; a number is none.
_TYPED: Final = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE, Kind.URL})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with the value of one field, in a sentence."""

    key: str
    value: str
    message: str


def read_value(definition: FieldDefinition, text: str) -> Stored | None:
    """Return the stored value of a text, None for a blank one.

    Raises `InvalidValue`, for a blank text too if the field is required.
    """
    if not is_blank(text):
        return parse(definition.kind, text, choices=definition.choices)
    if definition.required:
        raise InvalidValue(f"{definition.label} is required. Fill it in.")
    return None


def change_values(
    definitions: Sequence[FieldDefinition],
    stored: Mapping[str, Stored],
    raw: Mapping[str, str],
) -> tuple[dict[str, Stored], list[FieldError]]:
    """Return an owner's values after a change, and everything wrong with its texts.

    A field that `raw` doesn't name keeps its value, and so does one whose text is what
    is stored: a choice no longer offered stands in nobody's way. A blank text empties
    a field. A required field without a value is asked for, named or not.
    """
    known = {definition.key for definition in definitions}
    errors = [_unknown(key, text) for key, text in raw.items() if key not in known]
    values = dict(stored)
    for definition in definitions:
        key = definition.key
        held = stored.get(key)
        shown = "" if held is None else show(definition.kind, held)
        text = raw.get(key, shown)
        if held is not None and text == shown:
            continue
        try:
            value = read_value(definition, text)
        except InvalidValue as fault:
            errors.append(FieldError(key=key, value=text, message=str(fault)))
            continue
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value
    return values, errors


def read_values(
    definitions: Sequence[FieldDefinition], raw: Mapping[str, str]
) -> tuple[dict[str, Stored], list[FieldError]]:
    """Return the stored values of a new owner, and everything wrong with its texts.

    A field that `raw` doesn't name gets its default; one that it names with a blank
    text stays empty.
    """
    values: dict[str, Stored] = {}
    known = {definition.key for definition in definitions}
    errors = [_unknown(key, text) for key, text in raw.items() if key not in known]
    for definition in definitions:
        text = raw.get(definition.key)
        if text is None and definition.default is not None:
            values[definition.key] = definition.default
            continue
        try:
            value = read_value(definition, text or "")
        except InvalidValue as fault:
            errors.append(
                FieldError(key=definition.key, value=text or "", message=str(fault))
            )
            continue
        if value is not None:
            values[definition.key] = value
    return values, errors


def csv_cell(definition: FieldDefinition, stored: Stored | None) -> str:
    """Return a stored value as CSV files hold it; `csv_text` reads it again."""
    if stored is None:
        return ""
    text = show(definition.kind, stored)
    return plain_text(text) if definition.kind in _TYPED else text


def csv_text(definition: FieldDefinition, cell: str) -> str:
    """Return the text of a cell, without the apostrophe before a formula."""
    return read_text(cell) if definition.kind in _TYPED else cell


def _unknown(key: str, text: str) -> FieldError:
    return FieldError(
        key=key,
        value=text,
        message=f"There is no custom field {key}. Define it in Settings > Custom "
        "Fields, or leave it out.",
    )


class PrintedFields:
    """Makes of an owner's values what an invoice keeps of its printed fields (F2).

    An entry is the JSON text of `{key, label, kind, value}`; one of a contract names
    the `contract` too. A night makes millions of them, hence the texts.
    """

    def __init__(self, definitions: Sequence[FieldDefinition]) -> None:
        self._heads = {
            definition.key: f'{{"key": {_JSON.encode(definition.key)}, '
            f'"label": {_JSON.encode(definition.label)}, '
            f'"kind": "{definition.kind}", "value": '
            for definition in definitions
            if definition.printed
        }

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the fields, in their order."""
        return tuple(self._heads)

    def entries(self, values: Sequence[str | None], *, contract: str = "") -> list[str]:
        """Return the entries of an owner's values, in the order of the fields.

        `values` are JSON texts, one for each of `keys`; None where it has none.
        """
        tail = f', "contract": {_JSON.encode(contract)}}}' if contract else "}"
        return [
            f"{head}{value}{tail}"
            for head, value in zip(self._heads.values(), values, strict=True)
            if value is not None
        ]
