"""What a customer's portal demands of a document, and what of it is missing (F3).

Portals reject a document that lacks the PO number, a tax id or a field of theirs. One
function says what is missing, of a bill group before its first invoice and of a
document before it is uploaded, from the same kind of facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from customfields.domain.definition import FieldObject
from customfields.domain.kinds import Stored


class Demand(StrEnum):
    """What a portal can ask for."""

    PO_NUMBER = "PO_NUMBER"
    CUSTOMER_TAX_ID = "CUSTOMER_TAX_ID"
    SELLER_TAX_ID = "SELLER_TAX_ID"
    CUSTOM_FIELD = "CUSTOM_FIELD"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandedField:
    """A custom field that has to be filled in."""

    owner: FieldObject
    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """All that one portal asks for."""

    po_number: bool = False
    customer_tax_id: bool = False
    seller_tax_id: bool = False
    fields: tuple[DemandedField, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOwner:
    """Something with custom fields: what it is, its id and name, and its values."""

    owner: FieldObject
    pk: int
    name: str
    values: Mapping[str, Stored]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandFacts:
    """What a document or a bill group has of what portals ask for."""

    po_number: str
    customer_tax_id: str
    seller_tax_id: str
    owners: tuple[FieldOwner, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One thing asked for that is not there; a field has its `owner` and `key`."""

    demand: Demand
    label: str
    owner: FieldOwner | None = None
    key: str = ""

    @property
    def text(self) -> str:
        """What is missing, in words."""
        return f"{self.label} of {self.owner.name}" if self.owner else self.label


def missing_demands(demands: Demands, facts: DemandFacts) -> tuple[Missing, ...]:
    """Return what a portal asks for and the facts don't have, in a fixed order.

    A field is asked of each of its owners that are named: of every contract, say.
    """
    asked = (
        (demands.po_number, Demand.PO_NUMBER, "PO number", facts.po_number),
        (
            demands.customer_tax_id,
            Demand.CUSTOMER_TAX_ID,
            "Tax id of the customer",
            facts.customer_tax_id,
        ),
        (
            demands.seller_tax_id,
            Demand.SELLER_TAX_ID,
            "Tax id of the seller",
            facts.seller_tax_id,
        ),
    )
    lacking = [
        Missing(demand=demand, label=label)
        for is_asked, demand, label, given in asked
        if is_asked and not given.strip()
    ]
    lacking += [
        Missing(
            demand=Demand.CUSTOM_FIELD, label=field.label, owner=owner, key=field.key
        )
        for field in demands.fields
        for owner in facts.owners
        if owner.owner is field.owner and field.key not in owner.values
    ]
    return tuple(lacking)
