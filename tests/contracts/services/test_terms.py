from datetime import date

import pytest

from billing.models import AuditEvent
from contracts.models import Contract, ScheduledCharge
from contracts.services.terms import (
    BillGroupIsCanceled,
    ContractNotDraft,
    ContractUnplannable,
    activate,
)
from tests.factories import ContractFactory, ContractLineFactory, UserFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 10)


def test_activating_plans_all_charges_through_the_end() -> None:
    """P1."""
    contract = ContractLineFactory.create().contract

    active = activate(contract=contract, actor=None, today=TODAY)

    assert (active.status, active.activated_on, active.version) == ("ACTIVE", TODAY, 1)
    assert active.extend_on is None
    states = ScheduledCharge.objects.values_list("state", flat=True)
    assert list(states) == ["PENDING"] * 12


def test_the_version_grows() -> None:
    contract = ContractLineFactory.create(contract__version=3).contract

    assert activate(contract=contract, actor=None, today=TODAY).version == 4


def test_an_evergreen_contract_knows_when_its_plan_grows() -> None:
    """P1."""
    contract = ContractLineFactory.create(contract__end_date=None).contract

    active = activate(contract=contract, actor=None, today=TODAY)

    assert active.extend_on == date(2026, 2, 1)


def test_activation_leaves_one_audit_entry() -> None:
    """M5."""
    actor = UserFactory.create()
    contract = ContractLineFactory.create().contract

    activate(contract=contract, actor=actor, today=TODAY)

    entry = AuditEvent.objects.get()
    assert (entry.code, entry.subject) == ("contract.activated", contract.number)
    assert (entry.actor_name, entry.contract_id) == (actor.username, contract.pk)
    assert entry.bill_group_id == contract.bill_group_id
    assert entry.account_id == contract.bill_group.account_id
    assert entry.before == {"status": "DRAFT"}
    assert entry.after == {
        "status": "ACTIVE",
        "activated_on": "2026-01-10",
        "charges": 12,
    }


@pytest.mark.parametrize("status", ["ACTIVE", "CANCELED", "ENDED"])
def test_only_a_draft_can_be_activated(status: str) -> None:
    contract = ContractFactory.create(status=status)
    ContractLineFactory.create(contract=contract)

    with pytest.raises(
        ContractNotDraft, match=f"{contract.number} is {status.lower()}"
    ):
        activate(contract=contract, actor=None, today=TODAY)

    assert not ScheduledCharge.objects.exists()


def test_activating_a_stale_draft_sees_that_it_is_active() -> None:
    stale: Contract = ContractLineFactory.create().contract
    activate(contract=stale, actor=None, today=TODAY)
    assert stale.status == "DRAFT"

    with pytest.raises(ContractNotDraft):
        activate(contract=stale, actor=None, today=TODAY)

    assert ScheduledCharge.objects.count() == 12


def test_a_contract_of_a_canceled_bill_group_stays_a_draft() -> None:
    contract = ContractLineFactory.create(
        contract__bill_group__status="CANCELED"
    ).contract

    with pytest.raises(BillGroupIsCanceled, match="Set the bill group to Active"):
        activate(contract=contract, actor=None, today=TODAY)


def test_a_contract_of_an_inactive_bill_group_is_activated() -> None:
    """G2 holds its invoices; its plan stands."""
    contract = ContractLineFactory.create(
        contract__bill_group__status="INACTIVE"
    ).contract

    assert activate(contract=contract, actor=None, today=TODAY).status == "ACTIVE"


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        pytest.param({"bill_month": 1}, "can't go with a bill month", id="bill_month"),
        pytest.param(
            {"start_date": date(1850, 1, 1)}, "outside the years", id="year_1850"
        ),
        pytest.param(
            {"end_date": date(2126, 6, 1)}, "longer than 100 years", id="too_long"
        ),
    ],
)
def test_a_contract_that_cannot_be_planned_says_why_and_stays_a_draft(
    terms: dict[str, object], sentence: str
) -> None:
    contract = ContractFactory.create(**terms)
    ContractLineFactory.create(contract=contract, frequency_months=5)

    with pytest.raises(ContractUnplannable, match=sentence):
        activate(contract=contract, actor=None, today=TODAY)

    contract.refresh_from_db()
    assert (contract.status, contract.version) == ("DRAFT", 0)
    assert not AuditEvent.objects.exists()


def test_a_contract_without_lines_cannot_be_activated() -> None:
    contract = ContractFactory.create()

    with pytest.raises(ContractUnplannable, match="has no lines"):
        activate(contract=contract, actor=None, today=TODAY)
