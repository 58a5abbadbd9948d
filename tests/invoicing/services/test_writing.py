"""What was decided is written on the charges that it was decided of, or not at all."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.models import Contract, ScheduledCharge
from invoicing.models import Invoice, InvoiceLine, NumberSeries, ParkedBillGroup
from invoicing.services import batches, generation
from invoicing.services.assessment import Assessment
from invoicing.services.generation import generate_next_invoice, run_invoicing
from invoicing.services.writing import ChargesChanged, Written, write_assessments
from tests.books import broken_invariants, sold

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
USAGE = {
    "charge_type": "USAGE",
    "timing": "ARREARS",
    "quantity": None,
    "unit_price": Decimal(1),
}


def too_late(assessments: Sequence[Assessment], **given: Any) -> Written:
    """Write what was decided after someone else took the charges, past every lock."""
    ScheduledCharge.objects.filter(state="PENDING").update(state="SKIPPED")
    return write_assessments(assessments, **given)


def sell_usage(today: date) -> Contract:
    return sold(today=today, lines=[USAGE], end_date=date(2026, 1, 31))


@pytest.mark.parametrize(
    ("sell", "on"),
    [
        pytest.param(sold, JAN_1, id="billed"),
        pytest.param(sell_usage, date(2026, 2, 1), id="invoiced_at_zero"),
    ],
)
def test_g12_charges_that_someone_else_took_are_not_billed(
    sell: Callable[..., Contract], on: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = sell(today=JAN_1)
    monkeypatch.setattr(generation, "write_assessments", too_late)

    with pytest.raises(ChargesChanged, match="not pending any more"):
        generate_next_invoice(bill_group=contract.bill_group, actor=None, today=on)

    assert set(ScheduledCharge.objects.values_list("state", flat=True)) == {"PENDING"}
    assert not Invoice.objects.exists()
    assert not InvoiceLine.objects.exists()


def test_g12_the_run_parks_a_group_whose_charges_someone_else_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sold(today=JAN_1)
    monkeypatch.setattr(batches, "write_assessments", too_late)

    run_invoicing(as_of=JAN_1)

    assert "not pending any more" in ParkedBillGroup.objects.get().reason
    assert not Invoice.objects.exists()
    assert not NumberSeries.objects.filter(next_sequence__gt=1).exists()
    assert broken_invariants() == []
