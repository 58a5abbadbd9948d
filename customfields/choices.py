"""What people read of the objects and types of custom fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from customfields.domain.definition import FieldObject
from customfields.domain.kinds import Kind


@dataclass(frozen=True, slots=True)
class OwnerWords:
    """The words for what a field belongs to, and its model, known by name only.

    The model keeps its values in a JSON column named `custom_fields`.
    """

    singular: str
    plural: str
    model: str

    def counted(self, count: int) -> str:
        """Return a count with its noun.

        >>> OwnerWords("bill group", "bill groups", "").counted(1200)
        '1,200 bill groups'
        """
        return f"{count:,} {self.singular if count == 1 else self.plural}"


OWNERS: Final[Mapping[FieldObject, OwnerWords]] = {
    FieldObject.ACCOUNT: OwnerWords("account", "accounts", "billing.Account"),
    FieldObject.BILL_GROUP: OwnerWords(
        "bill group", "bill groups", "billing.BillGroup"
    ),
    FieldObject.CONTRACT: OwnerWords("contract", "contracts", "contracts.Contract"),
    FieldObject.INVOICE: OwnerWords("invoice", "invoices", "invoicing.Invoice"),
}

FIELD_OBJECTS: Final = [
    (name.value, words.singular.capitalize()) for name, words in OWNERS.items()
]

KINDS: Final = [
    (Kind.TEXT.value, "Text"),
    (Kind.LONG_TEXT.value, "Long text"),
    (Kind.NUMBER.value, "Number"),
    (Kind.DATE.value, "Date"),
    (Kind.YES_NO.value, "Yes/no"),
    (Kind.CHOICE.value, "Choice"),
    (Kind.URL.value, "URL"),
]
