"""Stopping bill groups and setting them back to Active (S3, S4, G4)."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from billing.domain.bill_group import BillGroupStatus
from billing.models import (
    AccountingPeriod,
    AuditEvent,
    BillGroup,
    DeactivationRequest,
)
from billing.services.bill_groups import (
    AlreadyActive,
    AlreadyRequested,
    ClosedPeriodBillGroup,
    NotActive,
    NotWaiting,
    StillBilled,
    cancel_bill_group,
    check_stop,
    deactivate_bill_group,
    decline_deactivation,
    reactivate_bill_group,
    request_deactivation,
)
from billing.services.reasons import ReasonMissing
from contracts.models import ScheduledCharge
from tests.contracts.test_queries import charge
from tests.factories import BillGroupFactory, ContractLineFactory, UserFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 5, 4)
JANUARY = (date(2026, 1, 1), date(2026, 1, 31))
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
APRIL = (date(2026, 4, 1), date(2026, 4, 30))


@pytest.fixture
def group() -> BillGroup:
    made: BillGroup = BillGroupFactory.create()
    return made


@pytest.fixture
def someone() -> User:
    made: User = UserFactory.create(username="sam")
    return made


def deactivate(group: BillGroup, **fields: Any) -> BillGroup:
    values: dict[str, Any] = {"reason": "Fraud?", "actor": None, "today": TODAY}
    return deactivate_bill_group(bill_group=group, **(values | fields))


def close_through_march(group: BillGroup) -> None:
    AccountingPeriod.objects.create(
        legal_entity=group.legal_entity, month=date(2026, 3, 1), state="CLOSED"
    )


def status_of(group: BillGroup) -> str:
    return BillGroup.objects.values_list("status", flat=True).get(pk=group.pk)


class TestDeactivate:
    def test_s3_stops_the_group_and_leaves_its_charges_pending(
        self, group: BillGroup, someone: User
    ) -> None:
        line = ContractLineFactory.create(contract__bill_group=group)
        charge(line, *MARCH)
        charge(line, *APRIL)

        deactivate(group, actor=someone, reason="  Wrong customer ")

        entry = AuditEvent.objects.get(code="bill_group.deactivated")
        assert status_of(group) == "INACTIVE"
        assert {c.state for c in ScheduledCharge.objects.all()} == {"PENDING"}
        assert (entry.actor_name, entry.reason) == ("sam", "Wrong customer")
        assert entry.bill_group_id == group.pk
        assert entry.before == {"status": "ACTIVE"}
        assert entry.after == {"status": "INACTIVE", "since": "2026-05-04"}

    def test_s3_needs_a_reason(self, group: BillGroup) -> None:
        with pytest.raises(ReasonMissing):
            deactivate(group, reason=" ")

        assert status_of(group) == "ACTIVE"

    @pytest.mark.parametrize("status", ["INACTIVE", "CANCELED"])
    def test_s3_one_that_is_stopped_is_not_stopped_again(self, status: str) -> None:
        stopped = BillGroupFactory.create(status=status)

        with pytest.raises(NotActive, match=status.lower()):
            deactivate(stopped)

        assert not AuditEvent.objects.exists()

    def test_s3_a_request_that_waits_is_approved_by_it(
        self, group: BillGroup, someone: User
    ) -> None:
        request = request_deactivation(bill_group=group, reason="Moved", actor=None)

        deactivate(group, actor=someone)

        request.refresh_from_db()
        assert (request.state, request.decided_by_name) == ("APPROVED", "sam")
        assert request.decided_at is not None


class TestClosedPeriods:
    def test_s4_a_closed_period_group_is_refused_and_the_period_named(
        self, group: BillGroup
    ) -> None:
        line = ContractLineFactory.create(contract__bill_group=group)
        charge(line, *MARCH, state="INVOICED")
        close_through_march(group)

        with pytest.raises(ClosedPeriodBillGroup) as refusal:
            deactivate(group)

        assert str(refusal.value) == (
            f"{group.public_id} can't be deactivated: all it was billed for lies in "
            "closed periods, the last one March 2026. Nothing will be generated for it."
        )
        assert status_of(group) == "ACTIVE"
        assert not AuditEvent.objects.exists()

    def test_s4_raw_sql_is_refused_too(self, group: BillGroup) -> None:
        line = ContractLineFactory.create(contract__bill_group=group)
        charge(line, *MARCH, state="INVOICED")
        close_through_march(group)

        with (
            pytest.raises(IntegrityError, match="March 2026"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE billing_billgroup SET status = 'INACTIVE'")

    @pytest.mark.parametrize(
        ("period", "fields"),
        [
            pytest.param(APRIL, {"state": "INVOICED"}, id="service_in_an_open_month"),
            pytest.param(
                MARCH,
                {"state": "INVOICED", "bill_date": date(2026, 4, 1)},
                id="billed_in_an_open_month",
            ),
            pytest.param(MARCH, {"state": "PENDING"}, id="pending"),
            pytest.param(MARCH, {"state": "DRAFTED"}, id="on_a_draft"),
        ],
    )
    def test_s4_a_group_with_anything_open_can_be_deactivated(
        self, group: BillGroup, period: tuple[date, date], fields: dict[str, Any]
    ) -> None:
        line = ContractLineFactory.create(contract__bill_group=group)
        charge(line, *JANUARY, state="INVOICED")
        close_through_march(group)
        charge(line, *period, **fields)

        deactivate(group)

        assert status_of(group) == "INACTIVE"

    def test_s4_a_group_without_charges_can_be_deactivated(
        self, group: BillGroup
    ) -> None:
        close_through_march(group)

        deactivate(group)

        assert status_of(group) == "INACTIVE"

    def test_s4_canceled_charges_do_not_count(self, group: BillGroup) -> None:
        line = ContractLineFactory.create(contract__bill_group=group)
        charge(line, *MARCH, state="INVOICED")
        charge(line, *APRIL, state="CANCELED")
        close_through_march(group)

        with pytest.raises(ClosedPeriodBillGroup):
            deactivate(group)

    def test_s4_a_month_that_was_reopened_is_open(self, group: BillGroup) -> None:
        line = ContractLineFactory.create(contract__bill_group=group)
        charge(line, *MARCH, state="INVOICED")
        close_through_march(group)
        AccountingPeriod.objects.update(state="OPEN")

        deactivate(group)

        assert status_of(group) == "INACTIVE"


class TestCancel:
    def cancel(self, group: BillGroup) -> None:
        cancel_bill_group(bill_group=group, reason="Gone", actor=None, today=TODAY)

    def test_a_group_without_active_contract_is_canceled(
        self, group: BillGroup
    ) -> None:
        request_deactivation(bill_group=group, reason="Moved", actor=None)

        self.cancel(group)

        assert status_of(group) == "CANCELED"
        assert AuditEvent.objects.filter(code="bill_group.canceled").exists()
        assert DeactivationRequest.objects.get().state == "APPROVED"

    def test_a_group_with_an_active_contract_is_refused(self, group: BillGroup) -> None:
        contract = ContractLineFactory.create(
            contract__bill_group=group, contract__status="ACTIVE"
        ).contract

        with pytest.raises(StillBilled, match=f"contract {contract.number} is active"):
            self.cancel(group)

        assert status_of(group) == "ACTIVE"

    def test_a_canceled_group_is_not_canceled_again(self) -> None:
        with pytest.raises(NotActive):
            self.cancel(BillGroupFactory.create(status="CANCELED"))


class TestReactivate:
    @pytest.mark.parametrize("status", ["INACTIVE", "CANCELED"])
    def test_g4_its_next_invoice_is_made_by_hand(
        self, status: str, someone: User
    ) -> None:
        stopped = BillGroupFactory.create(status=status)

        reactivate_bill_group(bill_group=stopped, actor=someone, today=TODAY)

        stopped.refresh_from_db()
        entry = AuditEvent.objects.get(code="bill_group.reactivated")
        assert stopped.status == BillGroupStatus.ACTIVE
        assert stopped.awaiting_manual_invoice
        assert entry.before == {"status": status}

    def test_an_active_group_is_not_reactivated(self, group: BillGroup) -> None:
        with pytest.raises(AlreadyActive):
            reactivate_bill_group(bill_group=group, actor=None, today=TODAY)

        group.refresh_from_db()
        assert not group.awaiting_manual_invoice


class TestRequests:
    def test_s3_finance_asks_and_support_sees_who_and_why(
        self, group: BillGroup, someone: User
    ) -> None:
        request = request_deactivation(
            bill_group=group, reason="Moved to a new group", actor=someone
        )

        assert status_of(group) == "ACTIVE"
        assert (request.state, request.requested_by_name) == ("REQUESTED", "sam")
        assert AuditEvent.objects.get().code == "bill_group.deactivation_requested"

    def test_s3_is_asked_once(self, group: BillGroup) -> None:
        request_deactivation(bill_group=group, reason="Moved", actor=None)

        with pytest.raises(AlreadyRequested):
            request_deactivation(bill_group=group, reason="Again", actor=None)
        with pytest.raises(IntegrityError), transaction.atomic():
            DeactivationRequest.objects.create(bill_group=group, reason="Past it")

    def test_s3_a_stopped_group_is_not_asked_for(self) -> None:
        stopped = BillGroupFactory.create(status="INACTIVE")

        with pytest.raises(NotActive):
            request_deactivation(bill_group=stopped, reason="Moved", actor=None)

    def test_s4_what_support_could_not_do_is_not_asked_for(
        self, group: BillGroup
    ) -> None:
        line = ContractLineFactory.create(contract__bill_group=group)
        charge(line, *MARCH, state="INVOICED")
        close_through_march(group)

        with pytest.raises(ClosedPeriodBillGroup, match="March 2026"):
            request_deactivation(bill_group=group, reason="Moved", actor=None)

        assert status_of(group) == "ACTIVE"
        assert not DeactivationRequest.objects.exists()

    def test_s3_support_declines_with_a_reason(
        self, group: BillGroup, someone: User
    ) -> None:
        request = request_deactivation(bill_group=group, reason="Moved", actor=None)

        with pytest.raises(ReasonMissing):
            decline_deactivation(request=request, reason="", actor=someone)
        declined = decline_deactivation(
            request=request, reason="Still used", actor=someone
        )

        assert (declined.state, declined.decided_by_name) == ("DECLINED", "sam")
        assert status_of(group) == "ACTIVE"
        with pytest.raises(NotWaiting, match="declined already"):
            decline_deactivation(request=request, reason="Again", actor=someone)

    def test_s3_after_a_refusal_it_can_be_asked_again(self, group: BillGroup) -> None:
        request = request_deactivation(bill_group=group, reason="Moved", actor=None)
        decline_deactivation(request=request, reason="No", actor=None)

        request_deactivation(bill_group=group, reason="Please", actor=None)

        assert DeactivationRequest.objects.filter(state="REQUESTED").count() == 1

    def test_a_decision_without_its_time_is_refused(self, group: BillGroup) -> None:
        request = request_deactivation(bill_group=group, reason="Moved", actor=None)

        with pytest.raises(IntegrityError), transaction.atomic():
            DeactivationRequest.objects.filter(pk=request.pk).update(state="APPROVED")


class TestCheck:
    @pytest.mark.parametrize("status", ["INACTIVE", "CANCELED"])
    def test_s4_what_may_be_stopped_is_left_as_it_is(
        self, group: BillGroup, status: str
    ) -> None:
        check_stop(bill_group=group, status=BillGroupStatus(status))

        assert status_of(group) == "ACTIVE"
        assert not AuditEvent.objects.exists()

    def test_one_with_an_active_contract_is_refused_before_it_is_canceled(
        self, group: BillGroup
    ) -> None:
        ContractLineFactory.create(
            contract__bill_group=group, contract__status="ACTIVE"
        )

        with pytest.raises(StillBilled):
            check_stop(bill_group=group, status=BillGroupStatus.CANCELED)

    @pytest.mark.parametrize(
        ("is_now", "becomes"),
        [
            ("INACTIVE", "INACTIVE"),
            ("CANCELED", "INACTIVE"),
            ("CANCELED", "CANCELED"),
        ],
    )
    def test_one_that_is_stopped_is_refused(self, is_now: str, becomes: str) -> None:
        stopped = BillGroupFactory.create(status=is_now)

        with pytest.raises(NotActive):
            check_stop(bill_group=stopped, status=BillGroupStatus(becomes))
