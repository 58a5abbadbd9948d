"""Change the custom fields of what has them, outside its form (F2, M5).

An account, bill group, contract or invoice is changed alike: also a contract in force
and an issued invoice, whose terms and paper stay as they are.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction

from billing.services import audit
from customfields.choices import OWNERS
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.kinds import Stored, show
from customfields.domain.values import FieldError, change_values
from customfields.queries import definitions

Owner = TypeVar("Owner", bound=models.Model)


class ValuesRefused(ValueError):
    """Values that fields can't hold; the text says which, and what to write instead."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        self.errors = errors
        super().__init__(" ".join(f"{one.key}: {one.message}" for one in errors))


class NothingChanged(ValueError):
    """A change that would leave every field as it is."""

    def __init__(self) -> None:
        super().__init__("Every field has this value already. Nothing is changed.")


def field_changes(
    fields: tuple[FieldDefinition, ...],
    stored: Mapping[str, Stored],
    texts: Mapping[str, str],
) -> tuple[dict[str, Stored], tuple[FieldDefinition, ...]]:
    """Return an owner's values after a change, and the fields that it changes.

    Raises `ValuesRefused` and `NothingChanged`.
    """
    values, errors = change_values(fields, stored, texts)
    if errors:
        raise ValuesRefused(tuple(errors))
    changed = tuple(f for f in fields if stored.get(f.key) != values.get(f.key))
    if not changed:
        raise NothingChanged
    return values, changed


@transaction.atomic
def change_custom_fields(
    *,
    owner: Owner,
    texts: Mapping[str, str],
    actor: AbstractBaseUser | None,
    reason: str = "",
) -> Owner:
    """Store texts by key as values of an owner; fields that are not named stay.

    A blank text empties a field. Raises `ValuesRefused` and `NothingChanged`.
    """
    name = _OBJECTS[owner._meta.label]
    locked = (
        type(owner)._default_manager.select_for_update(no_key=True).get(pk=owner.pk)
    )
    stored: dict[str, Stored] = vars(locked)["custom_fields"]
    values, changed = field_changes(definitions(name), stored, texts)
    setattr(locked, "custom_fields", values)  # noqa: B010 (of any owner)
    locked.save(update_fields=["custom_fields"])
    audit.record(
        f"{name.lower()}.fields_changed",
        actor=actor,
        subject=_subject(locked)[:200],
        before=_shown(changed, stored),
        after=_shown(changed, values),
        reason=reason,
        **_filed_under(name, locked),
    )
    return locked


_OBJECTS: Final = {words.model: name for name, words in OWNERS.items()}


def _shown(
    fields: tuple[FieldDefinition, ...], values: Mapping[str, Stored]
) -> dict[str, str]:
    return {
        field.label: show(field.kind, values[field.key]) if field.key in values else ""
        for field in fields
    }


def _subject(owner: Any) -> str:
    return str(getattr(owner, "public_id", owner))


def _filed_under(name: FieldObject, owner: Any) -> dict[str, int]:
    match name:
        case FieldObject.ACCOUNT:
            return {"account_id": owner.pk}
        case FieldObject.BILL_GROUP:
            return {"account_id": owner.account_id, "bill_group_id": owner.pk}
        case FieldObject.CONTRACT:
            return {
                "account_id": owner.bill_group.account_id,
                "bill_group_id": owner.bill_group_id,
                "contract_id": owner.pk,
            }
        case FieldObject.INVOICE:
            return {
                "account_id": owner.account_id,
                "bill_group_id": owner.bill_group_id,
                "invoice_id": owner.pk,
            }
