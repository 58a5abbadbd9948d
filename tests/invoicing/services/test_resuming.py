"""Setting a bill group to Active and settling what it missed (S3, G4)."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import AccountingPeriod, AuditEvent, BillGroup, TaxRate
from billing.services.bill_groups import (
    AlreadyActive,
    deactivate_bill_group,
)
from billing.services.reasons import ReasonMissing
from contracts.models import ScheduledCharge
from invoicing.models import Invoice
from invoicing.services.generation import NotGenerated, run_invoicing
from invoicing.services.locks import PeriodClosed
from invoicing.services.parking import park_bill_group
from invoicing.services.resuming import (
    Choice,
    NotMissed,
    Resumed,
    preview_missed,
    resume_bill_group,
)
from tests.books import broken_invariants, invoice_facts, sold
from tests.factories import BillGroupFactory
from tests.staff import company

pytestmark = pytest.mark.django_db

JAN_1, FEB_1, MAR_1, APR_1 = (date(2026, month, 1) for month in (1, 2, 3, 4))
MAR_10 = date(2026, 3, 10)


@pytest.fixture
def group() -> BillGroup:
    """Stopped since the new year: January to March were missed, 100.00 each."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    sold(
        today=date(2025, 12, 31),
        bill_group=made,
        start_date=JAN_1,
        end_date=date(2026, 12, 31),
        lines=[{"unit_price": Decimal(100)}],
    )
    deactivate_bill_group(bill_group=made, reason="Fraud?", actor=None, today=JAN_1)
    return made


def resume(group: BillGroup, choices: dict[date, Choice], reason: str = "") -> Resumed:
    return resume_bill_group(
        bill_group=group, choices=choices, reason=reason, actor=None, today=MAR_10
    )


def states() -> dict[date, str]:
    charges = ScheduledCharge.objects.filter(bill_date__lte=APR_1)
    return dict(charges.order_by("bill_date").values_list("bill_date", "state"))


def test_s3_what_came_due_meanwhile_is_listed_oldest_first(group: BillGroup) -> None:
    missed = preview_missed(bill_group=group, today=MAR_10)

    group.refresh_from_db()
    assert [(m.bill_date, m.total) for m in missed] == [
        (day, Decimal(100)) for day in (JAN_1, FEB_1, MAR_1)
    ]
    assert group.status == "INACTIVE"
    assert not group.awaiting_manual_invoice
    assert not AuditEvent.objects.filter(code="bill_group.reactivated").exists()


def test_s3_bill_skip_and_leave_in_one_transaction(group: BillGroup) -> None:
    choices = {JAN_1: Choice.BILL, FEB_1: Choice.SKIP}

    resumed = resume(group, choices, "Service was down")

    assert states() == {
        JAN_1: "INVOICED",
        FEB_1: "SKIPPED",
        MAR_1: "PENDING",
        APR_1: "PENDING",
    }
    assert [one.bill_date for one in resumed.skipped] == [FEB_1]
    assert [one.bill_date for one in resumed.left] == [MAR_1]
    entry = AuditEvent.objects.get(code="charges.skipped")
    assert entry.reason == "Service was down"
    assert entry.after["bill_date"] == "2026-02-01"
    assert entry.after["amount"] == "100.000"
    assert broken_invariants() == []


def test_s3_billed_are_made_one_invoice_each_oldest_first(group: BillGroup) -> None:
    choices = dict.fromkeys((MAR_1, JAN_1, FEB_1), Choice.BILL)

    resume(group, choices)

    assert invoice_facts() == [
        ("INV-000001", JAN_1, "1E+2"),
        ("INV-000002", FEB_1, "1E+2"),
        ("INV-000003", MAR_1, "1E+2"),
    ]
    assert set(Invoice.objects.values_list("issue_date", flat=True)) == {MAR_10}


def test_g4_one_billed_clears_the_wait_and_the_run_makes_what_was_left(
    group: BillGroup,
) -> None:
    resumed = resume(group, {JAN_1: Choice.BILL})
    run_invoicing(as_of=MAR_10)

    group.refresh_from_db()
    assert not resumed.still_waits
    assert (group.status, group.awaiting_manual_invoice) == ("ACTIVE", False)
    assert [bill_date for _, bill_date, _ in invoice_facts()] == [JAN_1, FEB_1, MAR_1]


@pytest.mark.parametrize(
    "choices",
    [
        pytest.param({}, id="all_left"),
        pytest.param(dict.fromkeys((JAN_1, FEB_1, MAR_1), Choice.SKIP), id="skipped"),
    ],
)
def test_g4_holds_for_the_next_one_where_none_was_billed(
    group: BillGroup, choices: dict[date, Choice]
) -> None:
    resumed = resume(group, choices, "Goodwill")
    run_invoicing(as_of=APR_1)

    group.refresh_from_db()
    assert resumed.still_waits
    assert (group.status, group.awaiting_manual_invoice) == ("ACTIVE", True)
    assert not Invoice.objects.exists()


def test_s3_a_skip_needs_a_reason_and_then_nothing_is_done(group: BillGroup) -> None:
    with pytest.raises(ReasonMissing):
        resume(group, {JAN_1: Choice.BILL, FEB_1: Choice.SKIP}, " ")

    group.refresh_from_db()
    assert group.status == "INACTIVE"
    assert set(states().values()) == {"PENDING"}


def test_s3_a_bill_date_that_was_not_missed_is_refused(group: BillGroup) -> None:
    with pytest.raises(NotMissed, match="1 Apr 2026"):
        resume(group, {APR_1: Choice.BILL})

    group.refresh_from_db()
    assert group.status == "INACTIVE"


def test_s3_an_active_one_is_refused(group: BillGroup) -> None:
    resume(group, {})

    with pytest.raises(AlreadyActive):
        resume(group, {})
    with pytest.raises(AlreadyActive):
        preview_missed(bill_group=group, today=MAR_10)


def test_m6_nothing_is_billed_into_a_closed_month(group: BillGroup) -> None:
    AccountingPeriod.objects.create(
        legal_entity=group.legal_entity, month=MAR_1, state="CLOSED"
    )

    with pytest.raises(PeriodClosed):
        resume(group, {JAN_1: Choice.BILL})
    resume(group, {JAN_1: Choice.SKIP}, "Too late")

    assert states()[JAN_1] == "SKIPPED"


def test_s3_what_cannot_be_worked_out_is_listed_and_can_be_left(
    group: BillGroup,
) -> None:
    """A tax rate without a percent keeps a bill group from being billed, not active."""
    other: BillGroup = BillGroupFactory.create(legal_entity=group.legal_entity)
    sold(
        today=date(2025, 12, 31),
        bill_group=other,
        start_date=JAN_1,
        lines=[{"tax_rate": TaxRate.objects.create(name="New")}],
    )
    deactivate_bill_group(bill_group=other, reason="x", actor=None, today=JAN_1)

    missed = preview_missed(bill_group=other, today=MAR_10)

    assert {one.total for one in missed} == {None}
    assert [one.amount for one in missed] == [Decimal(100)] * 3
    assert "has no percent" in missed[0].refusal
    resumed = resume(other, {JAN_1: Choice.SKIP}, "Wrong rate")
    assert len(resumed.left) == 2


def test_s3_a_parked_one_is_listed_but_not_billed(group: BillGroup) -> None:
    """G13."""
    park_bill_group(bill_group=group, reason="It broke.", run=None)

    (first, *_) = preview_missed(bill_group=group, today=MAR_10)

    assert "parked" in first.refusal
    with pytest.raises(NotGenerated, match="parked"):
        resume(group, {JAN_1: Choice.BILL})
