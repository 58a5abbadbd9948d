"""The plan of all bill groups by bill date, with what stands in the way."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from billing.models import BillGroup, InvoicingSettings
from invoicing.models import ParkedBillGroup
from invoicing.services.lifecycle import activate_contract
from tests.factories import BillGroupFactory, ContractFactory, usage_line
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tenth_of_january() -> Iterator[None]:
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    return made


def first_row(through: str = "2026-02-01") -> tuple[dict[str, Any], str]:
    page = client_of("Support").get(
        reverse("admin:invoicing_pending"), {"through": through}
    )
    return page.context["rows"][0], page.content.decode()


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({}, "Planned"),
        ({"status": "INACTIVE"}, "Inactive"),
        ({"invoicing": "MANUAL"}, "By hand only"),
        ({"awaiting_manual_invoice": True}, "Waits for you"),
    ],
    ids=["planned", "G2", "G3", "G4"],
)
def test_row_says_what_stands_in_the_way(
    group: BillGroup, change: dict[str, Any], label: str
) -> None:
    active_contract(group)
    BillGroup.objects.filter(pk=group.pk).update(**change or {"name": group.name})

    row, _ = first_row()

    assert row["badge"].label == label


def test_settings_that_are_manual_stop_every_group(group: BillGroup) -> None:
    """G1."""
    active_contract(group)
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, invoicing="MANUAL"
    )

    row, _ = first_row()

    assert row["badge"].label == "By hand only"


def test_parked_group_says_so(group: BillGroup) -> None:
    """G13."""
    active_contract(group)
    ParkedBillGroup.objects.create(bill_group=group, reason="It broke.")

    row, _ = first_row()

    assert row["badge"].label == "Parked"


def test_usage_is_to_come_and_not_zero(group: BillGroup) -> None:
    contract = ContractFactory.create(bill_group=group)
    usage_line(contract=contract, position=1)
    activate_contract(contract=contract, actor=None, today=date(2026, 1, 1))

    _, page = first_row()

    assert "usage to come" in page
    assert "0.00" not in page


def test_status_leads_to_why(group: BillGroup) -> None:
    """G16."""
    active_contract(group)

    row, page = first_row()

    assert row["group"] == group
    assert (
        f"{reverse('admin:invoicing_why')}?q={group.public_id}&amp;on=2026-02-01"
        in (page)
    )
