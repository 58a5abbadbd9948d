"""A usage file: every cell is read, and every fault is named (P9)."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.domain.usage_csv import ParsedUsage, UsageRow, parse_usage

HEAD = "contract_number,line,usage_date,quantity,idempotency_key"
GOOD = "C-1,2,2026-01-31,12.50,jan-7"


def parsed(*rows: str, head: str = HEAD) -> ParsedUsage:
    return parse_usage("\n".join([head, *rows]).encode())


def test_rows_are_read_with_the_line_they_stand_on() -> None:
    usage = parsed(GOOD, "", "C-2,1,2026-02-01,0,feb-1")

    assert usage.errors == ()
    assert usage.rows == (
        UsageRow(
            line=2,
            contract_number="C-1",
            position=2,
            usage_date=date(2026, 1, 31),
            quantity=Decimal("12.50"),
            idempotency_key="jan-7",
        ),
        UsageRow(
            line=4,
            contract_number="C-2",
            position=1,
            usage_date=date(2026, 2, 1),
            quantity=Decimal(0),
            idempotency_key="feb-1",
        ),
    )


def test_columns_may_stand_in_any_order_after_a_byte_order_mark() -> None:
    head = "\ufeffidempotency_key,quantity,usage_date,line,contract_number"

    [row] = parsed("k,1,2026-01-31,1,C-1", head=head).rows

    assert (row.contract_number, row.idempotency_key) == ("C-1", "k")


@pytest.mark.parametrize(
    ("row", "column", "value", "sentence"),
    [
        pytest.param(",1,2026-01-31,1,k", "contract_number", "", "filled", id="blank"),
        pytest.param("C-1,0,2026-01-31,1,k", "line", "0", "number of the", id="line_0"),
        pytest.param(
            "C-1,99999,2026-01-31,1,k", "line", "99999", "number of the", id="line_high"
        ),
        pytest.param(
            "C-1,1,31.01.2026,1,k", "usage_date", "31.01.2026", "2026", id="local_date"
        ),
        pytest.param(
            "C-1,1,2026-02-30,1,k", "usage_date", "2026-02-30", "no such", id="no_day"
        ),
        pytest.param(
            'C-1,1,2026-01-31,"1,5",k', "quantity", "1,5", "comma", id="comma"
        ),
        pytest.param("C-1,1,2026-01-31,-1,k", "quantity", "-1", "negative", id="minus"),
        pytest.param(
            "C-1,1,2026-01-31,1," + "k" * 201,
            "idempotency_key",
            "k" * 99 + "…",
            "201 characters",
            id="long_key",
        ),
        pytest.param("C-1,1,2026-01-31,1", "", "", "4 cells", id="cell_missing"),
    ],
)
def test_fault_names_line_column_value_and_what_to_do(
    row: str, column: str, value: str, sentence: str
) -> None:
    usage = parsed(GOOD, row)

    [error] = usage.errors
    assert (error.line, error.column, error.value) == (3, column, value)
    assert sentence in error.message


def test_all_faults_of_a_row_are_named_at_once() -> None:
    usage = parsed("C-1,x,tomorrow,many,k")

    assert [e.column for e in usage.errors] == ["line", "usage_date", "quantity"]
    assert usage.rows == ()


@pytest.mark.parametrize(
    ("head", "column"),
    [
        pytest.param(HEAD.replace(",quantity", ""), "quantity", id="missing"),
        pytest.param(HEAD + ",colour", "colour", id="unknown"),
        pytest.param(HEAD + ",line", "line", id="twice"),
    ],
)
def test_header_that_is_not_right_is_the_only_complaint(head: str, column: str) -> None:
    usage = parsed(GOOD, head=head)

    assert [error.column for error in usage.errors] == [column]
    assert usage.errors[0].line == 1


@pytest.mark.parametrize(
    "data", ["", "\n", HEAD], ids=["empty", "blank", "header_only"]
)
def test_file_without_rows_is_refused(data: str) -> None:
    [error] = parse_usage(data.encode()).errors

    assert error.line == 1
