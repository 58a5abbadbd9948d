"""What is due lies in one bucket by its age."""

import doctest
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain import aging
from invoicing.domain.aging import AGES, OpenItem, age_items, bucket_of

DUE = date(2026, 1, 31)
AMOUNTS = st.decimals(min_value="0.01", max_value="99999", places=2)


def item(due_date: date, due: Decimal) -> OpenItem:
    return OpenItem(
        invoice_id=1,
        number="INV-1",
        issue_date=DUE,
        due_date=due_date,
        total=due,
        due=due,
    )


def test_examples_are_true() -> None:
    results = doctest.testmod(aging)

    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize(
    ("days_after", "bucket", "late"),
    [
        pytest.param(-1, 0, 0, id="day_before_it_is_due"),
        pytest.param(0, 0, 0, id="due_date_itself"),
        pytest.param(1, 1, 1, id="first_day_late"),
        pytest.param(30, 1, 30, id="last_of_thirty"),
        pytest.param(31, 2, 31, id="first_of_sixty"),
        pytest.param(60, 2, 60, id="last_of_sixty"),
        pytest.param(61, 3, 61, id="first_of_ninety"),
        pytest.param(90, 3, 90, id="last_of_ninety"),
        pytest.param(91, 4, 91, id="over_ninety"),
    ],
)
def test_amount_lies_in_the_bucket_of_its_days(
    days_after: int, bucket: int, late: int
) -> None:
    on = DUE + timedelta(days=days_after)

    assert bucket_of(DUE, on=on) == bucket
    assert item(DUE, Decimal(1)).days_late(on) == late


@given(due_date=st.dates(), on=st.dates())
def test_bucket_and_its_due_dates_agree(due_date: date, on: date) -> None:
    inside = []
    for position, span in enumerate(AGES):
        try:
            first, last = span.due_dates(on)
        except OverflowError:
            continue
        if (first or date.min) <= due_date <= (last or date.max):
            inside.append(position)

    assert inside in ([bucket_of(due_date, on=on)], [])
    assert inside or on < date(1, 5, 1)


@given(items=st.lists(st.builds(item, st.dates(), AMOUNTS), max_size=20), on=st.dates())
def test_buckets_sum_to_what_is_due(items: list[OpenItem], on: date) -> None:
    assert sum(age_items(items, on=on)) == sum(one.due for one in items)
