"""Cancel contracts, undo it, and close what has run out (S1, S2)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing.models import AuditEvent, InvoicingSettings
from billing.services.reasons import ReasonMissing
from contracts.models import Contract, ScheduledCharge
from contracts.services.cancellation import CancellationRefused
from invoicing.models import CreditLimit, CreditNote, Invoice
from invoicing.services.canceling import Unused
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import (
    Canceled,
    cancel_contract,
    preview_cancellation,
    undo_cancellation,
)
from tests.books import broken_invariants, sold

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, FEB_1, MAR_1 = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
TODAY = date(2026, 2, 10)


def sell(**line: Any) -> Contract:
    """28.00 a month from January to April, invoiced as of today."""
    made = sold(
        today=date(2025, 12, 31),
        start_date=JAN_1,
        end_date=date(2026, 4, 30),
        lines=[{"unit_price": D(28)} | line],
    )
    run_invoicing(as_of=JAN_1)
    run_invoicing(as_of=FEB_1)
    return Contract.objects.get(pk=made.pk)


@pytest.fixture
def contract() -> Contract:
    return sell()


def cancel(contract: Contract, last_day: date, **fields: Any) -> Canceled:
    values: dict[str, Any] = {
        "reason": "Customer left",
        "unused": {},
        "actor": None,
        "today": TODAY,
    }
    return cancel_contract(contract=contract, last_day=last_day, **(values | fields))


def live(contract: Contract) -> list[tuple[str, Decimal, str]]:
    rows = ScheduledCharge.objects.filter(contract=contract).exclude(
        state__in=["SUPERSEDED", "CANCELED"]
    )
    return [
        (
            charge.period_end.isoformat()[5:],
            (charge.amount or D(0)).normalize(),
            charge.state,
        )
        for charge in rows.order_by("period_start")
    ]


def february(contract: Contract) -> ScheduledCharge:
    charge: ScheduledCharge = contract.charges.get(period_start=FEB_1)
    return charge


def in_order() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return broken_invariants() == []


class TestPlan:
    def test_s1_what_comes_after_the_last_day_is_canceled(
        self, contract: Contract
    ) -> None:
        cancel(contract, date(2026, 2, 28))

        assert live(contract) == [
            ("01-31", D(28), "INVOICED"),
            ("02-28", D(28), "INVOICED"),
        ]
        assert in_order()

    def test_m5_the_history_says_how_much_was_taken_off(
        self, contract: Contract
    ) -> None:
        canceled = cancel(contract, date(2026, 2, 28))

        told = AuditEvent.objects.get(code="contract.cancellation")
        assert canceled.dropped > 0
        assert D(told.after["taken_off"]) == canceled.dropped
        assert told.after["currency"] == contract.bill_group.currency

    def test_s1_a_pending_charge_across_it_is_cut(self, contract: Contract) -> None:
        cancel(contract, date(2026, 4, 15))

        assert live(contract)[-1] == ("04-15", D(14), "PENDING")
        assert in_order()

    def test_s1_the_day_before_the_start_means_never_served(
        self, contract: Contract
    ) -> None:
        canceled = cancel(contract, date(2025, 12, 31))

        assert [one.unused_amount for one in canceled.charges] == [D(28), D(28)]
        assert [row[2] for row in live(contract)] == ["INVOICED", "INVOICED"]

    def test_s1_a_draft_is_rebuilt(self) -> None:
        contract = sold(
            today=date(2025, 12, 31),
            start_date=FEB_1,
            end_date=date(2026, 4, 30),
            lines=[{"unit_price": D(28)}],
        )
        InvoicingSettings.objects.create(
            legal_entity=contract.bill_group.legal_entity, review_before_issue=True
        )
        run_invoicing(as_of=FEB_1)

        canceled = cancel(contract, date(2026, 2, 14))

        assert [draft.total for draft in canceled.corrected.rebuilt] == [D(14)]
        assert live(contract) == [("02-14", D(14), "DRAFTED")]
        assert in_order()


class TestUnused:
    @pytest.mark.parametrize(
        ("choice", "credited"),
        [(Unused.NOTHING, None), (Unused.DAYS, D(14)), (Unused.ALL, D(28))],
    )
    def test_s1_staff_choose_for_each_issued_charge(
        self, contract: Contract, choice: Unused, credited: Decimal | None
    ) -> None:
        canceled = cancel(
            contract,
            date(2026, 2, 14),
            unused={february(contract).pk: choice},
        )

        (unused,) = canceled.charges
        assert unused.unused_amount == D(14)
        assert [note.total for note in canceled.credit_notes] == (
            [credited] if credited else []
        )
        assert {n.reason_code for n in canceled.credit_notes} <= {"CANCELLATION"}
        assert in_order()

    def test_s1_what_was_credited_before_is_not_credited_again(
        self, contract: Contract
    ) -> None:
        cancel(contract, date(2026, 2, 14), unused={february(contract).pk: Unused.ALL})
        note = CreditNote.objects.get()
        assert note.total == D(28)

        undo_refused = pytest.raises(CancellationRefused, match="CN-000001 was made")
        with undo_refused:
            undo_cancellation(contract=contract, reason="", actor=None, today=TODAY)

    def test_s1_what_was_billed_elsewhere_is_named(self, contract: Contract) -> None:
        ScheduledCharge.objects.filter(period_start=MAR_1).update(state="EXTERNAL")

        canceled = cancel(contract, date(2026, 2, 28))

        (outside,) = canceled.charges
        assert (outside.charge.state, outside.invoice) == ("EXTERNAL", None)

    def test_a9_a_credit_above_the_limit_waits(self, contract: Contract) -> None:
        CreditLimit.objects.create(
            legal_entity=contract.bill_group.legal_entity, currency="USD", amount=D(5)
        )

        canceled = cancel(
            contract, date(2026, 2, 14), unused={february(contract).pk: Unused.DAYS}
        )

        assert [note.status for note in canceled.credit_notes] == ["TO_APPROVE"]


class TestEnd:
    def test_s2_the_last_arrears_invoice_still_comes(self) -> None:
        contract = sell(timing="ARREARS")

        cancel(contract, date(2026, 2, 28))
        assert Contract.objects.get().status == "ACTIVE"
        run_invoicing(as_of=MAR_1)
        run_invoicing(as_of=date(2026, 4, 1))

        assert Invoice.objects.count() == 2
        assert Contract.objects.get().status == "CANCELED"
        assert AuditEvent.objects.filter(code="contract.canceled").count() == 1
        assert in_order()

    def test_s2_one_without_anything_pending_is_canceled_when_its_day_has_passed(
        self, contract: Contract
    ) -> None:
        cancel(contract, TODAY)
        assert Contract.objects.get().status == "ACTIVE"

        run_invoicing(as_of=date(2026, 2, 11))

        assert Contract.objects.get().status == "CANCELED"

    def test_s2_canceled_in_the_past_it_is_canceled_at_once(
        self, contract: Contract
    ) -> None:
        canceled = cancel(contract, date(2026, 1, 31))

        assert canceled.contract.status == "CANCELED"

    def test_s2_one_whose_end_has_passed_is_ended(self, contract: Contract) -> None:
        for night in (MAR_1, date(2026, 4, 1), date(2026, 4, 30), date(2026, 5, 1)):
            assert Contract.objects.get().status == "ACTIVE"
            run_invoicing(as_of=night)

        assert Contract.objects.get().status == "ENDED"
        assert in_order()


class TestUndo:
    def test_s2_until_the_day_the_plan_comes_back(self, contract: Contract) -> None:
        before = live(contract)
        cancel(contract, date(2026, 2, 28))

        undo_cancellation(contract=contract, reason="Stays", actor=None, today=TODAY)

        assert live(contract) == before
        assert Contract.objects.get().last_day is None
        assert AuditEvent.objects.filter(code="contract.cancellation_undone").exists()
        assert in_order()

    def test_s2_after_a_credit_only_once_it_is_void(self, contract: Contract) -> None:
        cancel(contract, date(2026, 2, 14), unused={february(contract).pk: Unused.DAYS})
        void_credit_note(
            note=CreditNote.objects.get(), reason="Stays", actor=None, today=TODAY
        )

        undo_cancellation(contract=contract, reason="Stays", actor=None, today=TODAY)

        assert live(contract)[-1] == ("04-30", D(28), "PENDING")

    def test_s2_not_after_the_day(self, contract: Contract) -> None:
        cancel(contract, date(2026, 2, 28))

        with pytest.raises(CancellationRefused, match="ended on 28 Feb 2026"):
            undo_cancellation(
                contract=contract, reason="Stays", actor=None, today=MAR_1
            )

    def test_s2_not_without_a_cancellation(self, contract: Contract) -> None:
        with pytest.raises(CancellationRefused, match="not being canceled"):
            undo_cancellation(contract=contract, reason="", actor=None, today=TODAY)


class TestRefused:
    @pytest.mark.parametrize(
        ("last_day", "sentence"),
        [
            (date(2025, 12, 30), "already means never served"),
            (date(2026, 5, 1), "lies after the end"),
        ],
    )
    def test_s1_a_day_that_makes_no_sense(
        self, contract: Contract, last_day: date, sentence: str
    ) -> None:
        with pytest.raises(CancellationRefused, match=sentence):
            cancel(contract, last_day)

    def test_s1_needs_a_reason(self, contract: Contract) -> None:
        with pytest.raises(ReasonMissing, match="cancellation"):
            cancel(contract, TODAY, reason=" ")

    def test_s1_not_twice(self, contract: Contract) -> None:
        cancel(contract, TODAY)

        with pytest.raises(CancellationRefused, match="already"):
            cancel(contract, date(2026, 2, 20))


def test_s1_a_preview_writes_nothing(contract: Contract) -> None:
    before = live(contract)

    previewed = preview_cancellation(
        contract=contract,
        last_day=date(2026, 2, 14),
        reason="Left",
        unused={february(contract).pk: Unused.DAYS},
        actor=None,
        today=TODAY,
    )

    assert [note.total for note in previewed.credit_notes] == [D(14)]
    assert live(contract) == before
    assert not CreditNote.objects.exists()
    assert Contract.objects.get().last_day is None
