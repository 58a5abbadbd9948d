"""The admin page of what has custom fields.

    @admin.register(Account)
    class AccountAdmin(OwnerAdmin):
        custom_fields_object = FieldObject.ACCOUNT

The fields stand in a fieldset of their own, last; who may only view sees their values.
One query a request, however many fields there are.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest

from customfields.admin.lists import CustomFieldLists
from customfields.display import display_value
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.forms.owner import field_name, owner_form
from customfields.queries import definitions

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelForm = forms.ModelForm

HEADING = "Custom fields"


class OwnerAdmin(CustomFieldLists):
    """A model admin whose add and change forms have the custom fields of its object."""

    def custom_field_definitions(
        self, request: HttpRequest
    ) -> tuple[FieldDefinition, ...]:
        """Return the fields in use, read once a request."""
        read: dict[FieldObject, tuple[FieldDefinition, ...]]
        read = vars(request).setdefault("_custom_field_definitions", {})
        if self.custom_fields_object not in read:
            read[self.custom_fields_object] = definitions(self.custom_fields_object)
        return read[self.custom_fields_object]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the JSON column itself out."""
        excluded = super().get_exclude(request, obj)
        if excluded is None:
            options = getattr(self.form, "_meta", None)
            excluded = getattr(options, "exclude", None)
        return [*(excluded or ()), "custom_fields"]

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
        **kwargs: Any,
    ) -> type[AnyModelForm]:
        """Add the custom fields to the form."""
        if not self._only_views(request, obj):
            form = kwargs.pop("form", self.form)
            read_only = self.get_readonly_fields(request, obj)
            hidden = {n: None for n in read_only if n in form.declared_fields}
            form = type(form)(form.__name__, (form,), hidden)
            kwargs["form"] = owner_form(form, self.custom_field_definitions(request))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(
        self,
        request: HttpRequest,
        obj: Any = None,
    ) -> Any:
        """Put the custom fields last; who overrides this calls `with_custom_fields`."""
        return self.with_custom_fields(
            request, obj, super().get_fieldsets(request, obj)
        )

    def with_custom_fields(
        self, request: HttpRequest, obj: Model | None, own: Sequence[Any]
    ) -> list[Any]:
        """Return fieldsets followed by one with the custom fields, if there are any."""
        fields = self.custom_field_definitions(request)
        names = {field_name(definition.key) for definition in fields}
        fieldsets = [
            (heading, {**options, "fields": _without(options["fields"], names)})
            for heading, options in own
        ]
        if not fields:
            return fieldsets
        shown: list[Any] = (
            [_reader(definition) for definition in fields]
            if self._only_views(request, obj)
            else [field_name(definition.key) for definition in fields]
        )
        return [*fieldsets, (HEADING, {"fields": shown})]

    def _only_views(self, request: HttpRequest, obj: Model | None) -> bool:
        return obj is not None and not self.has_change_permission(request, obj)


def _without(fields: Sequence[Any], names: set[str]) -> list[Any]:
    return [f for f in fields if not (isinstance(f, str) and f in names)]


def _reader(definition: FieldDefinition) -> Callable[[Any], str]:
    def read(owner: Any) -> str:
        stored = owner.custom_fields.get(definition.key)
        return "-" if stored is None else display_value(definition, stored)

    read.__name__ = field_name(definition.key)
    setattr(read, "short_description", definition.label)  # noqa: B010 (not typed)
    return read
