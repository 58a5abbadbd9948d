"""Edit the custom fields of what has no form: a contract in force, an invoice (F2)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from billing.services.custom_values import (
    NothingChanged,
    ValuesRefused,
    change_custom_fields,
    field_changes,
)
from config.adminsite.actions import Done, Figure, ObjectAction, Review
from config.adminsite.actor import actor_of
from customfields.choices import OWNERS
from customfields.display import brief_value
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.kinds import Stored, show
from customfields.forms.owner import CustomValueField, field_name
from customfields.queries import definitions, has_definitions

NO_VALUE = "blank"


class ValuesForm(forms.Form):
    """The custom fields of an object, and why they change."""

    def __init__(
        self,
        *args: Any,
        definitions: tuple[FieldDefinition, ...],
        stored: Mapping[str, Stored],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for definition in definitions:
            field = CustomValueField(definition)
            field.hold(stored.get(definition.key))
            self.fields[field_name(definition.key)] = field
            self.initial[field_name(definition.key)] = field.stored
        self.fields["reason"] = forms.CharField(
            required=False,
            max_length=2000,
            help_text="Kept in the history.",
            widget=forms.TextInput({"class": "vTextField"}),
        )


class EditFields(ObjectAction):
    """Change the values of an object's custom fields, and nothing else."""

    slug = "edit-fields"
    label = "Edit custom fields"
    confirm_label = "Change the fields"
    form_class = ValuesForm
    asks_first = True
    refusals = (ValuesRefused, NothingChanged)
    custom_fields_object: ClassVar[FieldObject]
    stays: ClassVar[str]

    def refusal(self, subject: Any) -> str:
        """Say that there are none, and where to define them."""
        if has_definitions(self.custom_fields_object):
            return ""
        plural = OWNERS[self.custom_fields_object].plural
        return (
            f"There are no custom fields of {plural}. Define them in Settings > "
            "Custom Fields."
        )

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Begin with what is stored."""
        return {
            "definitions": definitions(self.custom_fields_object),
            "stored": subject.custom_fields,
        }

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show each change beside what was."""
        fields = definitions(self.custom_fields_object)
        old = subject.custom_fields
        new, changed = field_changes(fields, old, _texts(fields, answers))
        return Review(
            sentence=self.stays,
            figures=tuple(
                Figure(
                    label=field.label,
                    value=_shown(field, new.get(field.key)),
                    note=f"was: {_shown(field, old.get(field.key))}",
                )
                for field in changed
            ),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Change them."""
        fields = definitions(self.custom_fields_object)
        change_custom_fields(
            owner=subject,
            texts=_texts(fields, answers),
            actor=actor_of(request),
            reason=answers["reason"],
        )
        meta = self.model._meta
        return Done(
            message=f"The custom fields of {subject} are changed.",
            url=reverse(
                f"admin:{meta.app_label}_{meta.model_name}_change", args=[subject.pk]
            ),
        )


def _texts(
    fields: tuple[FieldDefinition, ...], answers: Mapping[str, Any]
) -> dict[str, str]:
    """Return what was answered as texts; a field defined meanwhile is left alone."""
    return {
        field.key: "" if value is None else show(field.kind, value)
        for field in fields
        if (value := answers.get(field_name(field.key), _ABSENT)) is not _ABSENT
    }


_ABSENT = object()


def _shown(field: FieldDefinition, stored: Stored | None) -> str:
    return NO_VALUE if stored is None else brief_value(field, stored)
