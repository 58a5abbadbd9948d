"""Values of custom fields as people read them on pages."""

from datetime import date

from django.utils.dateformat import format as format_date
from django.utils.html import format_html

from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import InvalidValue, Kind, check, show


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
