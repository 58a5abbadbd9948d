"""Values of custom fields as people read them on pages."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import islice
from typing import Final

from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.text import Truncator

from customfields.domain.definition import MOST_COLUMNS, FieldDefinition
from customfields.domain.kinds import InvalidValue, Kind, Stored, check, show

BRIEF: Final = 60


def display_value(definition: FieldDefinition, stored: object) -> str:
    """Return a stored value for a page; only a sound web address becomes a link."""
    try:
        value = check(definition.kind, stored, choices=definition.choices)
    except InvalidValue:
        return show(definition.kind, stored)
    if definition.kind is Kind.URL:
        return format_html('<a href="{0}" rel="noopener noreferrer">{0}</a>', value)
    if definition.kind is Kind.DATE:
        return format_date(date.fromisoformat(str(value)), "j M Y")
    text = show(definition.kind, value)
    return text.capitalize() if definition.kind is Kind.YES_NO else text


def brief_value(definition: FieldDefinition, stored: object) -> str:
    """Return a stored value for a cell of a list: long ones cut, without a link."""
    if definition.kind in {Kind.TEXT, Kind.LONG_TEXT, Kind.URL}:
        return Truncator(" ".join(str(stored).split())).chars(BRIEF)
    return display_value(definition, stored)


def shown_values(
    definitions: Iterable[FieldDefinition], values: Mapping[str, Stored]
) -> list[tuple[str, str]]:
    """Return label and value of each field that an owner holds, for its pages."""
    return [
        (definition.label, display_value(definition, values[definition.key]))
        for definition in definitions
        if definition.key in values
    ]


def brief_values(
    definitions: Iterable[FieldDefinition], values: Mapping[str, Stored]
) -> list[tuple[str, str]]:
    """Return label and value of the fields that a row of a page has room for."""
    held = (d for d in definitions if d.in_list and d.key in values)
    return [
        (d.label, brief_value(d, values[d.key])) for d in islice(held, MOST_COLUMNS)
    ]


def shown_copies(entries: Iterable[Mapping[str, Stored]]) -> list[tuple[str, str]]:
    """Return label and value of what an invoice has copied, for its page."""
    return [(_copied_label(entry), _copied_value(entry)) for entry in entries]


def _copied_label(entry: Mapping[str, Stored]) -> str:
    contract = entry.get("contract")
    return f"{entry['label']}, {contract}" if contract else str(entry["label"])


def _copied_value(entry: Mapping[str, Stored]) -> str:
    kind = Kind(str(entry.get("kind", Kind.TEXT)))
    copied = FieldDefinition(
        key=str(entry.get("key", "")), label=str(entry["label"]), kind=kind
    )
    return display_value(copied, entry["value"])
