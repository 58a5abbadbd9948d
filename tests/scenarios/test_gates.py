"""The table of section 2 of the rules, row by row, through the services (G1-G6)."""

from dataclasses import dataclass
from datetime import date
from itertools import product

import pytest

from billing.models import BillGroup, InvoicingSettings
from contracts.models import Contract
from invoicing.models import Invoice, RunDecision
from invoicing.services.explain import explain_invoice
from invoicing.services.generation import (
    NotGenerated,
    generate_first_invoices,
    generate_next_invoice,
    run_invoicing,
)
from tests.books import broken_invariants, sold
from tests.factories import BillGroupFactory, usage_line

pytestmark = pytest.mark.django_db

START = date(2026, 1, 1)
DUE = date(2026, 2, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    settings: str
    status: str
    mode: str
    awaiting: bool
    arrears: bool

    def __str__(self) -> str:
        words = [f"settings_{self.settings}", self.status, f"group_{self.mode}"]
        words += ["awaiting"] * self.awaiting
        words += ["in_arrears"] * self.arrears
        return "-".join(words).lower()

    @property
    def gate(self) -> str | None:
        """The first gate of the table that stops the run; written out on its own."""
        if self.settings == "MANUAL":
            return "G1"
        if self.status != "ACTIVE":
            return "G2"
        if self.mode == "MANUAL":
            return "G3"
        if self.awaiting:
            return "G4"
        return None


STATES = [
    State(settings=settings, status=status, mode=mode, awaiting=awaiting, arrears=late)
    for settings, status, mode, awaiting, late in product(
        ["AUTOMATIC", "MANUAL"],
        ["ACTIVE", "INACTIVE", "CANCELED"],
        ["AUTOMATIC", "MANUAL"],
        [False, True],
        [False, True],
    )
]
every_state = pytest.mark.parametrize("state", STATES, ids=str)


def sold_in(state: State) -> tuple[Contract, BillGroup]:
    """Sell one line, then bring settings and group into the state."""
    timing = "ARREARS" if state.arrears else "ADVANCE"
    contract = sold(today=START, lines=[{"timing": timing}])
    group = contract.bill_group
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, invoicing=state.settings
    )
    if state.status == "CANCELED":
        Contract.objects.filter(pk=contract.pk).update(status="CANCELED")
    BillGroup.objects.filter(pk=group.pk).update(
        status=state.status,
        invoicing=state.mode,
        awaiting_manual_invoice=state.awaiting,
    )
    group.refresh_from_db()
    return contract, group


@every_state
def test_run_invoices_only_what_no_gate_stops(state: State) -> None:
    _, group = sold_in(state)
    explained = explain_invoice(bill_group=group, on=DUE)

    run_invoicing(as_of=DUE)

    made = Invoice.objects.filter(bill_group=group).count()
    due_dates = 1 if state.arrears else 2
    assert made == (0 if state.gate else due_dates)
    assert explained.will_generate == (state.gate is None)
    if state.gate:
        assert explained.rule == state.gate
        kept = RunDecision.objects.filter(bill_group=group, run__isnull=False)
        assert {decision.rule for decision in kept} == {state.gate}
    assert broken_invariants() == []


@every_state
def test_a_person_generates_unless_the_group_is_not_active(state: State) -> None:
    _, group = sold_in(state)

    if state.status == "ACTIVE":
        invoice = generate_next_invoice(bill_group=group, actor=None, today=DUE)
        assert invoice.bill_date == (DUE if state.arrears else START)
        group.refresh_from_db()
        assert not group.awaiting_manual_invoice
    else:
        with pytest.raises(NotGenerated, match="Set it to Active first"):
            generate_next_invoice(bill_group=group, actor=None, today=DUE)
        assert not Invoice.objects.exists()
    assert broken_invariants() == []


@every_state
def test_activation_invoices_at_once_only_in_the_last_row(state: State) -> None:
    contract, _ = sold_in(state)

    made = generate_first_invoices(contracts=[contract], actor=None, today=START)

    at_once = state.gate is None and not state.arrears
    assert [invoice.bill_date for invoice in made] == ([START] if at_once else [])
    assert broken_invariants() == []


def test_g5_usage_on_the_contract_leaves_the_first_invoice_to_the_night() -> None:
    group = BillGroupFactory.create()
    contract = sold(today=START, lines=[{}], bill_group=group)
    mixed = Contract.objects.create(
        number="MIXED", bill_group=group, start_date=START, end_date=date(2026, 12, 31)
    )
    usage_line(contract=mixed, position=1)

    made = generate_first_invoices(contracts=[contract, mixed], actor=None, today=START)

    assert len(made) == 1
