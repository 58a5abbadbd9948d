"""Files of payments (M4)."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import AuditEvent, BillGroup
from contracts.domain.csv_file import RowError
from contracts.services.uploads import ImportRefused
from invoicing.models import Invoice, Payment, PaymentImport
from invoicing.services.generation import run_invoicing
from invoicing.services.payment_check import check_payments
from invoicing.services.payment_imports import (
    PaymentFileRecorded,
    import_payments,
    record_payments,
    upload_payments,
)
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, sold

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, TODAY = date(2026, 1, 1), date(2026, 3, 20)
HEAD = "bill_group,amount,currency,received_on,reference,invoice\n"


@pytest.fixture
def group() -> BillGroup:
    """Two open invoices of 10.00 USD, for January and February."""
    contract = sold(
        today=date(2025, 12, 31),
        start_date=JAN_1,
        end_date=date(2026, 2, 28),
        lines=[{"unit_price": D(10)}],
    )
    for month in (1, 2):
        run_invoicing(as_of=date(2026, month, 1))
    return contract.bill_group


def row(group: BillGroup, amount: str, reference: str, invoice: str = "") -> str:
    return f"{group.public_id},{amount},USD,2026-03-19,{reference},{invoice}\n"


def record(text: str) -> None:
    import_payments(
        content=text.encode(), file_name="bank.csv", actor=None, today=TODAY
    )


def errors(text: str) -> tuple[RowError, ...]:
    return check_payments(text.encode(), today=TODAY).errors


def dues() -> list[Decimal]:
    return [invoice.amount_due for invoice in Invoice.objects.order_by("sequence")]


def test_m4_rows_pay_the_oldest_due_or_the_invoice_they_name(
    group: BillGroup,
) -> None:
    second = Invoice.objects.order_by("sequence")[1].number or ""

    record(HEAD + row(group, "4", "a", second) + row(group, "3", "b"))

    assert dues() == [D(7), D(6)]
    assert Payment.objects.count() == 2
    assert AuditEvent.objects.filter(code="payment_import.applied").count() == 1
    assert broken_invariants() == []


def test_m4_what_an_invoice_does_not_take_goes_on_to_the_others(
    group: BillGroup,
) -> None:
    second = Invoice.objects.order_by("sequence")[1].number or ""
    text = HEAD + row(group, "25", "a", second)

    checked = check_payments(text.encode(), today=TODAY)
    record(text)

    assert [(item.paid, item.left) for item in checked.new] == [(D(20), D(5))]
    assert dues() == [D(0), D(0)]
    assert broken_invariants() == []


def test_m4_the_check_follows_the_rows_in_their_order(group: BillGroup) -> None:
    first = Invoice.objects.order_by("sequence")[0].number or ""

    [fault] = errors(HEAD + row(group, "10", "a") + row(group, "1", "b", first))

    assert (fault.line, fault.column) == (3, "invoice")
    assert "Nothing is due on this invoice." in fault.message


def test_m4_one_bad_row_keeps_all_of_them_out(group: BillGroup) -> None:
    with pytest.raises(ImportRefused, match="line 3"):
        record(HEAD + row(group, "1", "a") + row(group, "1", "a"))

    assert not Payment.objects.exists()
    assert not PaymentImport.objects.exists()


def test_m4_a_payment_recorded_before_is_refused(group: BillGroup) -> None:
    record_payment(
        bill_group=group,
        amount=D(4),
        received_on=date(2026, 3, 19),
        reference="a",
        actor=None,
        today=TODAY,
    )

    [fault] = errors(HEAD + row(group, "4.00", "a"))

    assert fault.column == "reference"
    assert "It was recorded already" in fault.message


def test_m4_the_same_file_is_recorded_once(group: BillGroup) -> None:
    text = HEAD + row(group, "1", "a")
    upload = upload_payments(
        content=text.encode(), file_name="one.csv", actor=None, today=TODAY
    )
    other = upload_payments(
        content=text.encode(), file_name="two.csv", actor=None, today=TODAY
    )
    record_payments(upload=upload, actor=None, today=TODAY)

    with pytest.raises(PaymentFileRecorded, match=r"one\.csv"):
        record_payments(upload=other, actor=None, today=TODAY)
    with pytest.raises(PaymentFileRecorded):
        record(text)

    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"bill_group": "BG-999999"}, "bill_group"),
        ({"currency": "EUR"}, "currency"),
        ({"received_on": "2026-03-21"}, "received_on"),
        ({"invoice": "INV-999999"}, "invoice"),
        ({"amount": "0"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"amount": "\uff11"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "1" + "0" * 400}, "amount"),
        ({"reference": ""}, "reference"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_cells_are_named(
    group: BillGroup, changed: dict[str, str], column: str
) -> None:
    cells = {
        "bill_group": group.public_id,
        "amount": "1",
        "currency": "USD",
        "received_on": "2026-03-19",
        "reference": "a",
        "invoice": "",
    } | changed

    [fault] = errors(HEAD + ",".join(cells.values()) + "\n")

    assert (fault.line, fault.column) == (2, column)


def test_m4_an_invoice_of_another_customer_is_not_found(group: BillGroup) -> None:
    other = sold(today=date(2025, 12, 31), start_date=JAN_1, lines=[{}]).bill_group
    mine = Invoice.objects.order_by("sequence")[0].number or ""

    [fault] = errors(HEAD + row(other, "1", "a", mine))

    assert "has no invoice with this number" in fault.message
