"""Filters of a list by custom fields: each type with the one that fits it (F2).

Parameters are `cf_<key>`; halves of ranges end in two underscores and a word, which no
key can have.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import django_filters
from django import forms
from django.db.models import Case, DecimalField, Q, TextField, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from config.adminsite.filters import DaysField
from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import MAX_DECIMALS, MAX_DIGITS, MAX_TEXT, Kind, parse
from customfields.forms.owner import field_name

# No choice has blanks around it.
EMPTY: Final = " none"
# Without counting digits: that takes three times as long for each row.
NUMBER: Final = r"^-?[0-9]+(\.[0-9]+)?$"
MOST_DIGITS: Final = 1000  # of PostgreSQL's numbers: what is no field's is too large
Rows = Any


class HalfWidget(django_filters.widgets.RangeWidget):
    """From and to, each with its own label and a name that no key can have."""

    suffixes = ["_from", "_to"]

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for widget, label in zip(self.widgets, self.labels, strict=True):
            widget.attrs |= {"aria-label": label, "placeholder": label}

    labels = ("At least", "At most")


class DatesWidget(HalfWidget):
    """Two of the browser's date fields."""

    labels = ("From", "To")

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for widget in self.widgets:
            widget.input_type = "date"


class NumberRangeField(django_filters.fields.RangeField):
    """Two numbers of the digits that a stored one can have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        halves = [_number_half(), _number_half()]
        super().__init__(*args, fields=tuple(halves), **kwargs)


class NumberRange(django_filters.Filter):
    """Between two numbers, both included."""

    field_class = NumberRangeField


def _number_half() -> forms.DecimalField:
    return forms.DecimalField(
        required=False,
        max_digits=MAX_DIGITS + MAX_DECIMALS,
        decimal_places=MAX_DECIMALS,
    )


class DateRange(django_filters.Filter):
    """Between two days, both included."""

    field_class = DaysField


class BlankFilterSet(django_filters.FilterSet):
    """No filters but those of custom fields."""


def custom_filterset(base: type[Any], definitions: Sequence[FieldDefinition]) -> Any:
    """Return a filter set like `base` that filters by the defined fields as well."""
    metaclass: Any = type(base)
    filters = {
        field_name(definition.key): _filter(definition) for definition in definitions
    }
    return metaclass(base.__name__, (base,), filters)


def _filter(definition: FieldDefinition) -> django_filters.Filter:
    label, method = definition.label, _METHODS[definition.kind](definition)
    match definition.kind:
        case Kind.CHOICE | Kind.YES_NO:
            return django_filters.ChoiceFilter(
                label=label,
                method=method,
                choices=_choices(definition),
                empty_label="All",
            )
        case Kind.NUMBER:
            return NumberRange(
                label=label, method=method, widget=HalfWidget({"inputmode": "decimal"})
            )
        case Kind.DATE:
            return DateRange(label=label, method=method, widget=DatesWidget)
        case Kind.TEXT | Kind.LONG_TEXT | Kind.URL:
            return django_filters.CharFilter(
                label=label, method=method, help_text="Contains.", max_length=MAX_TEXT
            )


def _choices(definition: FieldDefinition) -> list[tuple[str, str]]:
    empty = (EMPTY, "Not filled in")
    if definition.kind is Kind.YES_NO:
        return [("yes", "Yes"), ("no", "No"), empty]
    gone = [(choice, f"{choice} (no longer offered)") for choice in definition.retired]
    return [*((choice, choice) for choice in definition.choices), *gone, empty]


Method = Callable[[Rows, str, Any], Rows]


def _holds(definition: FieldDefinition) -> Method:
    key, kind = definition.key, definition.kind

    def narrow(rows: Rows, name: str, value: str) -> Rows:
        if value == EMPTY:
            return rows.exclude(custom_fields__has_key=key)
        stored = parse(kind, value, choices=[value])
        return _filled(rows).filter(custom_fields__contains={key: stored})

    return narrow


def _contains(definition: FieldDefinition) -> Method:
    key = definition.key

    def narrow(rows: Rows, name: str, value: str) -> Rows:
        holding = _filled(rows).filter(custom_fields__has_key=key)
        text: Any = KeyTextTransform(key, "custom_fields")
        return holding.alias(cf_text=text).filter(cf_text__icontains=value.strip())

    return narrow


def _dates(definition: FieldDefinition) -> Method:
    key = definition.key

    def narrow(rows: Rows, name: str, value: Any) -> Rows:
        text: Any = KeyTextTransform(key, "custom_fields")
        between = Q()
        # ISO dates are in the order of their texts.
        if value.start is not None:
            between &= Q(cf_text__gte=value.start.isoformat())
        if value.stop is not None:
            between &= Q(cf_text__lte=value.stop.isoformat())
        holding = _filled(rows).filter(custom_fields__has_key=key)
        return holding.alias(cf_text=text).filter(between)

    return narrow


def _numbers(definition: FieldDefinition) -> Method:
    key = definition.key

    def narrow(rows: Rows, name: str, value: Any) -> Rows:
        text: Any = Cast(KeyTextTransform(key, "custom_fields"), TextField())
        # Only what is a number is cast: PostgreSQL may look at it before the key.
        number = Case(
            When(
                cf_text__regex=NUMBER,
                then=Cast(
                    text,
                    DecimalField(max_digits=MOST_DIGITS, decimal_places=MAX_DECIMALS),
                ),
            )
        )
        between = Q()
        if value.start is not None:
            between &= Q(cf_number__gte=value.start)
        if value.stop is not None:
            between &= Q(cf_number__lte=value.stop)
        holding = _filled(rows).filter(custom_fields__has_key=key)
        return holding.alias(cf_text=text).alias(cf_number=number).filter(between)

    return narrow


_METHODS: Final[Mapping[Kind, Callable[[FieldDefinition], Method]]] = {
    Kind.TEXT: _contains,
    Kind.LONG_TEXT: _contains,
    Kind.URL: _contains,
    Kind.CHOICE: _holds,
    Kind.YES_NO: _holds,
    Kind.DATE: _dates,
    Kind.NUMBER: _numbers,
}


def _filled(rows: Rows) -> Rows:
    """Say the condition of the partial indexes."""
    return rows.exclude(custom_fields={})
