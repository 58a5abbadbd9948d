"""An invoice of 20.00 that should be 10.00, mended button by button (A1-A7).

Each page is free of serious accessibility faults and console errors, wide and narrow.
"""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.models import BillGroup
from config.clock import today_in
from contracts.models import Contract
from invoicing.domain.states import SeriesKind
from invoicing.models import Invoice, NumberSeries
from invoicing.services.lifecycle import activate_contract
from tests.browser.conftest import Staff
from tests.factories import (
    BillGroupFactory,
    ContractFactory,
    ContractLineFactory,
    ProductFactory,
)
from tests.staff import company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def contract() -> Contract:
    """Four months of 20.00, from today on; the first is invoiced."""
    entity = company()
    NumberSeries.objects.create(
        legal_entity=entity, kind=SeriesKind.CREDIT_NOTE, prefix="CN-"
    )
    group: BillGroup = BillGroupFactory.create(legal_entity=entity)
    today = today_in(entity.time_zone)
    made = ContractFactory.create(
        bill_group=group, start_date=today, end_date=today + timedelta(days=110)
    )
    ContractLineFactory.create(
        contract=made, position=1, quantity=Decimal(2), unit_price=Decimal(10)
    )
    return activate_contract(contract=made, actor=None, today=today).contract


def test_20_that_should_be_10_is_mended_button_by_button(
    staff: Staff, contract: Contract
) -> None:
    ProductFactory.create(name="Sandbox")
    wrong = Invoice.objects.get()
    staff.open(f"/admin/invoicing/invoice/{wrong.pk}/change/")
    staff.press("Fix a wrong invoice")
    staff.accept()

    staff.press("Add a line")
    staff.accept()
    staff.press("Remove")
    staff.fill("New quantity", "1")
    staff.fill("Reason", "Order form says 1, it was keyed as 2.")
    staff.press("Review")

    assert "The customer still pays" in staff.text
    assert "Becomes superseded" in staff.text
    assert "Pending invoices change in place" in staff.text
    staff.accept()

    staff.press("Amend, issue and credit")

    assert "1 replacement issued, old credited." in staff.text
    assert "Amendment 1" in staff.text
    staff.accept()
    wrong.refresh_from_db()
    assert wrong.status == "CREDITED"
    right = Invoice.objects.get(replaces=wrong)
    assert (right.total, right.amount_due) == (Decimal(10), Decimal(10))


def test_amending_only_leaves_a_task_that_finishes_it(
    staff: Staff, contract: Contract
) -> None:
    wrong = Invoice.objects.get()
    staff.open(f"/admin/contracts/contract/{contract.pk}/amend/")
    staff.fill("New quantity", "1")
    staff.fill("Reason", "Order form says 1.")
    staff.press("Review")
    staff.press("Amend only")
    staff.open("/admin/")
    assert "Superseded, not credited" in staff.text
    staff.accept()

    staff.press("Superseded, not credited")
    staff.accept()
    staff.press(f"Issue and credit {wrong}")
    staff.accept()
    staff.press("Issue and credit")

    assert "10.00 USD is due on it" in staff.text
    staff.accept()


def test_discard_and_reissue_show_what_follows(
    staff: Staff, contract: Contract
) -> None:
    wrong = Invoice.objects.get()
    staff.open(f"/admin/invoicing/invoice/{wrong.pk}/reissue/")
    staff.accept()
    staff.fill("Reason", "They moved.")
    staff.press("Make the replacement draft")
    staff.accept()

    staff.press("Discard")
    staff.accept()
    staff.fill("Reason", "The address was right.")
    staff.press("Discard the draft")

    assert "stands as it was billed" in staff.text
    staff.accept()
