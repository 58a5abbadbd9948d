"""What customers owe, by currency and by age."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from billing.models import BillGroup
from invoicing.queries.receivables import (
    account_figures,
    credit_balances,
    receivables_by_age,
)
from invoicing.services.payments import record_payment
from tests.factories import AccountFactory, BillGroupFactory
from tests.staff import active_contract, company

pytestmark = pytest.mark.django_db

DUE = date(2026, 1, 31)


@pytest.fixture
def group() -> BillGroup:
    """A group that owes 100.00 USD, due on 31 January."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made)
    return made


@pytest.mark.parametrize(
    ("days_after", "label"),
    [
        (-1, "Not due"),
        (0, "Not due"),
        (1, "1 to 30 days"),
        (30, "1 to 30 days"),
        (31, "31 to 60"),
        (60, "31 to 60"),
        (61, "61 to 90"),
        (90, "61 to 90"),
        (91, "Over 90"),
        (4000, "Over 90"),
    ],
)
def test_open_amount_lies_in_the_bucket_of_its_age(
    group: BillGroup, days_after: int, label: str
) -> None:
    (dollars,) = receivables_by_age(today=DUE + timedelta(days=days_after))

    assert {age.label: age.amount for age in dollars.ages if age.amount} == {
        label: Decimal(100)
    }
    assert dollars.total == Decimal(100)


def test_ages_sum_to_the_total_and_currencies_stay_apart(group: BillGroup) -> None:
    yen = BillGroupFactory.create(legal_entity=group.legal_entity, currency="JPY")
    active_contract(yen)

    rows = receivables_by_age(today=DUE)

    assert [row.currency for row in rows] == ["JPY", "USD"]
    for row in rows:
        assert sum(age.amount for age in row.ages) == row.total == Decimal(100)


def test_due_dates_of_a_bucket_find_its_invoices(group: BillGroup) -> None:
    (dollars,) = receivables_by_age(today=DUE + timedelta(days=45))

    (age,) = [age for age in dollars.ages if age.amount]
    assert age.due_from is not None
    assert age.due_to is not None
    assert age.due_from <= DUE <= age.due_to


def paid(group: BillGroup, amount: int) -> None:
    record_payment(
        bill_group=group,
        amount=Decimal(amount),
        received_on=date(2026, 1, 10),
        reference="P-1",
        actor=None,
        today=date(2026, 1, 10),
    )


def test_what_is_paid_is_no_receivable(group: BillGroup) -> None:
    paid(group, 100)

    assert receivables_by_age(today=DUE) == []


def test_what_falls_due_next_is_of_one_day(group: BillGroup) -> None:
    other = BillGroupFactory.create(
        account=group.account, legal_entity=group.legal_entity, net_terms=60
    )
    active_contract(other)

    (figures,) = account_figures(group.account, today=date(2026, 1, 10))

    assert (figures.due_next, figures.due_next_date) == (Decimal(100), DUE)
    assert (figures.open, figures.open_count) == (Decimal(200), 2)


def test_what_is_overdue_is_not_due_next(group: BillGroup) -> None:
    (figures,) = account_figures(group.account, today=date(2026, 2, 10))

    assert (figures.overdue, figures.overdue_days) == (Decimal(100), 10)
    assert figures.due_next == 0
    assert figures.due_next_date is None


def test_what_was_issued_a_year_ago_is_no_longer_counted(group: BillGroup) -> None:
    (figures,) = account_figures(group.account, today=date(2027, 1, 2))

    assert figures.invoiced == 0
    assert figures.open == Decimal(100)


def test_account_without_invoices_has_no_figures() -> None:
    assert account_figures(AccountFactory.create(), today=DUE) == []


def test_what_was_paid_too_much_is_credit_balance(group: BillGroup) -> None:
    """M4."""
    paid(group, 130)

    assert credit_balances(group.account) == {"USD": Decimal(30)}
    assert credit_balances(AccountFactory.create()) == {}
