"""Rows that are copied hold what was given, to the last character."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from contracts.services.rows import NULL, cell, or_null

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
