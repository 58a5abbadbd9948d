"""What custom fields there are, and who holds values of them. One query each."""

from collections import defaultdict
from collections.abc import Mapping

from django.apps import apps
from django.db.models import QuerySet

from customfields.choices import OWNERS
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.kinds import Kind, Stored
from customfields.models import CustomField


def definitions(object_name: FieldObject) -> tuple[FieldDefinition, ...]:
    """Return the fields of an object that are in use, in their order."""
    return tuple(_definition(row) for row in _in_use().filter(object=object_name))


def printed_definitions() -> Mapping[FieldObject, tuple[FieldDefinition, ...]]:
    """Return the fields that are shown on invoices, by object, in their order (F2)."""
    found: dict[FieldObject, list[FieldDefinition]] = defaultdict(list)
    for row in _in_use().filter(printed=True):
        found[FieldObject(row.object)].append(_definition(row))
    return {name: tuple(found[name]) for name in FieldObject}


def labels_in_use() -> Mapping[tuple[FieldObject, str], str]:
    """Return the labels of all fields in use, by object and key, in their order."""
    rows = CustomField.objects.filter(archived=False).order_by(
        "object", "position", "id"
    )
    return {
        (FieldObject(owner), key): label
        for owner, key, label in rows.values_list("object", "key", "label")
    }


def count_holders(field: CustomField, *, value: Stored | None = None) -> int:
    """Count the owners that hold a value of a field, or just the one given."""
    owners = apps.get_model(OWNERS[FieldObject(field.object)].model)
    # The condition of the partial index on the column, said as it says it.
    filled = owners._default_manager.exclude(custom_fields={})
    if value is None:
        filled = filled.filter(custom_fields__has_key=field.key)
    else:
        filled = filled.filter(custom_fields__contains={field.key: value})
    return int(filled.count())


def _in_use() -> QuerySet[CustomField]:
    return CustomField.objects.filter(archived=False).order_by("position", "id")


def _definition(row: CustomField) -> FieldDefinition:
    return FieldDefinition(
        key=row.key,
        label=row.label,
        kind=Kind(row.kind),
        choices=tuple(row.choices),
        required=row.required,
        default=row.default,
        help_text=row.help_text,
        printed=row.printed,
    )
