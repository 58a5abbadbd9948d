"""Payments, the balance they leave, and payments taken back (M4)."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.models import AuditEvent, BillGroup
from billing.services.reasons import ReasonMissing
from invoicing.domain.allocation import NotAllocatable
from invoicing.domain.credit import NotCreditable
from invoicing.domain.states import CreditSettlement
from invoicing.models import (
    BalanceEntry,
    BalanceUse,
    CreditNote,
    Invoice,
    Payment,
    PaymentAllocation,
)
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import (
    NotAPayment,
    RecordedBefore,
    record_payment,
)
from invoicing.services.payments_taken_back import PaymentStays, take_back_payment
from tests.books import broken_invariants, sold

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, TODAY = date(2026, 1, 1), date(2026, 3, 20)


@pytest.fixture
def group() -> BillGroup:
    """Three open invoices of 10.00, for January, February and March."""
    return three_invoices()


def three_invoices() -> BillGroup:
    contract = sold(
        today=date(2025, 12, 31),
        start_date=JAN_1,
        end_date=date(2026, 3, 31),
        lines=[{"unit_price": D(10)}],
    )
    for month in (1, 2, 3):
        run_invoicing(as_of=date(2026, month, 1))
    return contract.bill_group


def pay(group: BillGroup, amount: str, **fields: Any) -> Payment:
    values: dict[str, Any] = {
        "received_on": TODAY,
        "reference": "",
        "actor": None,
        "today": TODAY,
    }
    return record_payment(bill_group=group, amount=D(amount), **(values | fields))


def take_back(payment: Payment, reason: str = "Bounced") -> Payment:
    return take_back_payment(payment=payment, reason=reason, actor=None, today=TODAY)


def credit(invoice: Invoice, **fields: Any) -> CreditNote:
    values: dict[str, Any] = {"reason": "Wrong", "actor": None, "today": TODAY}
    return credit_invoice(invoice=invoice, **(values | fields))


def invoices() -> list[Invoice]:
    return list(Invoice.objects.order_by("sequence"))


def dues() -> list[Decimal]:
    return [invoice.amount_due for invoice in invoices()]


def statuses() -> list[str]:
    return [invoice.status for invoice in invoices()]


def left() -> Decimal:
    return sum((entry.left for entry in BalanceEntry.objects.all()), D(0))


def in_order() -> bool:
    """The sums are checked now, and the books are in order."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return broken_invariants() == []


class TestRecord:
    def test_m4_pays_the_oldest_due_first(self, group: BillGroup) -> None:
        pay(group, "15")

        assert dues() == [D(0), D(5), D(10)]
        assert statuses() == ["PAID", "OPEN", "OPEN"]
        assert in_order()

    def test_m4_pays_what_was_chosen(self, group: BillGroup) -> None:
        pay(group, "15", chosen={invoices()[2].pk: D(10)})

        assert dues() == [D(5), D(10), D(0)]
        assert in_order()

    def test_m4_what_is_too_much_goes_to_the_balance(self, group: BillGroup) -> None:
        payment = pay(group, "42.50")

        entry = BalanceEntry.objects.get()
        assert statuses() == ["PAID"] * 3
        assert (entry.left, entry.payment) == (D("12.5"), payment)
        assert in_order()

    def test_m5_is_audited_with_each_invoice(self, group: BillGroup) -> None:
        pay(group, "15", reference="  ACH 77 ")

        codes = AuditEvent.objects.order_by("pk").values_list("code", flat=True)
        recorded = AuditEvent.objects.get(code="payment.recorded")
        assert list(codes)[-3:] == [
            "payment.recorded",
            "invoice.paid",
            "invoice.part_paid",
        ]
        assert recorded.after["reference"] == "ACH 77"
        assert recorded.after["amount"] == "15.00"

    @pytest.mark.parametrize(
        ("amount", "sentence"),
        [
            ("0", "more than zero"),
            ("-1", "more than zero"),
            ("NaN", "more than zero"),
            ("1e400", "more than zero"),
            ("1.001", "more digits than USD, which has 2"),
        ],
    )
    def test_m4_an_amount_that_is_none_is_refused(
        self, group: BillGroup, amount: str, sentence: str
    ) -> None:
        with pytest.raises(NotAPayment, match=sentence):
            pay(group, amount)

        assert not Payment.objects.exists()

    def test_m4_a_day_that_has_not_come_is_refused(self, group: BillGroup) -> None:
        with pytest.raises(NotAPayment, match="has not come yet"):
            pay(group, "5", received_on=date(2026, 3, 21))

    def test_m4_another_customers_invoice_is_refused(self, group: BillGroup) -> None:
        theirs = invoices()[0]
        other = sold(today=date(2025, 12, 31)).bill_group

        with pytest.raises(NotAllocatable, match="nothing due"):
            pay(other, "5", chosen={theirs.pk: D(5)})

        assert dues() == [D(10)] * 3

    def test_m4_the_same_payment_twice_is_refused(self, group: BillGroup) -> None:
        pay(group, "5", reference="ACH 77")

        with pytest.raises(RecordedBefore, match="“ACH 77” was recorded already"):
            pay(group, "5", reference="ACH 77")

        assert Payment.objects.count() == 1


class TestTakeBack:
    def test_m4_its_invoices_are_due_again(self, group: BillGroup) -> None:
        payment = pay(group, "15")

        take_back(payment)

        payment.refresh_from_db()
        assert dues() == [D(10)] * 3
        assert statuses() == ["OPEN"] * 3
        assert (payment.taken_back_on, payment.taken_back_reason) == (TODAY, "Bounced")
        assert set(PaymentAllocation.objects.values_list("undone_on", flat=True)) == {
            TODAY
        }
        assert in_order()

    def test_m5_each_invoice_tells_that_it_is_due_again(self, group: BillGroup) -> None:
        first = pay(group, "30")
        more = pay(group, "8")
        take_back(first)

        take_back(more, reason="Recalled")

        told = [
            (
                event.invoice_id,
                (event.before["status"], D(event.before["due"])),
                (event.after["status"], D(event.after["due"])),
                event.reason,
            )
            for event in AuditEvent.objects.filter(code="invoice.payment_undone")
        ]
        assert told == [
            (invoice.pk, ("PAID", D(0)), ("OPEN", D(10)), "Bounced")
            for invoice in reversed(invoices())
        ]
        (used,) = AuditEvent.objects.filter(code="invoice.balance_undone")
        assert used.invoice_id == invoices()[0].pk
        assert (D(used.before["due"]), D(used.after["due"])) == (D(2), D(10))
        assert (D(used.after["amount"]), used.reason) == (D(8), "Recalled")
        assert used.after["payment"] == more.pk

    def test_m4_the_balance_it_left_goes(self, group: BillGroup) -> None:
        payment = pay(group, "42")

        take_back(payment)

        assert dues() == [D(10)] * 3
        assert left() == 0
        assert in_order()

    def test_m4_also_from_where_it_was_used(self, group: BillGroup) -> None:
        first = pay(group, "30")
        more = pay(group, "8")
        take_back(first)
        assert dues() == [D(2), D(10), D(10)]

        take_back(more)

        assert dues() == [D(10)] * 3
        assert not BalanceUse.objects.filter(undone_on=None).exists()
        assert in_order()

    def test_m4_a_credit_that_gave_it_back_lowers_the_due_instead(
        self, group: BillGroup
    ) -> None:
        january = invoices()[0]
        payment = pay(group, "10")
        note = credit(january, with_paid=True)
        assert dues() == [D(0), D(0), D(10)]

        take_back(payment)

        note.refresh_from_db()
        january.refresh_from_db()
        assert (note.due_part, note.paid_part) == (D(10), D(0))
        assert (january.credited_due, january.credited_paid) == (D(10), D(0))
        assert dues() == [D(0), D(10), D(10)]
        assert left() == 0
        assert in_order()

    def test_m4_what_was_refunded_is_not_taken_back(self, group: BillGroup) -> None:
        payment = pay(group, "10")
        credit(invoices()[0], with_paid=True, settlement=CreditSettlement.REFUND)

        with pytest.raises(PaymentStays, match="refunded with CN-000001"):
            take_back(payment)

    def test_m4_needs_a_reason(self, group: BillGroup) -> None:
        with pytest.raises(ReasonMissing, match="payment"):
            take_back(pay(group, "5"), reason=" ")

    def test_m4_not_twice(self, group: BillGroup) -> None:
        payment = pay(group, "5")
        take_back(payment)

        with pytest.raises(PaymentStays, match="already"):
            take_back(payment)

    def test_m4_one_taken_back_can_be_recorded_again(self, group: BillGroup) -> None:
        take_back(pay(group, "5", reference="ACH 77"))

        pay(group, "5", reference="ACH 77")

        assert dues() == [D(5), D(10), D(10)]


moves = st.lists(
    st.tuples(
        st.sampled_from(["pay", "credit", "credit_paid", "take_back"]),
        st.integers(min_value=0, max_value=2),
        st.integers(min_value=1, max_value=2500).map(lambda n: D(n).scaleb(-2)),
    ),
    max_size=9,
)


@settings(max_examples=25)
@given(moves)
def test_m4_whatever_happens_all_that_was_paid_is_accounted_for(
    some: list[tuple[str, int, Decimal]],
) -> None:
    with transaction.atomic():
        group = three_invoices()
        for move, which, amount in some:
            make(group, move, which, amount)
            assert_accounted_for()
        transaction.set_rollback(True)


def make(group: BillGroup, move: str, which: int, amount: Decimal) -> None:
    """Do one thing, as far as it can be done."""
    invoice = invoices()[which]
    if move == "pay":
        pay(group, str(amount))
    elif move == "take_back":
        standing = Payment.objects.filter(taken_back_on=None).order_by("pk")
        for payment in standing[which : which + 1]:
            take_back(payment)
    else:
        with suppress(NotCreditable):
            credit(invoice, with_paid=move == "credit_paid")


def assert_accounted_for() -> None:
    came_in = sum((p.amount for p in Payment.objects.filter(taken_back_on=None)), D(0))
    on_invoices = sum(
        (i.paid + i.balance_applied - i.credited_paid for i in invoices()), D(0)
    )
    assert came_in == on_invoices + left()
    assert all(due >= 0 for due in dues())
    assert not (left() and any(dues()))
    assert in_order()
