"""Which invoices money goes to (M4)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain.allocation import (
    Balance,
    NotAllocatable,
    OpenInvoice,
    allocate,
    allocate_as_chosen,
    use_balance,
)

D = Decimal
amounts = st.integers(min_value=1, max_value=500).map(D)


def invoice(number: int, *, due: str = "10", day: int = 1) -> OpenInvoice:
    return OpenInvoice(
        invoice_id=number, due_date=date(2026, 3, day), sequence=number, due=D(due)
    )


@st.composite
def open_invoices(draw: st.DrawFn) -> list[OpenInvoice]:
    return [
        OpenInvoice(
            invoice_id=number,
            due_date=draw(st.dates(date(2026, 1, 1), date(2026, 3, 31))),
            sequence=number,
            due=draw(amounts),
            is_superseded=draw(st.booleans()),
        )
        for number in range(draw(st.integers(min_value=0, max_value=6)))
    ]


@st.composite
def balances(draw: st.DrawFn) -> list[Balance]:
    return [
        Balance(
            entry_id=number,
            left=draw(amounts),
            for_invoice_id=draw(st.none() | st.integers(min_value=0, max_value=6)),
        )
        for number in range(draw(st.integers(min_value=0, max_value=5)))
    ]


def test_m4_payment_goes_to_the_oldest_due_first() -> None:
    divided = allocate(D(15), [invoice(3, day=9), invoice(2, day=1), invoice(1, day=1)])

    assert [(part.invoice_id, part.amount) for part in divided.allocations] == [
        (1, D(10)),
        (2, D(5)),
    ]
    assert divided.left == 0


def test_m4_over_payment_is_left_for_the_balance() -> None:
    divided = allocate(D(15), [invoice(1)])

    assert divided.left == D(5)


def test_m4_no_payment_goes_to_a_superseded_invoice_by_itself() -> None:
    divided = allocate(D(15), [replace(invoice(1), is_superseded=True), invoice(2)])

    assert [part.invoice_id for part in divided.allocations] == [2]


def test_m4_a_superseded_invoice_can_be_chosen() -> None:
    divided = allocate_as_chosen(
        D(15), {1: D(4)}, [replace(invoice(1), is_superseded=True)]
    )

    assert [part.amount for part in divided.allocations] == [D(4)]
    assert divided.left == D(11)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        pytest.param({7: D(1)}, "has nothing due", id="another_customers"),
        pytest.param({1: D(0)}, "more than zero", id="zero"),
        pytest.param({1: D(-1)}, "more than zero", id="negative"),
        pytest.param({1: D("NaN")}, "more than zero", id="not_a_number"),
        pytest.param({1: D(11)}, "Only 10 is due there", id="more_than_due"),
        pytest.param(
            {1: D(10), 2: D(6)},
            "The payment is 15; the choice comes to 16",
            id="more_than_paid",
        ),
    ],
)
def test_m4_a_choice_that_does_not_fit_is_refused(
    chosen: dict[int, D], sentence: str
) -> None:
    with pytest.raises(NotAllocatable, match=sentence):
        allocate_as_chosen(D(15), chosen, [invoice(1), invoice(2)])


@given(amounts, open_invoices())
def test_m4_a_payment_is_all_accounted_for(
    amount: Decimal, invoices: list[OpenInvoice]
) -> None:
    due = {each.invoice_id: each.due for each in invoices if not each.is_superseded}

    divided = allocate(amount, invoices)

    parts = {part.invoice_id: part.amount for part in divided.allocations}
    assert sum(parts.values()) + divided.left == amount
    assert all(0 < part <= due[invoice_id] for invoice_id, part in parts.items())
    assert divided.left == max(D(0), amount - sum(due.values()))


def test_m4_balance_goes_first_to_the_replacement_of_what_was_credited() -> None:
    older, replacement = invoice(1), invoice(2, day=9)

    uses = use_balance(
        [Balance(entry_id=5, left=D(12), for_invoice_id=2)], [older, replacement]
    )

    assert [(use.invoice_id, use.amount) for use in uses] == [(2, D(10)), (1, D(2))]


def test_m4_the_oldest_balance_is_used_first() -> None:
    uses = use_balance(
        [Balance(entry_id=8, left=D(4)), Balance(entry_id=3, left=D(9))], [invoice(1)]
    )

    assert [(use.entry_id, use.amount) for use in uses] == [(8, D(4)), (3, D(6))]


def test_m4_balance_for_a_replacement_not_issued_yet_goes_to_what_is_due() -> None:
    """A draft is not among the open invoices: what is due takes the balance."""
    uses = use_balance(
        [Balance(entry_id=1, left=D(4), for_invoice_id=99)], [invoice(1)]
    )

    assert [(use.invoice_id, use.amount) for use in uses] == [(1, D(4))]


@given(balances(), open_invoices())
def test_m4_balance_is_used_as_far_as_something_is_due(
    sources: list[Balance], invoices: list[OpenInvoice]
) -> None:
    due = {each.invoice_id: each.due for each in invoices if not each.is_superseded}
    left = {each.entry_id: each.left for each in sources}

    uses = use_balance(sources, invoices)

    for use in uses:
        assert use.amount > 0
        due[use.invoice_id] -= use.amount
        left[use.entry_id] -= use.amount
    assert min([*due.values(), *left.values()], default=0) >= 0
    assert not (any(due.values()) and any(left.values()))
    assert len({(use.entry_id, use.invoice_id) for use in uses}) == len(uses)
