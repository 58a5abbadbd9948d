"""What the database refuses of credits, payments and balance (M3, M4, A5).

Raw updates go past every service and form. Each test fails where its constraint or
trigger is missing.
"""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import BillGroup
from invoicing.models import (
    BalanceEntry,
    BalanceUse,
    BalanceWithdrawal,
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentAllocation,
)
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import record_payment
from invoicing.services.payments_taken_back import take_back_payment
from tests.books import sold

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, TODAY, FEB_1 = date(2026, 1, 1), date(2026, 1, 20), date(2026, 2, 1)


def refusal(*statements: str) -> str:
    """Return why statements are refused, at once or when they end; else nothing.

    Several guards may refuse one statement: the words tell which one did.
    """
    settle()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                assert cursor.rowcount
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as refused:
        return str(refused)
    return ""


def refused(statement: str) -> bool:
    """Whether a statement is refused, at once or at the end of its transaction."""
    return refusal(statement) != ""


def settle() -> None:
    """Check all that was written until now, so that only what follows is refused."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture(autouse=True)
def booked() -> None:
    """Two invoices of 100.00: one paid with balance left, then credited in part."""
    contract = sold(
        today=date(2025, 12, 31), start_date=JAN_1, end_date=date(2026, 2, 28)
    )
    run_invoicing(as_of=JAN_1)
    group = BillGroup.objects.get(pk=contract.bill_group_id)
    for amount in ("130", "20"):
        record_payment(
            bill_group=group,
            amount=D(amount),
            received_on=JAN_1,
            reference="",
            actor=None,
            today=JAN_1,
        )
    invoice = Invoice.objects.get()
    line = InvoiceLine.objects.get()
    credit_invoice(
        invoice=invoice, reason="Less", actor=None, today=TODAY, lines={line.pk: D(10)}
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_creditnote SET currency = 'EUR'",
        "UPDATE invoicing_creditnote SET number = 'CN-9'",
        "UPDATE invoicing_creditnote SET issue_date = '2026-01-01'",
        "UPDATE invoicing_creditnote SET reason = 'Other'",
        "UPDATE invoicing_creditnote SET status = 'TO_APPROVE'",
        "UPDATE invoicing_creditnote SET status = 'DECLINED'",
        "UPDATE invoicing_creditnote SET due_part = due_part + 1",
        "UPDATE invoicing_creditnote SET given_back = given_back - 1",
        "UPDATE invoicing_creditnote SET status = 'VOID'",
        "UPDATE invoicing_creditnote SET status = 'VOID', voided_on = '2026-01-21'",
    ],
)
def test_m3_an_issued_credit_note_does_not_change(statement: str) -> None:
    assert refused(statement)


def test_m3_nor_one_that_is_void() -> None:
    credit = CreditNote.objects.get()
    void_credit_note(note=credit, reason="Mistake", actor=None, today=TODAY)

    assert refused("UPDATE invoicing_creditnote SET void_reason = 'Other'")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM invoicing_creditnote",
        "DELETE FROM invoicing_payment",
        "DELETE FROM invoicing_paymentallocation",
        "DELETE FROM invoicing_balanceentry",
        "DELETE FROM invoicing_balanceuse",
    ],
)
def test_m3_nothing_booked_is_deleted(statement: str) -> None:
    run_invoicing(as_of=FEB_1)

    assert "are never deleted" in refusal(statement)


def test_m3_lines_of_a_credit_note_stand() -> None:
    assert refused("UPDATE invoicing_creditnoteline SET amount = 1")
    assert refused("DELETE FROM invoicing_creditnoteline")
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditNoteLine.objects.create(
            credit_note=CreditNote.objects.get(),
            invoice_line=InvoiceLine.objects.get(),
            amount=D(1),
        )


PARTS = {"due_part", "paid_part", "given_back"}


def test_a5_a_credit_that_waits_gave_nothing_back() -> None:
    fields = {
        field.attname: getattr(CreditNote.objects.get(), field.attname)
        for field in CreditNote._meta.concrete_fields
        if field.name not in {"id", "sequence", "number", "issue_date", *PARTS}
    } | {"status": "TO_APPROVE"}

    with pytest.raises(IntegrityError, match="gave_back"), transaction.atomic():
        CreditNote.objects.create(**fields, given_back=D(10))


def test_a9_a_credit_takes_lines_of_its_own_invoice_only() -> None:
    sold(today=date(2025, 12, 31), start_date=JAN_1, end_date=date(2026, 1, 31))
    run_invoicing(as_of=TODAY)
    first, second = Invoice.objects.order_by("sequence")
    fields = {
        field.attname: getattr(CreditNote.objects.get(), field.attname)
        for field in CreditNote._meta.concrete_fields
        if field.name not in {"id", "sequence", "number", "issue_date", *PARTS}
    }
    waiting = CreditNote.objects.create(**(fields | {"status": "TO_APPROVE"}))

    with pytest.raises(IntegrityError), transaction.atomic():
        CreditNoteLine.objects.create(
            credit_note=waiting,
            invoice_line=InvoiceLine.objects.get(invoice=second),
            amount=D(1),
        )
    assert waiting.invoice_id == first.pk


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_payment SET amount = amount + 1",
        "UPDATE invoicing_payment SET taken_back_on = '2026-01-20'",
        "UPDATE invoicing_paymentallocation SET amount = amount - 1",
        "UPDATE invoicing_paymentallocation SET undone_on = '2026-01-20'",
        "UPDATE invoicing_balanceentry SET amount = amount + 1",
        "UPDATE invoicing_balanceentry SET used = used + 1",
        "UPDATE invoicing_balanceentry SET withdrawn = withdrawn + 1000",
        "UPDATE invoicing_invoice SET paid = paid - 1, status = 'OPEN'",
        "UPDATE invoicing_invoice SET credited_paid = credited_paid + 1",
    ],
)
def test_m4_what_was_booked_does_not_change_alone(statement: str) -> None:
    assert refused(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_paymentallocation SET amount = amount - 1",
        "UPDATE invoicing_paymentallocation SET allocated_on = '2026-01-02'",
        "UPDATE invoicing_balanceuse SET amount = amount - 1",
        "UPDATE invoicing_balanceuse SET used_on = '2026-02-02'",
    ],
)
def test_m4_where_money_went_does_not_change(statement: str) -> None:
    run_invoicing(as_of=FEB_1)

    assert "does not change" in refusal(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_paymentallocation SET undone_on = '2026-02-02'",
        "UPDATE invoicing_balanceuse SET undone_on = '2026-02-02'",
    ],
)
def test_m4_where_money_no_longer_goes_stays_undone(statement: str) -> None:
    run_invoicing(as_of=FEB_1)
    for payment in Payment.objects.order_by("pk"):
        take_back_payment(payment=payment, reason="Bounced", actor=None, today=FEB_1)

    assert "does not change" in refusal(statement)


UNDONE = "UPDATE invoicing_balanceuse SET undone_on = '2026-02-01'"


def test_m4_balance_that_is_no_longer_used_is_taken_off_both_sides() -> None:
    run_invoicing(as_of=FEB_1)
    off_the_entry = "UPDATE invoicing_balanceentry SET used = 0 WHERE used > 0"
    off_the_invoice = (
        "UPDATE invoicing_invoice SET balance_applied = 0, status = 'OPEN' "
        "WHERE balance_applied > 0"
    )

    assert "was booked" in refusal(UNDONE, off_the_entry)
    assert "what was used of it" in refusal(UNDONE, off_the_invoice)
    assert refusal(UNDONE, off_the_entry, off_the_invoice) == ""


def test_a5_what_a_credit_takes_stands_on_its_invoice() -> None:
    assert "was booked" in refusal(
        "UPDATE invoicing_creditnote SET due_part = total, paid_part = 0"
    )


def test_m4_what_was_undone_stays_so() -> None:
    payment = Payment.objects.order_by("pk")[1]
    take_back_payment(payment=payment, reason="Bounced", actor=None, today=TODAY)

    taken = Payment.objects.filter(pk=payment.pk)
    for change in ({"taken_back_reason": "x"}, {"taken_back_on": None}):
        with pytest.raises(IntegrityError, match="change"), transaction.atomic():
            taken.update(**change)


def test_m4_what_was_withdrawn_is_on_its_balance_and_stays() -> None:
    payment = Payment.objects.order_by("pk")[1]
    take_back_payment(payment=payment, reason="Bounced", actor=None, today=TODAY)
    taken = "UPDATE invoicing_balanceentry SET withdrawn = withdrawn - 1 "

    assert refused(f"{taken}WHERE payment_id = {payment.pk}")
    assert refused("UPDATE invoicing_balancewithdrawal SET withdrawn_on = '2026-01-02'")
    assert refused("DELETE FROM invoicing_balancewithdrawal")
    assert refused("UPDATE invoicing_balanceentry SET withdrawn = 1 WHERE used = 0")
    entry = BalanceEntry.objects.order_by("pk")[0]
    for amount in (0, 1):
        with pytest.raises(IntegrityError), transaction.atomic():
            save_and_check(
                BalanceWithdrawal(entry=entry, amount=amount, withdrawn_on=TODAY)
            )
    entry.pk = None
    entry.used, entry.withdrawn = D(0), D(1)
    with pytest.raises(IntegrityError, match="withdrawn"), transaction.atomic():
        save_and_check(entry)


def test_m4_a_use_and_an_allocation_are_booked_on_both_sides() -> None:
    invoice, entry = Invoice.objects.get(), BalanceEntry.objects.first()
    assert entry is not None

    for row in (
        BalanceUse(entry=entry, invoice=invoice, amount=D(1), used_on=TODAY),
        PaymentAllocation(
            payment=Payment.objects.order_by("pk")[0],
            invoice=invoice,
            amount=D(1),
            allocated_on=TODAY,
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            save_and_check(row)


def save_and_check(
    row: BalanceEntry | BalanceUse | BalanceWithdrawal | PaymentAllocation,
) -> None:
    """Save a row and check what the end of the transaction would."""
    settle()
    row.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
