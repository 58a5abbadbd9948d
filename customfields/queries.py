"""What custom fields there are, and who holds values of them. One query each."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.postgres.search import SearchQuery
from django.db.models import F, Model, Q, QuerySet

from customfields.choices import OWNERS
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.kinds import Kind, Stored
from customfields.models import VALUE_WORDS, CustomField

Owner = TypeVar("Owner", bound=Model)


class _Beginnings(SearchQuery):
    """What is searched for, cut into words as the values are."""

    SEARCH_TYPES = {"words": "customfields_beginnings"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDefinitions:
    """The fields that are printed on invoices, by object in their order (F2).

    `defaults` is what a new invoice stores of its own fields.
    """

    printed: Mapping[FieldObject, tuple[FieldDefinition, ...]]
    defaults: Mapping[str, Stored]


def definitions(object_name: FieldObject) -> tuple[FieldDefinition, ...]:
    """Return the fields of an object that are in use, in their order."""
    return tuple(_definition(row) for row in _in_use().filter(object=object_name))


def definitions_by_object() -> Mapping[FieldObject, tuple[FieldDefinition, ...]]:
    """Return the fields of every object that are in use, in their order."""
    found: dict[FieldObject, list[FieldDefinition]] = defaultdict(list)
    for row in _in_use():
        found[FieldObject(row.object)].append(_definition(row))
    return {name: tuple(found[name]) for name in FieldObject}


def has_definitions(object_name: FieldObject) -> bool:
    """Tell whether an object has a field that is in use."""
    return _in_use().filter(object=object_name).exists()


def definitions_in_list(object_name: FieldObject) -> tuple[FieldDefinition, ...]:
    """Return the fields of an object that its list shows or filters by, in order."""
    shown = _in_use().filter(Q(in_list=True) | Q(in_filter=True), object=object_name)
    return tuple(_definition(row) for row in shown)


def invoice_definitions() -> InvoiceDefinitions:
    """Return what generating an invoice needs of all definitions (F2)."""
    rows = _in_use().filter(
        Q(printed=True) | Q(object=FieldObject.INVOICE, default__isnull=False)
    )
    printed: dict[FieldObject, list[FieldDefinition]] = defaultdict(list)
    defaults: dict[str, Stored] = {}
    for row in rows:
        if row.object != FieldObject.INVOICE:
            printed[FieldObject(row.object)].append(_definition(row))
        elif row.default is not None:
            defaults[row.key] = row.default
    return InvoiceDefinitions(
        printed={name: tuple(printed[name]) for name in FieldObject},
        defaults=defaults,
    )


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


def search_values(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return the owners with values of fields that have all words of a text.

    Newest first. Words are found by their beginnings, in any order and case. Uses the
    index on `customfields_words`; a text without words finds nothing.
    """
    query = _Beginnings(
        unicodedata.normalize("NFC", text).replace("\0", " "), search_type="words"
    )
    filled: QuerySet[Any] = rows.alias(value_words=VALUE_WORDS).exclude(
        custom_fields={}
    )
    # By a sum, which no index has: in the order of keys, the planner would walk from
    # the newest owner to the oldest and cut the values of each into words.
    found: QuerySet[Any] = filled.filter(value_words=query).order_by(
        (F("pk") + 0).desc()
    )
    return found


def with_holders(
    found: Sequence[Owner], rows: QuerySet[Owner], text: str, *, most: int
) -> list[Owner]:
    """Return what was found, then the newest with values of a text's words."""
    known = {owner.pk for owner in found}
    newest = search_values(rows, text).values("pk")[:most]
    holders = rows.filter(pk__in=newest).order_by("-pk")
    return [*found, *(owner for owner in holders if owner.pk not in known)]


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
        in_list=row.in_list,
        in_filter=row.in_filter,
        retired=tuple(row.retired),
    )
