"""Custom fields on the add and change form of their owner (F2).

`owner_form` adds a form field `cf_<key>` for each definition to any ModelForm; saving
writes the values to the instance's `custom_fields`. Each text goes through
`domain.values.read_value`, as in every other way in, but one: a text left as it was is
kept as it is stored, so that a choice no longer offered stands in nobody's way. Values
of fields that the form doesn't have (archived ones) are kept too.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import escape

from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import (
    MAX_DECIMALS,
    MAX_DIGITS,
    MAX_LONG_TEXT,
    MAX_TEXT,
    MAX_URL,
    InvalidValue,
    Kind,
    Stored,
    show,
)
from customfields.domain.values import read_value

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelForm = forms.ModelForm

PREFIX: Final = "cf_"
_LONGEST_NUMBER: Final = MAX_DIGITS + MAX_DECIMALS + 2


class CustomValueField(forms.Field):
    """The form field of one custom field: its own widget, the one check.

    `stored` is what the owner holds, or the default while it is being added.
    """

    def __init__(self, definition: FieldDefinition) -> None:
        super().__init__(
            required=definition.required,
            label=definition.label,
            # Forms print help texts unescaped.
            help_text=escape(definition.help_text),
            widget=_widget(definition),
        )
        self.definition = definition
        self.stored: Stored | None = None

    def hold(self, stored: Stored | None) -> None:
        """Take over what the owner holds, even where it is no longer offered."""
        self.stored = stored
        if isinstance(self.widget, forms.Select) and isinstance(stored, str):
            offered = [str(value) for value, _ in self.widget.choices]
            if stored not in offered:
                gone = (stored, f"{stored} (no longer offered)")
                self.widget.choices = [*self.widget.choices, gone]

    def prepare_value(self, value: Any) -> str:
        """Return the text that stands in the widget, posted or stored."""
        return "" if value is None else show(self.definition.kind, value)

    def clean(self, value: str | None) -> Stored | None:
        """Return the stored value of a posted text, None for a blank one."""
        if self.stored is not None and self._is_kept(value):
            return self.stored
        try:
            return read_value(self.definition, value or "")
        except InvalidValue as fault:
            raise ValidationError(str(fault)) from None

    def has_changed(self, initial: Any, data: str | None) -> bool:
        """Return whether a posted text stands for another value."""
        if data is None or data == self.prepare_value(initial):
            return False
        try:
            return bool(read_value(self.definition, data) != initial)
        except InvalidValue:
            return True

    def _is_kept(self, value: str | None) -> bool:
        """A widget that was not on the page says nothing (None), not blank."""
        return value is None or value == self.prepare_value(self.stored)


class CustomFieldsForm(AnyModelForm):
    """A form of an owner, with the custom fields that `owner_form` has added."""

    custom_field_definitions: tuple[FieldDefinition, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance.pk is None
        for definition in self.custom_field_definitions:
            name = field_name(definition.key)
            field = self.fields.get(name)
            if not isinstance(field, CustomValueField):
                continue
            field.hold(
                definition.default
                if is_new
                else self.instance.custom_fields.get(definition.key)
            )
            self.initial.setdefault(name, field.stored)

    def clean(self) -> dict[str, Any] | None:
        """Write the values to the instance."""
        cleaned = super().clean()
        values = dict(self.instance.custom_fields)
        for definition in self.custom_field_definitions:
            name = field_name(definition.key)
            if name not in self.cleaned_data:
                continue
            value = self.cleaned_data[name]
            if value is None:
                values.pop(definition.key, None)
            else:
                values[definition.key] = value
        self.instance.custom_fields = values
        return cleaned


def field_name(key: str) -> str:
    """Return the name of a custom field in forms, for example `cf_portal_id`."""
    return PREFIX + key


def owner_form(
    base: type[AnyModelForm], definitions: Sequence[FieldDefinition]
) -> type[CustomFieldsForm]:
    """Return a form like `base` that has the defined fields as well."""
    attributes: dict[str, Any] = {
        field_name(definition.key): CustomValueField(definition)
        for definition in definitions
    }
    attributes["custom_field_definitions"] = tuple(definitions)
    metaclass: Any = type(base)
    form: type[CustomFieldsForm] = metaclass(
        base.__name__, (CustomFieldsForm, base), attributes
    )
    return form


def _widget(definition: FieldDefinition) -> forms.Widget:
    match definition.kind:
        case Kind.TEXT:
            return _text_input({"maxlength": MAX_TEXT})
        case Kind.LONG_TEXT:
            return forms.Textarea(
                {"class": "vLargeTextField", "rows": 4, "maxlength": MAX_LONG_TEXT}
            )
        case Kind.NUMBER:
            return _text_input({"inputmode": "decimal", "maxlength": _LONGEST_NUMBER})
        case Kind.DATE:
            return forms.DateInput({"type": "date"})
        case Kind.YES_NO:
            return forms.Select(choices=[("", "---"), ("yes", "Yes"), ("no", "No")])
        case Kind.CHOICE:
            offered = [(choice, choice) for choice in definition.choices]
            return forms.Select(choices=[("", "---"), *offered])
        case Kind.URL:
            return forms.URLInput({"class": "vURLField", "maxlength": MAX_URL})


def _text_input(attributes: dict[str, Any]) -> forms.Widget:
    return forms.TextInput({"class": "vTextField"} | attributes)
