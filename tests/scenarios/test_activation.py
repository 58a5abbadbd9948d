"""What activating a contract does: the plan, and its first invoice (P1, G1-G8)."""

from datetime import date
from typing import Any

import pytest

from billing.models import BillGroup, InvoicingSettings
from contracts.models import Contract, ScheduledCharge
from invoicing.models import Invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import activate_contract
from tests.books import broken_invariants, invoice_facts, sold
from tests.factories import (
    BillGroupFactory,
    ContractFactory,
    ContractLineFactory,
    LegalEntityFactory,
    usage_line,
)

pytestmark = pytest.mark.django_db

START = date(2026, 1, 1)


def draft(*lines: dict[str, Any], **contract: Any) -> Contract:
    """Make a draft contract of 2026 with lines, one monthly in advance if none."""
    made: Contract = ContractFactory.create(**contract)
    for position, line in enumerate(lines or ({},), start=1):
        ContractLineFactory.create(contract=made, position=position, **line)
    return made


def activated(contract: Contract, today: date = START) -> list[date]:
    """Activate a contract; returns the bill dates of what it was invoiced at once."""
    activation = activate_contract(contract=contract, actor=None, today=today)
    assert broken_invariants() == []
    return [invoice.bill_date for invoice in activation.invoices]


def test_p1_everything_planned_is_stored_and_pending_but_the_first_invoice() -> None:
    contract = draft()

    activated(contract)

    states = ScheduledCharge.objects.order_by("bill_date").values_list("state")
    assert [state for (state,) in states] == ["INVOICED"] + ["PENDING"] * 11


def test_g6_the_first_invoice_is_made_at_once() -> None:
    assert activated(draft()) == [START]


def test_g6_at_once_also_when_it_starts_in_the_future() -> None:
    """G8."""
    contract = draft(start_date=date(2026, 6, 1))

    assert activated(contract) == [date(2026, 6, 1)]


def test_g8_the_first_invoice_is_the_earliest_bill_date_only() -> None:
    """A contract entered late: what else is due is the run's."""
    contract = draft()

    assert activated(contract, today=date(2026, 3, 15)) == [START]

    run_invoicing(as_of=date(2026, 3, 15))
    assert [bill_date for _, bill_date, _ in invoice_facts()] == [
        START,
        date(2026, 2, 1),
        date(2026, 3, 1),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([{"timing": "ARREARS"}], id="arrears"),
        pytest.param([{}, {"timing": "ARREARS"}], id="one_line_in_arrears"),
    ],
)
def test_g5_a_contract_with_any_arrears_line_waits(lines: list[dict[str, Any]]) -> None:
    assert activated(draft(*lines)) == []
    assert not Invoice.objects.exists()


def test_g5_a_contract_with_a_usage_line_waits() -> None:
    contract = draft()
    usage_line(contract=contract, position=2)

    assert activated(contract) == []


def test_g5_a_one_time_line_does_not_make_a_contract_wait() -> None:
    contract = draft({}, {"charge_type": "ONE_TIME", "frequency_months": None})

    assert activated(contract) == [START]
    assert Invoice.objects.get().lines.count() == 2


def test_g8_other_contracts_of_the_bill_group_are_left_alone() -> None:
    """G8: their arrears don't hold this one, their pending charges aren't taken."""
    group = BillGroupFactory.create()
    sold(today=START, bill_group=group, lines=[{"timing": "ARREARS"}])
    sold(today=START, bill_group=group)
    contract = draft(bill_group=group)

    assert activated(contract) == [START]

    invoice = Invoice.objects.get()
    assert {line.contract_number for line in invoice.lines.all()} == {contract.number}


@pytest.mark.parametrize(
    ("settings", "group"),
    [
        pytest.param({"invoicing": "MANUAL"}, {}, id="g1_manual_settings"),
        pytest.param({}, {"status": "INACTIVE"}, id="g2_inactive_group"),
        pytest.param({}, {"invoicing": "MANUAL"}, id="g3_manual_group"),
        pytest.param({}, {"awaiting_manual_invoice": True}, id="g4_reactivated"),
        pytest.param({"first_invoice": "ON_SCHEDULE"}, {}, id="g8_on_schedule"),
    ],
)
def test_gates_hold_the_first_invoice_and_the_contract_is_active_all_the_same(
    settings: dict[str, Any], group: dict[str, Any]
) -> None:
    """G1-G4, G8."""
    InvoicingSettings.objects.create(
        legal_entity=LegalEntityFactory.create(), **settings
    )
    contract = draft(bill_group=BillGroupFactory.create(**group))

    assert activated(contract) == []
    assert Contract.objects.get().status == "ACTIVE"
    assert set(ScheduledCharge.objects.values_list("state", flat=True)) == {"PENDING"}


def test_g8_on_schedule_the_run_makes_the_first_invoice() -> None:
    InvoicingSettings.objects.create(
        legal_entity=LegalEntityFactory.create(), first_invoice="ON_SCHEDULE"
    )
    activated(draft(start_date=date(2026, 2, 1)))

    run_invoicing(as_of=date(2026, 1, 31))
    assert not Invoice.objects.exists()
    run_invoicing(as_of=date(2026, 2, 1))

    assert [bill_date for _, bill_date, _ in invoice_facts()] == [date(2026, 2, 1)]


def test_s5_a_manual_bill_group_is_never_invoiced_by_itself() -> None:
    contract = draft(bill_group=BillGroupFactory.create(invoicing="MANUAL"))
    activated(contract)

    run_invoicing(as_of=date(2026, 6, 1))

    assert not Invoice.objects.exists()


def test_g10_a_first_charge_of_nothing_makes_no_document() -> None:
    contract = draft({"quantity": 0, "unit_price": 0})

    assert activated(contract) == []
    first = ScheduledCharge.objects.earliest("bill_date")
    assert first.state == "INVOICED"
    assert first.amount == 0


def test_g7_after_activation_the_run_goes_on_and_bills_nothing_twice() -> None:
    """P8."""
    activated(draft(end_date=date(2026, 3, 31)))

    for night in (START, date(2026, 2, 1), date(2026, 2, 1), date(2026, 12, 31)):
        run_invoicing(as_of=night)

    assert [bill_date for _, bill_date, _ in invoice_facts()] == [
        START,
        date(2026, 2, 1),
        date(2026, 3, 1),
    ]
    assert BillGroup.objects.count() == 1
    assert broken_invariants() == []
