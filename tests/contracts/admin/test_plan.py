"""The plan on a contract's page: by bill date, with totals by state (P1)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.display import TIMES
from contracts.models import Contract, ContractLine, ScheduledCharge
from invoicing.services.lifecycle import activate_contract
from tests.factories import ContractFactory, ContractLineFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def new_year() -> Iterator[None]:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        yield


def long_contract(*, years: int, lines: int) -> Contract:
    contract = ContractFactory.create(
        bill_group__legal_entity=company(), end_date=date(2025 + years, 12, 31)
    )
    for position in range(1, lines + 1):
        ContractLineFactory.create(contract=contract, position=position)
    return activate_contract(
        contract=contract, actor=None, today=date(2026, 1, 1)
    ).contract


def context_of(contract: Contract, **query: str) -> Any:
    url = reverse("admin:contracts_contract_change", args=[contract.pk])
    return client_of("Finance manager").get(url, query).context


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, f"2 {TIMES} 50.00"),
        ({"discount_percent": Decimal("7.5")}, f"2 {TIMES} 50.00 less 7.5 %"),
        ({"unit_price": None}, "2"),
        ({"quantity": None, "unit_price": None, "amount": None}, "as used"),
    ],
    ids=["full_price", "discount", "tiers", "not_rated"],
)
def test_charge_tells_its_period_quantity_and_price(
    changed: dict[str, Any], shown: str
) -> None:
    charge = long_contract(years=1, lines=1).charges.earliest("bill_date")
    rates: dict[str, Any] = {"quantity": Decimal(2), "unit_price": Decimal(50)}
    for name, value in (rates | changed).items():
        setattr(charge, name, value)
    owner: Any = admin.site.get_model_admin(ScheduledCharge)

    assert str(charge) == "1 Jan to 31 Jan 2026"
    assert owner.shown_rates(charge) == shown


def test_charges_stand_under_their_bill_date_with_its_sum() -> None:
    contract = long_contract(years=1, lines=3)

    first, *others = context_of(contract)["plan"]

    assert len(others) == 11
    assert (first.bill_date, first.charges) == (date(2026, 1, 1), 3)
    assert first.amount == Decimal(300)
    assert [row.invoice for row in first.rows] == ["INV-000001"] * 3


def test_totals_are_by_state_and_leave_out_what_was_replaced() -> None:
    contract = active_contract()
    charges = list(contract.charges.order_by("bill_date"))
    for place, state in ((3, "EXTERNAL"), (4, "SKIPPED"), (5, "SUPERSEDED")):
        ScheduledCharge.objects.filter(pk=charges[place].pk).update(state=state)

    context = context_of(contract)

    totals = {tab.label: (tab.count, tab.amount) for tab in context["plan_tabs"]}
    assert totals == {
        "All": (11, Decimal(1100)),
        "Pending": (8, Decimal(800)),
        "Invoiced": (1, Decimal(100)),
        "Billed elsewhere": (1, Decimal(100)),
        "Skipped": (1, Decimal(100)),
        "Replaced and canceled": (1, Decimal(100)),
    }
    assert len(context["plan"]) == 11


def test_ten_years_of_twenty_lines_cost_as_many_queries_as_one_of_one() -> None:
    def queries(contract: Contract, page: str) -> int:
        url = reverse("admin:contracts_contract_change", args=[contract.pk])
        client = client_of("Finance manager")
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(url, {"page": page})
        assert answer.status_code == 200
        return len(captured)

    long = long_contract(years=10, lines=20)
    context = context_of(long, page="20")

    assert context["plan_tabs"][0].count == 2400
    assert sum(len(day.rows) for day in context["plan"]) == 60
    assert len(context["plan_pages"]) < 15
    assert queries(long, "20") == queries(long_contract(years=1, lines=1), "1")


def test_plan_of_a_line_keeps_the_order_of_the_contract() -> None:
    contract = long_contract(years=1, lines=2)
    positions = dict(
        ContractLine.objects.filter(contract=contract).values_list("pk", "position")
    )
    charges = ScheduledCharge.objects.in_bulk()

    day = context_of(contract)["plan"][1]

    shown = [positions[charges[r.charge_id].contract_line_id] for r in day.rows]
    assert shown == [1, 2]
