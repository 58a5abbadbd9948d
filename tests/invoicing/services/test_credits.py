"""Credits of invoices (A5, A9, A10)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from billing.models import AccountingPeriod, AuditEvent, BillGroup
from billing.services.periods import close_period
from billing.services.reasons import ReasonMissing
from invoicing.domain.credit import NotCreditable
from invoicing.domain.states import CreditReason, CreditSettlement
from invoicing.models import (
    BalanceEntry,
    CreditLimit,
    CreditNote,
    Invoice,
    InvoiceLine,
)
from invoicing.services.balance import apply_balance
from invoicing.services.credit_decisions import (
    CreditStands,
    NotWaiting,
    OwnCredit,
    approve_credit,
    decline_credit,
    void_credit_note,
)
from invoicing.services.credits import NotIssued, credit_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.locks import PeriodClosed
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, sold
from tests.factories import UserFactory, tax_rate

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, TODAY = date(2026, 1, 1), date(2026, 1, 20)


@pytest.fixture
def invoice() -> Invoice:
    """One invoice of 20.00 for January, without tax."""
    sold(
        today=date(2025, 12, 31),
        start_date=JAN_1,
        end_date=date(2026, 1, 31),
        lines=[{"unit_price": D(12)}, {"unit_price": D(8)}],
    )
    run_invoicing(as_of=JAN_1)
    return Invoice.objects.get()


@pytest.fixture
def clerk() -> User:
    made: User = UserFactory.create(username="clara")
    return made


def credit(invoice: Invoice, **fields: Any) -> CreditNote:
    values: dict[str, Any] = {"reason": "Wrong price", "actor": None, "today": TODAY}
    return credit_invoice(invoice=invoice, **(values | fields))


def pay(invoice: Invoice, amount: str) -> None:
    record_payment(
        bill_group=BillGroup.objects.get(pk=invoice.bill_group_id),
        amount=D(amount),
        received_on=TODAY,
        reference="",
        actor=None,
        today=TODAY,
    )


def lines(invoice: Invoice, *amounts: str) -> dict[int, Decimal]:
    rows = InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    return {
        row.pk: D(amount) for row, amount in zip(rows, amounts, strict=True) if amount
    }


def limit(invoice: Invoice, amount: str) -> None:
    CreditLimit.objects.create(
        legal_entity=invoice.legal_entity, currency="USD", amount=D(amount)
    )


def in_order() -> bool:
    """The sums are checked now, and the books are in order."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return broken_invariants() == []


def state_of(invoice: Invoice) -> tuple[str, Decimal]:
    invoice.refresh_from_db()
    return invoice.status, invoice.amount_due


class TestRemainder:
    def test_a5_an_unpaid_invoice_is_credited_in_full(self, invoice: Invoice) -> None:
        note = credit(invoice)

        assert (note.due_part, note.paid_part) == (D(20), D(0))
        assert (note.number, note.issue_date) == ("CN-000001", TODAY)
        assert state_of(invoice) == ("CREDITED", D(0))
        assert sum(line.amount for line in note.lines.all()) == D(20)
        assert not BalanceEntry.objects.exists()
        assert in_order()

    def test_a5_of_one_not_replaced_only_what_is_due_is_credited(
        self, invoice: Invoice
    ) -> None:
        pay(invoice, "5")

        note = credit(invoice)

        assert (note.due_part, note.paid_part) == (D(15), D(0))
        assert state_of(invoice) == ("PAID", D(0))
        assert in_order()

    def test_a5_what_was_paid_comes_back_to_the_balance_on_a_tick(
        self, invoice: Invoice
    ) -> None:
        pay(invoice, "5")

        note = credit(invoice, with_paid=True)

        entry = BalanceEntry.objects.get()
        assert (note.due_part, note.paid_part) == (D(15), D(5))
        assert (entry.left, entry.credit_note) == (D(5), note)
        assert state_of(invoice) == ("CREDITED", D(0))
        assert in_order()

    def test_a5_or_is_recorded_as_refunded(self, invoice: Invoice) -> None:
        pay(invoice, "20")

        note = credit(invoice, with_paid=True, settlement=CreditSettlement.REFUND)

        assert note.paid_part == D(20)
        assert not BalanceEntry.objects.exists()
        assert in_order()

    def test_a5_a_paid_one_asks_for_the_tick(self, invoice: Invoice) -> None:
        pay(invoice, "20")

        with pytest.raises(NotCreditable, match="To give back what was paid, tick it"):
            credit(invoice)

    def test_a10_the_second_person_is_told_what_remains(self, invoice: Invoice) -> None:
        credit(invoice)

        with pytest.raises(NotCreditable, match="Nothing is left to credit"):
            credit(invoice)

        assert CreditNote.objects.count() == 1

    def test_m5_who_when_what_and_why_are_kept(
        self, invoice: Invoice, clerk: User
    ) -> None:
        note = credit(invoice, actor=clerk, reason_code=CreditReason.GOODWILL)

        entry = AuditEvent.objects.get(code="credit_note.issued")
        assert (entry.actor_name, entry.reason) == ("clara", "Wrong price")
        assert entry.invoice_id == invoice.pk
        assert entry.before == {"due": "20.00", "status": "OPEN"}
        assert entry.after["status"] == "CREDITED"
        assert entry.after["number"] == note.number
        assert note.reason_code == "GOODWILL"


class TestLines:
    def test_a9_chosen_amounts_of_lines(self, invoice: Invoice) -> None:
        note = credit(invoice, lines=lines(invoice, "2", "1.5"))

        assert [line.amount for line in note.lines.order_by("pk")] == [D(2), D("1.5")]
        assert note.total == D("3.5")
        assert state_of(invoice) == ("OPEN", D("16.5"))
        assert in_order()

    def test_a9_more_than_is_left_of_a_line_is_refused(self, invoice: Invoice) -> None:
        credit(invoice, lines=lines(invoice, "10", ""))

        with pytest.raises(NotCreditable, match=r"Only 2\.00 is left"):
            credit(invoice, lines=lines(invoice, "3", ""))

    def test_a9_a_line_of_another_invoice_is_refused(self, invoice: Invoice) -> None:
        with pytest.raises(NotCreditable, match="not on this invoice"):
            credit(invoice, lines={0: D(1)})

    def test_a9_tax_follows_and_the_last_credit_leaves_no_cent(self) -> None:
        sold(
            today=date(2025, 12, 31),
            start_date=JAN_1,
            end_date=date(2026, 1, 31),
            lines=[{"unit_price": D("0.13"), "tax_rate": tax_rate("19")}] * 3,
        )
        run_invoicing(as_of=JAN_1)
        invoice = Invoice.objects.get()

        notes = [
            credit(invoice, lines=lines(invoice, *amounts))
            for amounts in [("0.13", "", ""), ("", "0.13", "")]
        ]
        notes.append(credit(invoice))

        assert [note.tax for note in notes] == [D("0.02"), D("0.03"), D("0.02")]
        assert state_of(invoice) == ("CREDITED", D(0))
        assert notes[0].taxes == [
            {"name": "Standard", "percent": "19", "taxable": "0.13", "tax": "0.02"}
        ]
        assert in_order()


class TestRefused:
    def test_a_draft_is_not_credited(self) -> None:
        draft = draft_invoice()

        with pytest.raises(NotIssued):
            credit(draft)

    def test_a9_needs_a_reason(self, invoice: Invoice) -> None:
        with pytest.raises(ReasonMissing):
            credit(invoice, reason="  ")

    def test_m6_no_credit_is_dated_in_a_closed_month(self, invoice: Invoice) -> None:
        close_january(invoice)

        with pytest.raises(PeriodClosed):
            credit(invoice)
        note = credit(invoice, today=date(2026, 2, 1))

        assert note.issue_date == date(2026, 2, 1)


def draft_invoice() -> Invoice:
    sold(today=date(2025, 12, 31), start_date=JAN_1, end_date=date(2026, 1, 31))
    run_invoicing(as_of=JAN_1)
    return Invoice.objects.create(
        **{
            field.attname: getattr(Invoice.objects.get(), field.attname)
            for field in Invoice._meta.concrete_fields
            if field.name
            not in {"id", "status", "number", "sequence", "issue_date", "due_date"}
            and not field.generated
        },
        status="DRAFT",
    )


def close_january(invoice: Invoice) -> None:
    period = AccountingPeriod(legal_entity=invoice.legal_entity, month=JAN_1)
    close_period(period=period, actor=None)


class TestApproval:
    def test_a9_up_to_the_limit_no_one_is_asked(self, invoice: Invoice) -> None:
        limit(invoice, "20")

        assert credit(invoice).status == "ISSUED"

    def test_a9_above_it_the_credit_waits_and_moves_no_money(
        self, invoice: Invoice, clerk: User
    ) -> None:
        limit(invoice, "19.99")

        note = credit(invoice, actor=clerk)

        assert (note.status, note.number) == ("TO_APPROVE", None)
        assert state_of(invoice) == ("OPEN", D(20))
        assert AuditEvent.objects.filter(code="credit_note.requested").exists()
        assert in_order()

    def test_a9_small_credits_of_one_invoice_count_together(
        self, invoice: Invoice, clerk: User
    ) -> None:
        limit(invoice, "10")

        first = credit(invoice, actor=clerk, lines=lines(invoice, "6", ""))
        second = credit(invoice, actor=clerk, lines=lines(invoice, "5", ""))

        assert [first.status, second.status] == ["ISSUED", "TO_APPROVE"]

    def test_a9_nobody_approves_their_own(self, invoice: Invoice, clerk: User) -> None:
        limit(invoice, "10")
        note = credit(invoice, actor=clerk)

        with pytest.raises(OwnCredit):
            approve_credit(note=note, actor=clerk, today=TODAY)

        assert state_of(invoice) == ("OPEN", D(20))

    def test_a9_a_second_person_issues_it(self, invoice: Invoice, clerk: User) -> None:
        limit(invoice, "10")
        note = credit(invoice, actor=clerk)
        boss = UserFactory.create(username="max")

        issued = approve_credit(note=note, actor=boss, today=date(2026, 1, 25))

        assert (issued.status, issued.decided_by_name) == ("ISSUED", "max")
        assert issued.issue_date == date(2026, 1, 25)
        assert state_of(invoice) == ("CREDITED", D(0))
        with pytest.raises(NotWaiting):
            approve_credit(note=note, actor=boss, today=TODAY)
        assert in_order()

    def test_a9_what_was_approved_counts_no_more(
        self, invoice: Invoice, clerk: User
    ) -> None:
        limit(invoice, "10")
        note = credit(invoice, actor=clerk, lines=lines(invoice, "11", ""))
        approve_credit(note=note, actor=UserFactory.create(), today=TODAY)

        after = credit(invoice, actor=clerk, lines=lines(invoice, "", "8"))

        assert after.status == "ISSUED"

    def test_a10_one_that_no_longer_fits_is_not_approved(
        self, invoice: Invoice, clerk: User
    ) -> None:
        limit(invoice, "10")
        note = credit(invoice, actor=clerk, lines=lines(invoice, "12", ""))
        CreditLimit.objects.update(amount=D(100))
        credit(invoice, lines=lines(invoice, "1", ""))

        with pytest.raises(NotCreditable, match="credited meanwhile"):
            approve_credit(note=note, actor=UserFactory.create(), today=TODAY)

    def test_a9_is_declined_with_a_reason(self, invoice: Invoice, clerk: User) -> None:
        limit(invoice, "10")
        note = credit(invoice, actor=clerk)
        boss = UserFactory.create(username="max")

        with pytest.raises(ReasonMissing):
            decline_credit(note=note, reason=" ", actor=boss, today=TODAY)
        declined = decline_credit(note=note, reason="No", actor=boss, today=TODAY)

        assert (declined.status, declined.decided_by_name) == ("DECLINED", "max")
        assert state_of(invoice) == ("OPEN", D(20))
        assert in_order()


class TestVoid:
    def test_a9_the_invoice_is_due_again(self, invoice: Invoice, clerk: User) -> None:
        note = credit(invoice)

        void_credit_note(note=note, reason="By mistake", actor=clerk, today=TODAY)

        note.refresh_from_db()
        assert (note.status, note.void_reason) == ("VOID", "By mistake")
        assert state_of(invoice) == ("OPEN", D(20))
        assert credit(invoice).number == "CN-000002"
        assert in_order()

    def test_m5_what_it_means_for_the_invoice_is_told(self, invoice: Invoice) -> None:
        note = credit(invoice)

        void_credit_note(note=note, reason="By mistake", actor=None, today=TODAY)

        event = AuditEvent.objects.get(code="credit_note.voided")
        assert (event.before["status"], D(event.before["due"])) == ("CREDITED", D(0))
        assert (event.after["status"], D(event.after["due"])) == ("OPEN", D(20))
        assert D(event.after["total"]) == D(20)

    def test_a9_unused_balance_goes_with_it(self, invoice: Invoice) -> None:
        pay(invoice, "5")
        note = credit(invoice, with_paid=True)

        void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)

        entry = BalanceEntry.objects.get()
        assert (entry.left, entry.withdrawn) == (D(0), D(5))
        assert state_of(invoice) == ("OPEN", D(15))
        assert in_order()

    def test_a9_not_once_its_balance_was_used(self, invoice: Invoice) -> None:
        pay(invoice, "5")
        note = credit(invoice, with_paid=True)
        sold(
            today=date(2025, 12, 31),
            bill_group=BillGroup.objects.get(),
            start_date=JAN_1,
            end_date=date(2026, 1, 31),
        )
        use_it(note)

        with pytest.raises(CreditStands, match="balance from CN-000001 was used"):
            void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)

    def test_a9_not_once_it_was_refunded(self, invoice: Invoice) -> None:
        pay(invoice, "5")
        note = credit(invoice, with_paid=True, settlement=CreditSettlement.REFUND)

        with pytest.raises(CreditStands, match="refunded"):
            void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)

    def test_a9_not_once_its_month_is_closed(self, invoice: Invoice) -> None:
        note = credit(invoice)
        close_january(invoice)

        with pytest.raises(CreditStands, match="closed month"):
            void_credit_note(
                note=note, reason="Mistake", actor=None, today=date(2026, 2, 2)
            )

    def test_a9_not_twice(self, invoice: Invoice) -> None:
        note = credit(invoice)
        void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)

        with pytest.raises(CreditStands, match="is void"):
            void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)


def use_it(note: CreditNote) -> None:
    """Have a later invoice use the balance of a credit."""
    run_invoicing(as_of=TODAY)
    apply_balance(bill_group=BillGroup.objects.get(), today=TODAY, actor=None)
    assert BalanceEntry.objects.get(credit_note=note).used
