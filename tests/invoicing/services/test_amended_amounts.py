"""After amend, review and credit: what is claimed are the amended amounts (A5, A6).

Whatever was paid, credited or held before, invoices minus credit notes are the right
price of each service period, and what the customer paid is all accounted for.
"""

from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.models import BillGroup
from contracts.domain.term_changes import LineEdit, TermChanges
from contracts.models import Contract, ScheduledCharge
from invoicing.domain.credit import NotCreditable
from invoicing.domain.states import CreditReason
from invoicing.models import (
    BalanceEntry,
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLine,
    Payment,
)
from invoicing.queries.claims import superseded_among
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import fix_contract
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, line_of, sold
from tests.factories import BillGroupFactory, tax_rate

pytestmark = pytest.mark.django_db

D = Decimal
DEC_31, JAN_1, MAR_1 = date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 1)
TODAY = date(2026, 3, 10)
MONTH_ENDS = {1: date(2026, 1, 31), 2: date(2026, 2, 28), 3: date(2026, 3, 31)}


def sell(
    group: BillGroup, *, price: str = "20", months: int = 1, percent: int = 0
) -> Contract:
    """Sell one monthly line in advance from January on, not invoiced yet."""
    rate = tax_rate(str(percent), f"{percent} percent") if percent else None
    return sold(
        today=DEC_31,
        bill_group=group,
        start_date=JAN_1,
        end_date=MONTH_ENDS[months],
        lines=[{"unit_price": D(price), "tax_rate": rate}],
    )


def pay(group: BillGroup, amount: str, today: date = TODAY) -> None:
    record_payment(
        bill_group=group,
        amount=D(amount),
        received_on=today,
        reference="",
        actor=None,
        today=today,
    )


def give(
    invoice: Invoice, amount: str, code: CreditReason = CreditReason.GOODWILL
) -> CreditNote:
    return credit_invoice(
        invoice=invoice,
        reason="Before",
        actor=None,
        today=TODAY,
        lines={invoice.lines.order_by("position")[0].pk: D(amount)},
        reason_code=code,
    )


def fix(
    contract: Contract,
    price: str,
    *,
    effective_date: date = JAN_1,
    give_again: Collection[int] = (),
    replace_credited: Collection[int] = (),
) -> None:
    contract.refresh_from_db()
    edit = LineEdit(line_id=line_of(contract).pk, unit_price=D(price))
    fix_contract(
        contract=contract,
        changes=TermChanges(version=contract.version, edits=(edit,)),
        effective_date=effective_date,
        reason="Agreed otherwise",
        actor=None,
        today=TODAY,
        give_again=give_again,
        replace_credited=replace_credited,
    )


def invoices() -> list[Invoice]:
    return list(Invoice.objects.exclude(number=None).order_by("sequence"))


def contract_of(line: InvoiceLine) -> int:
    assert line.charge is not None
    return line.charge.contract_id


def claimed() -> dict[tuple[int, int], Decimal]:
    """Return invoices less credit notes before tax, by contract and month of service.

    Credits given again on what is right count as given, not as claimed.
    """
    found: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for line in InvoiceLine.objects.filter(invoice__in=invoices()):
        found[contract_of(line), line.period_start.month] += line.amount
    notes = CreditNoteLine.objects.filter(credit_note__status="ISSUED")
    for credited in notes.select_related("invoice_line__charge"):
        line = credited.invoice_line
        found[contract_of(line), line.period_start.month] -= credited.amount
    return dict(found)


def planned() -> dict[tuple[int, int], Decimal]:
    """Return what the live charges say, by contract and month of service."""
    found: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for charge in ScheduledCharge.objects.filter(state="INVOICED"):
        found[charge.contract_id, charge.period_start.month] += charge.amount or D(0)
    return dict(found)


def due() -> Decimal:
    return sum((invoice.amount_due for invoice in invoices()), D(0))


def left() -> Decimal:
    return sum((entry.left for entry in BalanceEntry.objects.all()), D(0))


def assert_accounted_for() -> None:
    """What came in pays what is claimed or is held; nothing is below zero, no cent."""
    came_in = sum((payment.amount for payment in Payment.objects.all()), D(0))
    claims = [i.total - i.credited_due - i.credited_paid for i in invoices()]

    assert min(claims) >= 0
    assert min(invoice.amount_due for invoice in invoices()) >= 0
    assert sum(claims) - due() + left() == came_in
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert broken_invariants() == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What happened to an invoice of 20.00 that should have been 10.00."""

    before: str = "0"  # paid before there was an invoice
    paid: str = "0"
    credited: str = "0"  # before the payment
    credited_paid: str = "0"  # after it
    goodwill: str = "0"
    again: bool = False
    due: str = "0"
    left: str = "0"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(due="10"), id="unpaid"),
        pytest.param(Case(paid="5", due="5"), id="part_paid"),
        pytest.param(Case(paid="20", left="10"), id="paid"),
        pytest.param(Case(paid="32", left="22"), id="over_paid"),
        pytest.param(Case(credited="8", due="10"), id="credited_while_due"),
        pytest.param(Case(credited="8", paid="12", left="2"), id="credited_then_paid"),
        pytest.param(
            Case(paid="20", credited_paid="8", left="10"), id="credited_when_paid"
        ),
        pytest.param(Case(before="50", left="40"), id="paid_by_balance"),
        pytest.param(Case(before="5", due="5"), id="part_paid_by_balance"),
        pytest.param(
            Case(goodwill="3", again=True, due="7"), id="goodwill_given_again"
        ),
        pytest.param(Case(goodwill="3", due="10"), id="goodwill_not_given_again"),
        pytest.param(
            Case(goodwill="3", again=True, paid="17", left="10"),
            id="goodwill_given_again_and_paid",
        ),
    ],
)
def test_a6_of_20_that_should_be_10(case: Case) -> None:
    group = BillGroupFactory.create()
    contract = sell(group)
    if D(case.before):
        pay(group, case.before, DEC_31)
    run_invoicing(as_of=JAN_1)
    (wrong,) = invoices()
    if D(case.credited):
        give(wrong, case.credited, CreditReason.BILLING_ERROR)
    gifts = [give(wrong, case.goodwill)] if D(case.goodwill) else []
    if D(case.paid):
        pay(group, case.paid)
    if D(case.credited_paid):
        give(wrong, case.credited_paid, CreditReason.BILLING_ERROR)

    fix(contract, "10", give_again=[gift.pk for gift in gifts if case.again])

    given = D(case.goodwill) if case.again else D(0)
    assert claimed() == {(contract.pk, 1): 10 - given}
    assert (due(), left()) == (D(case.due), D(case.left))
    assert Invoice.objects.get(pk=wrong.pk).status == "CREDITED"
    assert_accounted_for()


@pytest.mark.parametrize(
    ("paid", "expected_due", "expected_left"),
    [("0", "30", "0"), ("25", "5", "0"), ("60", "0", "30")],
    ids=["unpaid", "part_paid", "paid"],
)
def test_a6_over_several_invoices(
    paid: str, expected_due: str, expected_left: str
) -> None:
    group = BillGroupFactory.create()
    contract = sell(group, months=3)
    for month in (1, 2, 3):
        run_invoicing(as_of=date(2026, month, 1))
    if D(paid):
        pay(group, paid)

    fix(contract, "10")

    assert claimed() == {(contract.pk, month): D(10) for month in (1, 2, 3)}
    assert (due(), left()) == (D(expected_due), D(expected_left))
    assert_accounted_for()


@pytest.mark.parametrize(
    ("paid", "expected_due", "expected_left"),
    [("0", "17", "0"), ("9", "8", "0"), ("27", "0", "10")],
    ids=["unpaid", "part_paid", "paid"],
)
def test_a6_on_an_invoice_shared_by_two_contracts(
    paid: str, expected_due: str, expected_left: str
) -> None:
    group = BillGroupFactory.create()
    wrong, right = sell(group), sell(group, price="7")
    run_invoicing(as_of=JAN_1)
    assert len(invoices()) == 1
    if D(paid):
        pay(group, paid)

    fix(wrong, "10")

    assert claimed() == {(wrong.pk, 1): D(10), (right.pk, 1): D(7)}
    assert (due(), left()) == (D(expected_due), D(expected_left))
    assert_accounted_for()


def test_a6_with_tax_that_does_not_divide() -> None:
    group = BillGroupFactory.create()
    contract = sell(group, price="33.33", percent=19)
    run_invoicing(as_of=JAN_1)
    give(invoices()[0], "0.01", CreditReason.BILLING_ERROR)
    give(invoices()[0], "11.11", CreditReason.BILLING_ERROR)
    pay(group, "7.77")

    fix(contract, "11.11")

    assert claimed() == {(contract.pk, 1): D("11.11")}
    assert due() == D("13.22") - D("7.77")
    wrong = invoices()[0]
    assert wrong.credited_due + wrong.credited_paid == wrong.total == D("39.66")
    assert_accounted_for()


cents = st.integers(1, 6000).map(lambda n: str(D(n).scaleb(-2)))
steps = st.one_of(
    st.tuples(st.just("pay"), cents),
    st.tuples(st.just("credit"), st.integers(1, 100), st.booleans()),
    st.tuples(
        st.just("fix"), cents, st.integers(0, 80), st.booleans(), st.integers(0, 1)
    ),
)


@settings(max_examples=12)
@given(
    prices=st.lists(cents, min_size=1, max_size=2),
    months=st.integers(1, 3),
    percent=st.sampled_from([0, 7, 19]),
    history=st.lists(steps, max_size=5),
    last_price=cents,
)
def test_a6_whatever_happened_before_the_amended_amounts_are_claimed(
    *,
    prices: list[str],
    months: int,
    percent: int,
    history: list[tuple[Any, ...]],
    last_price: str,
) -> None:
    with transaction.atomic():
        group = BillGroupFactory.create()
        sales = [
            Sale(sell(group, price=price, months=months, percent=percent), price)
            for price in prices
        ]
        for month in range(1, months + 1):
            run_invoicing(as_of=date(2026, month, 1))
        for kind, *asked in history:
            if kind == "pay":
                pay(group, *asked)
            elif kind == "credit":
                credit_some(*asked)
            else:
                amend_one(sales, *asked)

        # Now with what was credited in full before, and nothing given again.
        full = [i.pk for i in invoices() if i.status == "CREDITED"]
        fix(sales[0].contract, last_price, replace_credited=full)
        sales[0].changes.append((JAN_1, last_price))

        now, given, right = claimed(), given_on_what_stands(), planned()
        for month in range(1, months + 1):
            key = (sales[0].contract.pk, month)
            assert now[key] + given[key] == right[key]
            price = sales[0].price_of(month)
            assert price in {None, right[key]}
        assert_accounted_for()
        transaction.set_rollback(True)


class Sale:
    """A contract with every price it was ever given, and from which day on."""

    def __init__(self, contract: Contract, price: str) -> None:
        self.contract = contract
        self.changes = [(JAN_1, price)]

    def price_of(self, month: int) -> Decimal | None:
        """Return the price of a month; None where it changes within the month."""
        first, last = date(2026, month, 1), MONTH_ENDS[month]
        if any(first < day <= last for day, _ in self.changes):
            return None
        # The latest date up to that day, the newest where dates are equal (A1).
        newest = sorted(self.changes, key=lambda change: change[0])
        return D(next(price for day, price in reversed(newest) if day <= first))


def credit_some(percent: int, freely: bool) -> None:  # noqa: FBT001 drawn by hypothesis
    """Credit a part of the first invoice of which something is left."""
    for invoice in invoices():
        rest = invoice.total - invoice.credited_due - invoice.credited_paid
        amount = (rest * percent / 100).quantize(D("0.01"))
        if amount:
            code = CreditReason.GOODWILL if freely else CreditReason.BILLING_ERROR
            credit_invoice(
                invoice=invoice,
                reason="Before",
                actor=None,
                today=TODAY,
                amount=amount,
                reason_code=code,
            )
            return


def amend_one(
    sales: list[Sale],
    price: str,
    days: int,
    again: bool,  # noqa: FBT001 drawn by hypothesis
    which: int,
) -> None:
    """Fix one of the contracts; goodwill that does not fit any more undoes it."""
    sale = sales[which % len(sales)]
    day = min(JAN_1 + timedelta(days=days), sale.contract.end_date or JAN_1)
    gifts = CreditNote.objects.filter(reason_code=CreditReason.GOODWILL)
    with suppress(NotCreditable):
        fix(
            sale.contract,
            price,
            effective_date=day,
            give_again=gifts.values_list("pk", flat=True) if again else (),
        )
        sale.changes.append((day, price))


def given_on_what_stands() -> dict[tuple[int, int], Decimal]:
    """Return what is credited of invoices that nothing replaces, as in `claimed`."""
    found: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    superseded = superseded_among([invoice.pk for invoice in invoices()])
    notes = CreditNoteLine.objects.filter(credit_note__status="ISSUED").exclude(
        credit_note__invoice__in=superseded
    )
    for credited in notes.select_related("invoice_line__charge"):
        line = credited.invoice_line
        found[contract_of(line), line.period_start.month] += credited.amount
    return found
