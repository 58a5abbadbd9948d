"""The one check of an owner's custom fields, whichever way they come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from customfields.domain.definition import FieldDefinition
from customfields.domain.kinds import InvalidValue, Stored, is_blank, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with the value of one field, in a sentence."""

    key: str
    value: str
    message: str


def read_value(definition: FieldDefinition, text: str) -> Stored | None:
    """Return the stored value of a text, None for a blank one.

    Raises `InvalidValue`, for a blank text too if the field is required.
    """
    if not is_blank(text):
        return parse(definition.kind, text, choices=definition.choices)
    if definition.required:
        raise InvalidValue(f"{definition.label} is required. Fill it in.")
    return None


def read_values(
    definitions: Sequence[FieldDefinition], raw: Mapping[str, str]
) -> tuple[dict[str, Stored], list[FieldError]]:
    """Return the stored values of a new owner, and everything wrong with its texts.

    A field that `raw` doesn't name gets its default; one that it names with a blank
    text stays empty.
    """
    values: dict[str, Stored] = {}
    known = {definition.key for definition in definitions}
    errors = [
        FieldError(
            key=key,
            value=text,
            message=f"There is no custom field {key}. Define it in Settings > Custom "
            "Fields, or leave it out.",
        )
        for key, text in raw.items()
        if key not in known
    ]
    for definition in definitions:
        text = raw.get(definition.key)
        if text is None and definition.default is not None:
            values[definition.key] = definition.default
            continue
        try:
            value = read_value(definition, text or "")
        except InvalidValue as fault:
            errors.append(
                FieldError(key=definition.key, value=text or "", message=str(fault))
            )
            continue
        if value is not None:
            values[definition.key] = value
    return values, errors


def printed_values(
    definitions: Sequence[FieldDefinition], values: Mapping[str, Stored]
) -> list[dict[str, Stored]]:
    """Return what an invoice keeps of its owner's printed fields, in their order (F2).

    One `{key, label, kind, value}` for each field that has a value.
    """
    return [
        {
            "key": definition.key,
            "label": definition.label,
            "kind": definition.kind.value,
            "value": values[definition.key],
        }
        for definition in definitions
        if definition.printed and definition.key in values
    ]
