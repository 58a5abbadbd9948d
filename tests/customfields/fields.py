"""Custom fields for tests: text fields of an account unless said otherwise."""

from typing import Any

from customfields.models import CustomField


def make_field(key: str, **values: Any) -> CustomField:
    """Define a field as the admin would, checks included."""
    defaults = {"object": "ACCOUNT", "label": key.replace("_", " ").capitalize()}
    field = CustomField(**(defaults | {"key": key} | values))
    field.full_clean()
    field.save()
    return field
