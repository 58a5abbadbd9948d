"""Rows that are copied hold what was given, to the last character."""

import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from contracts.models import Product
from contracts.services.rows import NULL, cell, meanwhile, next_ids, or_null

NASTY = "\\N \\. \t \n \r \\t 'single' \"double\" %s {} ü \u2028 \x01 \x7f"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    ["", "plain", NASTY, *"\\\t\n\r", r"\N", r"\.", "\\\\", "\v\f\b", "ends in \\"],
)
def test_cell_is_read_back_as_the_text(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE kept (before int, text text, after int)")
        with cursor.copy("COPY kept FROM STDIN") as copy:
            copy.write(f"1\t{cell(text)}\t2\n")
        cursor.execute("SELECT before, text, after FROM kept")

        assert cursor.fetchall() == [(1, text, 2)]


@pytest.mark.parametrize("value", [0, Decimal("0.00"), date(2026, 1, 1)])
def test_only_what_is_missing_is_null(value: Any) -> None:
    assert or_null(value) == value
    assert or_null(None) == NULL


@pytest.mark.django_db
def test_ids_are_taken_in_order_and_never_twice() -> None:
    ids = [*next_ids(Product, 3), *next_ids(Product, 2)]

    assert len(set(ids)) == 5
    assert ids == sorted(ids)
    assert Product.objects.create(name="Seats").pk > ids[-1]


@pytest.mark.django_db
def test_server_works_while_the_block_does() -> None:
    started = time.monotonic()

    with meanwhile(("SELECT pg_sleep(0.5)", [])):
        entered = time.monotonic() - started

    assert entered < 0.5 <= time.monotonic() - started


@pytest.mark.django_db
def test_what_goes_wrong_meanwhile_is_raised_at_the_end_of_the_block() -> None:
    done = []

    with (
        pytest.raises(DataError, match="division by zero"),
        transaction.atomic(),
        meanwhile(("SELECT 1 / 0", [])),
    ):
        done.append("the block")

    assert done == ["the block"]
    assert not Product.objects.exists()
