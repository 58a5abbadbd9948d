"""Custom fields, defined by staff (F1).

A definition is used from the next request on, by every process: nothing caches it.
Its object, key and type never change (a trigger), because values are stored under
them; a field that holds values is archived, not deleted.
"""

from typing import Final

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower

from customfields.choices import FIELD_OBJECTS, KINDS
from customfields.domain.definition import (
    KEY_PATTERN,
    MAX_KEY,
    MOST_COLUMNS,
    MOST_FILTERS,
    FieldObject,
    InvalidChoices,
    InvalidKey,
    check_choices,
    check_key,
)
from customfields.domain.kinds import InvalidValue, Kind, check, parse

# The words of an owner's values, as its index says it.
VALUE_WORDS: Final = Func(
    F("custom_fields"), function="customfields_words", output_field=SearchVectorField()
)


def owner_indexes(owner: str) -> tuple[models.Index, ...]:
    """Return the indexes of an owner's values: who holds one, and their words.

    Owners without values are in neither, so they cost a night's run nothing.
    """
    filled = ~Q(custom_fields={})
    return (
        GinIndex(
            fields=["custom_fields"], name=f"{owner}_field_values", condition=filled
        ),
        GinIndex(VALUE_WORDS, name=f"{owner}_field_words", condition=filled),
    )


def validate_key(value: str) -> None:
    """Refuse a key that no field can have."""
    try:
        check_key(value)
    except InvalidKey as fault:
        raise ValidationError(str(fault)) from None


def validate_line(value: str) -> None:
    """Refuse a text with control characters or more than one line."""
    try:
        parse(Kind.TEXT, value)
    except InvalidValue as fault:
        raise ValidationError(str(fault)) from None


class CustomField(models.Model):
    """A field that staff added to accounts, bill groups, contracts or invoices."""

    object = models.CharField(max_length=10, choices=FIELD_OBJECTS)
    key = models.CharField(
        max_length=MAX_KEY,
        validators=[validate_key],
        help_text="For CSV columns (cf:key), for example portal_id. "
        "It can't be changed later.",
    )
    label = models.CharField(
        max_length=60,
        validators=[validate_line],
        help_text="What people read. Changing it keeps the values.",
    )
    kind = models.CharField(
        "type",
        max_length=10,
        choices=KINDS,
        default=Kind.TEXT.value,
        help_text="It can't be changed later.",
    )
    choices = models.JSONField(default=list, blank=True)
    required = models.BooleanField(
        default=False,
        help_text="What is saved without a value stays valid until it is saved again.",
    )
    default = models.JSONField(null=True, blank=True)
    help_text = models.CharField(max_length=300, blank=True, validators=[validate_line])
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Fields stand in the order of this number."
    )
    printed = models.BooleanField(
        "shown on the invoice",
        default=False,
        help_text="The value is copied to an invoice when it is generated, printed on "
        "it, and stays as it was.",
    )
    in_list = models.BooleanField(
        "column of the list",
        default=True,
        help_text=f"A list has room for {MOST_COLUMNS}, the first by position.",
    )
    in_filter = models.BooleanField(
        "filter of the list",
        default=True,
        help_text=f"A list offers {MOST_FILTERS}, the first by position.",
    )
    retired = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text="Choices no longer offered that were held when they were removed.",
    )
    archived = models.BooleanField(
        default=False, help_text="No longer asked for or shown; its values are kept."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["object", "key"],
                name="custom_field_key_once_an_object",
                violation_error_message="There is a field with this key already, "
                "perhaps an archived one.",
            ),
            models.UniqueConstraint(
                "object",
                Lower("label"),
                condition=Q(archived=False),
                name="custom_field_label_once_an_object",
                violation_error_message="There is a field with this label already.",
            ),
            models.CheckConstraint(
                condition=Q(object__in=[name.value for name in FieldObject]),
                name="custom_field_object_known",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in Kind]),
                name="custom_field_type_known",
            ),
            models.CheckConstraint(
                condition=Q(key__regex=KEY_PATTERN),
                name="custom_field_key_is_an_identifier",
                violation_error_message="A key has small letters, digits and single "
                "underscores, and starts with a letter.",
            ),
            models.CheckConstraint(
                condition=Q(kind=Kind.CHOICE.value) & ~Q(choices=[])
                | ~Q(kind=Kind.CHOICE.value) & Q(choices=[]),
                name="custom_field_choices_for_choice_only",
                violation_error_message="A field of the type choice has choices, "
                "any other has none.",
            ),
            models.CheckConstraint(
                condition=~Q(object=FieldObject.INVOICE.value, printed=True),
                name="custom_field_of_invoice_not_printed",
                violation_error_message="What is shown on an invoice is copied when "
                "it is generated, from its account, bill group and contracts. An "
                "invoice's own fields are not printed.",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Refuse choices and a default that don't fit the type."""
        if self.kind not in set(Kind):
            return
        kind, choices = Kind(self.kind), tuple(self.choices)
        try:
            check_choices(kind, choices)
        except InvalidChoices as fault:
            raise ValidationError({"choices": str(fault)}) from None
        if self.default is None:
            return
        try:
            check(kind, self.default, choices=choices)
        except InvalidValue as fault:
            raise ValidationError({"default": str(fault)}) from None
