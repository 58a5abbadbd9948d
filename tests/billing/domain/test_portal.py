"""What a portal asks for and is not there: one function for all (F3)."""

import pytest

from billing.domain.portal import (
    DemandedField,
    DemandFacts,
    Demands,
    FieldOwner,
    missing_demands,
)
from customfields.domain.definition import FieldObject

GROUP = FieldOwner(owner=FieldObject.BILL_GROUP, pk=1, name="Plant", values={"a": "1"})
CONTRACTS = tuple(
    FieldOwner(owner=FieldObject.CONTRACT, pk=pk, name=f"C-{pk}", values=values)
    for pk, values in ((1, {"b": "x"}), (2, {}))
)
FULL = DemandFacts(
    po_number="PO 1",
    customer_tax_id="DE1",
    seller_tax_id="DE2",
    owners=(GROUP, *CONTRACTS),
)
BLANK = DemandFacts(
    po_number=" ", customer_tax_id="", seller_tax_id="", owners=(GROUP, *CONTRACTS)
)


def asked(owner: FieldObject, key: str) -> DemandedField:
    return DemandedField(owner=owner, key=key, label=key.upper())


@pytest.mark.parametrize(
    ("demands", "facts", "expected"),
    [
        pytest.param(Demands(), BLANK, [], id="asks_for_nothing"),
        pytest.param(
            Demands(po_number=True, customer_tax_id=True, seller_tax_id=True),
            FULL,
            [],
            id="all_there",
        ),
        pytest.param(
            Demands(po_number=True, customer_tax_id=True, seller_tax_id=True),
            BLANK,
            ["PO number", "Tax id of the customer", "Tax id of the seller"],
            id="blank_is_missing",
        ),
        pytest.param(
            Demands(fields=(asked(FieldObject.BILL_GROUP, "a"),)),
            FULL,
            [],
            id="field_there",
        ),
        pytest.param(
            Demands(fields=(asked(FieldObject.CONTRACT, "b"),)),
            FULL,
            ["B of C-2"],
            id="of_every_contract",
        ),
        pytest.param(
            Demands(fields=(asked(FieldObject.INVOICE, "c"),)),
            FULL,
            [],
            id="no_invoice_yet",
        ),
    ],
)
def test_f3_says_what_is_missing(
    demands: Demands, facts: DemandFacts, expected: list[str]
) -> None:
    assert [one.text for one in missing_demands(demands, facts)] == expected
