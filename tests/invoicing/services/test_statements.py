"""Statements say what the books said on the day, for any range (M4, A5)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from billing.models import BillGroup
from invoicing.domain.credit import NotCreditable
from invoicing.domain.statement import MovementKind, Standing
from invoicing.domain.states import CreditSettlement
from invoicing.models import BalanceEntry, CreditNote, Invoice, Payment
from invoicing.services.credit_decisions import CreditStands, void_credit_note
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import record_payment
from invoicing.services.payments_taken_back import PaymentStays, take_back_payment
from invoicing.services.statement_papers import statement_pdf
from invoicing.services.statements import (
    LedgerStatement,
    NotARange,
    account_statements,
)
from tests.books import sold
from tests.factories import BillGroupFactory, LegalEntityFactory
from tests.staff import active_contract

pytestmark = pytest.mark.django_db

D = Decimal
START = date(2026, 1, 1)
KINDS = MovementKind


def statement(
    group: BillGroup, first: date, last: date, *, whole_account: bool = True
) -> LedgerStatement:
    (found,) = account_statements(
        account=group.account,
        first=first,
        last=last,
        today=date(2026, 12, 31),
        bill_group=None if whole_account else group,
    )
    return found


def kinds(found: LedgerStatement) -> list[tuple[str, Decimal, Decimal]]:
    return [
        (move.kind.value, move.due, move.held) for move in found.statement.movements
    ]


def pay(group: BillGroup, amount: str, day: date, **fields: Any) -> Payment:
    values: dict[str, Any] = {"received_on": day, "reference": "", "actor": None}
    return record_payment(
        bill_group=group, amount=D(amount), today=day, **(values | fields)
    )


def quarter() -> BillGroup:
    """Three invoices of 10.00, issued on the first of each month."""
    contract = sold(
        today=date(2025, 12, 31),
        start_date=START,
        end_date=date(2026, 3, 31),
        lines=[{"unit_price": D(10)}],
    )
    for month in (1, 2, 3):
        run_invoicing(as_of=date(2026, month, 1))
    return contract.bill_group


@pytest.fixture
def group() -> BillGroup:
    return quarter()


def test_m4_movements_of_a_range_with_opening_and_closing(group: BillGroup) -> None:
    pay(group, "25", date(2026, 2, 10), reference="ACH 7")

    found = statement(group, date(2026, 2, 1), date(2026, 2, 28))

    assert found.statement.opening == Standing(due=D(10), held=D(0))
    assert kinds(found) == [
        ("INVOICE", D(10), D(0)),
        # The third invoice was there before the payment was recorded.
        ("PAYMENT", D(-25), D(0)),
    ]
    assert found.statement.movements[1].document.name == "ACH 7"
    assert found.statement.closing == Standing(due=D(-5), held=D(0))


def test_a5_both_parts_of_a_credit_and_its_use(group: BillGroup) -> None:
    january = Invoice.objects.order_by("sequence")[0]
    pay(group, "6", date(2026, 3, 5))
    credit_invoice(
        invoice=january, reason="x", actor=None, today=date(2026, 3, 6), with_paid=True
    )

    found = statement(group, date(2026, 3, 6), date(2026, 3, 31))

    assert kinds(found) == [
        ("CREDIT_NOTE", D(-4), D(6)),
        ("BALANCE_USED", D(-6), D(-6)),
    ]
    assert found.statement.closing == Standing(due=D(14), held=D(0))


def test_a5_a_refund_goes_out_again(group: BillGroup) -> None:
    january = Invoice.objects.order_by("sequence")[0]
    pay(group, "6", date(2026, 3, 5))
    credit_invoice(
        invoice=january,
        reason="x",
        actor=None,
        today=date(2026, 3, 6),
        with_paid=True,
        settlement=CreditSettlement.REFUND,
    )

    found = statement(group, date(2026, 3, 6), date(2026, 3, 31))

    assert kinds(found) == [("CREDIT_NOTE", D(-4), D(6)), ("REFUND", D(0), D(-6))]
    assert found.statement.closing == Standing(due=D(20), held=D(0))


def test_m4_a_payment_taken_back_turns_the_credit_it_paid(group: BillGroup) -> None:
    january = Invoice.objects.order_by("sequence")[0]
    payment = pay(group, "10", date(2026, 3, 5))
    credit_invoice(
        invoice=january, reason="x", actor=None, today=date(2026, 3, 6), with_paid=True
    )
    take_back_payment(
        payment=payment, reason="Bounced", actor=None, today=date(2026, 3, 9)
    )

    found = statement(group, date(2026, 3, 9), date(2026, 3, 31))

    assert kinds(found) == [
        ("PAYMENT_TAKEN_BACK", D(10), D(0)),
        ("BALANCE_USE_UNDONE", D(10), D(10)),
        ("CREDIT_TURNED", D(-10), D(-10)),
    ]
    assert found.statement.closing == Standing(due=D(20), held=D(0))


def test_m4_open_items_and_their_age_are_those_of_the_day(group: BillGroup) -> None:
    pay(group, "15", date(2026, 3, 20))

    before = statement(group, date(2026, 3, 1), date(2026, 3, 19))
    after = statement(group, date(2026, 3, 1), date(2026, 3, 20))

    assert [(item.due_date, item.due) for item in before.items] == [
        (date(2026, 1, 31), D(10)),
        (date(2026, 3, 3), D(10)),
        (date(2026, 3, 31), D(10)),
    ]
    assert before.ages == (D(10), D(10), D(10), D(0), D(0))
    assert before.overdue == D(20)
    assert [item.due for item in after.items] == [D(5), D(10)]


def test_currencies_and_legal_entities_are_never_added(group: BillGroup) -> None:
    for fields in ({"currency": "EUR"}, {"legal_entity": other_entity()}):
        active_contract(
            BillGroupFactory.create(
                account=group.account,
                **({"legal_entity": group.legal_entity} | fields),
            ),
            today=date(2026, 3, 1),
        )

    found = account_statements(
        account=group.account, first=START, last=START, today=START
    )

    assert [(one.legal_entity.name, one.currency) for one in found] == [
        ("Nordhaven Systems GmbH", "EUR"),
        ("Nordhaven Systems GmbH", "USD"),
        ("Second Ltd", "USD"),
    ]


def other_entity() -> Any:
    from invoicing.models import NumberSeries

    entity = LegalEntityFactory.create(name="Second Ltd")
    NumberSeries.objects.create(legal_entity=entity, kind="INVOICE", prefix="B-")
    return entity


def test_one_bill_group_shows_its_own_alone(group: BillGroup) -> None:
    other = BillGroupFactory.create(
        account=group.account, legal_entity=group.legal_entity
    )
    active_contract(other, today=date(2026, 3, 1))

    both = statement(group, START, date(2026, 3, 31))
    one = statement(group, START, date(2026, 3, 31), whole_account=False)

    assert both.statement.closing.due == D(130)
    assert one.statement.closing.due == D(30)
    assert one.bill_group == group


def test_no_figure_of_its_paper_is_torn(group: BillGroup) -> None:
    pay(group, "1234567890.12", START)

    found = statement(group, START, date(2026, 1, 31))
    (page,) = PdfReader(BytesIO(statement_pdf([found]))).pages

    assert "1,234,567,890.12 \N{MINUS SIGN}1,234,567,880.12" in page.extract_text()


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (date(2026, 2, 2), date(2026, 2, 1), "ends on 1 Feb 2026, before it begins"),
        (date(2026, 2, 1), date(2026, 4, 1), "1 Apr 2026 has not come yet"),
    ],
)
def test_dates_that_are_no_range_are_refused(
    group: BillGroup, first: date, last: date, sentence: str
) -> None:
    with pytest.raises(NotARange, match=sentence):
        account_statements(
            account=group.account, first=first, last=last, today=date(2026, 3, 31)
        )


def test_reads_a_constant_number_of_queries(group: BillGroup) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            statement(group, START, date(2026, 12, 31))
        return len(queries)

    story(group, date(2026, 4, 1))
    count()  # the account is read once
    before = count()
    for day in (2, 3, 4):
        story(group, date(2026, 4, day))

    assert count() == before <= 12


def story(group: BillGroup, day: date) -> None:
    """Credit and pay all, and take one payment back."""
    for invoice in Invoice.objects.filter(bill_group=group):
        with suppress(NotCreditable):
            credit_invoice(
                invoice=invoice, reason="x", actor=None, today=day, amount=D(1)
            )
    payment = pay(group, "50", day)
    take_back_payment(payment=payment, reason="Bounced", actor=None, today=day)
    pay(group, "45", day)


@dataclass(frozen=True)
class Stood:
    """What the books said at the end of a day."""

    day: date
    due: dict[int, Decimal]
    held: Decimal


moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["pay", "pay", "credit", "part", "paid", "refund", "void", "take_back"]
        ),
        st.integers(min_value=0, max_value=2),
        st.integers(min_value=1, max_value=2500).map(lambda n: D(n).scaleb(-2)),
        st.integers(min_value=0, max_value=2),
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(moves)
def test_a5_m4_whatever_happens_each_day_closes_as_the_books_did(
    some: list[tuple[str, int, Decimal, int]],
) -> None:
    with transaction.atomic():
        group, day, stood = quarter(), date(2026, 3, 1), []
        for move, which, amount, days in some:
            stood.append(books(day))
            day += timedelta(days=days)
            make(group, move, which, amount, day)
        stood.append(books(day))
        last_of = {one.day: one for one in stood}
        for one in last_of.values():
            found = statement(group, date(2025, 12, 31), one.day)
            assert found.statement.opening == Standing()
            assert found.statement.closing.due == sum(one.due.values())
            assert found.statement.closing.held == one.held
            assert {item.invoice_id: item.due for item in found.items} == one.due
            assert sum(found.ages) == found.statement.closing.due
            later = statement(group, one.day + timedelta(days=1), date(2026, 12, 31))
            assert later.statement.opening == found.statement.closing
        transaction.set_rollback(True)


def books(day: date) -> Stood:
    return Stood(
        day=day,
        due={
            invoice.pk: invoice.amount_due
            for invoice in Invoice.objects.filter(amount_due__gt=0)
        },
        held=sum((entry.left for entry in BalanceEntry.objects.all()), D(0)),
    )


def make(group: BillGroup, move: str, which: int, amount: Decimal, day: date) -> None:
    """Do one thing, as far as it can be done."""
    invoice = Invoice.objects.order_by("sequence")[which]
    with suppress(NotCreditable, PaymentStays, CreditStands), transaction.atomic():
        if move == "pay":
            pay(group, str(amount), day)
        elif move == "take_back":
            standing = Payment.objects.filter(taken_back_on=None).order_by("pk")
            for payment in standing[which : which + 1]:
                take_back_payment(
                    payment=payment, reason="Bounced", actor=None, today=day
                )
        elif move == "void":
            for note in CreditNote.objects.filter(status="ISSUED").order_by("pk")[:1]:
                void_credit_note(note=note, reason="x", actor=None, today=day)
        else:
            to = (
                CreditSettlement.REFUND
                if move == "refund"
                else CreditSettlement.BALANCE
            )
            credit_invoice(
                invoice=invoice,
                reason="x",
                actor=None,
                today=day,
                amount=amount if move in {"part", "refund"} else None,
                with_paid=move == "paid",
                settlement=to,
            )
