"""Credit balance is used when an invoice is issued (M4)."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import AuditEvent, BillGroup, InvoicingSettings
from contracts.models import Contract
from invoicing.models import BalanceEntry, BalanceUse, Invoice
from invoicing.services.drafts import issue_draft
from invoicing.services.generation import generate_next_invoice, run_invoicing
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, sold

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, FEB_1, MAR_1 = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def contract() -> Contract:
    """10.00 a month from January to March."""
    return sold(
        today=date(2025, 12, 31),
        start_date=JAN_1,
        end_date=date(2026, 3, 31),
        lines=[{"unit_price": D(10)}],
    )


def pay(group: BillGroup, amount: str, day: date = JAN_1) -> None:
    record_payment(
        bill_group=group,
        amount=D(amount),
        received_on=day,
        reference="",
        actor=None,
        today=day,
    )


def states() -> list[tuple[str, Decimal]]:
    return [
        (invoice.status, invoice.amount_due)
        for invoice in Invoice.objects.order_by("sequence")
    ]


def in_order() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return broken_invariants() == []


def test_m4_the_run_uses_it_for_the_invoice_it_issues(contract: Contract) -> None:
    pay(contract.bill_group, "4")

    run_invoicing(as_of=JAN_1)

    entry = BalanceEntry.objects.get()
    assert states() == [("OPEN", D(6))]
    assert (entry.used, entry.left) == (D(4), D(0))
    assert BalanceUse.objects.get().used_on == JAN_1
    assert in_order()


def test_m4_what_covers_an_invoice_makes_it_paid_and_the_rest_stays(
    contract: Contract,
) -> None:
    pay(contract.bill_group, "25")

    run_invoicing(as_of=JAN_1)
    run_invoicing(as_of=FEB_1)
    run_invoicing(as_of=MAR_1)

    assert states() == [("PAID", D(0)), ("PAID", D(0)), ("OPEN", D(5))]
    assert in_order()


def test_m4_one_run_with_several_bill_dates_pays_the_oldest_due_first(
    contract: Contract,
) -> None:
    pay(contract.bill_group, "15")

    run_invoicing(as_of=MAR_1)

    assert states() == [("PAID", D(0)), ("OPEN", D(5)), ("OPEN", D(10))]
    assert in_order()


def test_m4_the_oldest_balance_is_used_first(contract: Contract) -> None:
    pay(contract.bill_group, "4")
    pay(contract.bill_group, "9")

    run_invoicing(as_of=JAN_1)

    left = [entry.left for entry in BalanceEntry.objects.order_by("pk")]
    assert left == [D(0), D(3)]
    assert in_order()


def test_m4_by_hand_too(contract: Contract) -> None:
    pay(contract.bill_group, "4")

    invoice = generate_next_invoice(
        bill_group=contract.bill_group, actor=None, today=JAN_1
    )

    assert (invoice.status, invoice.amount_due) == ("OPEN", D(6))
    assert in_order()


def test_m4_a_draft_uses_it_only_when_it_is_issued(contract: Contract) -> None:
    InvoicingSettings.objects.create(
        legal_entity=contract.bill_group.legal_entity, review_before_issue=True
    )
    pay(contract.bill_group, "10")
    run_invoicing(as_of=JAN_1)
    draft = Invoice.objects.get()
    assert BalanceEntry.objects.get().left == D(10)

    issued = issue_draft(invoice=draft, actor=None, today=JAN_1)

    assert (issued.status, issued.amount_due) == ("PAID", D(0))
    assert in_order()


def test_m4_balance_of_another_bill_group_stays_where_it_is(
    contract: Contract,
) -> None:
    other = sold(today=date(2025, 12, 31), start_date=JAN_1, lines=[{}])
    pay(other.bill_group, "4")

    run_invoicing(as_of=JAN_1)

    mine = Invoice.objects.get(bill_group=contract.bill_group)
    theirs = Invoice.objects.get(bill_group=other.bill_group)
    assert (mine.balance_applied, theirs.balance_applied) == (D(0), D(4))
    assert in_order()


def test_m5_the_use_is_audited_with_the_status_it_led_to(contract: Contract) -> None:
    pay(contract.bill_group, "10")

    run_invoicing(as_of=JAN_1)

    entry = AuditEvent.objects.get(code="invoice.balance_applied")
    assert entry.invoice_id == Invoice.objects.get().pk
    assert entry.after == {"amount": "10.00", "currency": "USD", "status": "PAID"}


def test_m4_where_no_group_has_balance_the_batch_asks_once(contract: Contract) -> None:
    with CaptureQueriesContext(connection) as queries:
        run_invoicing(as_of=JAN_1)

    asked = [q["sql"] for q in queries if "invoicing_balanceentry" in q["sql"]]
    assert len(asked) == 1
    assert states() == [("OPEN", D(10))]
