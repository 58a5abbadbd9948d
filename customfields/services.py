"""Checking values on their way in, and taking a definition away."""

from collections.abc import Mapping

from django.db import transaction

from customfields.choices import OWNERS
from customfields.domain.definition import FieldObject
from customfields.domain.kinds import Stored
from customfields.domain.values import FieldError, read_values
from customfields.models import CustomField
from customfields.queries import count_holders, definitions


class FieldHoldsValues(ValueError):
    """A field that can't be deleted, because owners hold values of it."""

    def __init__(self, field: CustomField, count: int) -> None:
        holders = OWNERS[FieldObject(field.object)].counted(count)
        super().__init__(
            f"{field.label} can't be deleted: {holders} "
            f"{'holds' if count == 1 else 'hold'} a value of it. Archive it instead; "
            "its values are kept."
        )


def check_values(
    object_name: FieldObject, raw: Mapping[str, str]
) -> tuple[dict[str, Stored], list[FieldError]]:
    """Return what a new owner stores for texts by key, and all that is wrong (F2).

    One query. For many owners take `queries.definitions` once and
    `domain.values.read_values` for each.
    """
    return read_values(definitions(object_name), raw)


@transaction.atomic
def delete_field(*, field: CustomField) -> None:
    """Delete a definition that nothing holds a value of; raises `FieldHoldsValues`."""
    locked = CustomField.objects.select_for_update().get(pk=field.pk)
    refuse_deletion_of_held(locked)
    locked.delete()


def refuse_deletion_of_held(field: CustomField) -> None:
    """Raise `FieldHoldsValues` if any owner holds a value of a field."""
    count = count_holders(field)
    if count:
        raise FieldHoldsValues(field, count)
