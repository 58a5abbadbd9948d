"""Contract files for tests: a plain row, variations of it, and what is wrong."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO

from contracts.domain.csv_contracts import ParsedContract
from contracts.domain.csv_file import RowError
from contracts.domain.csv_rows import parse_contracts

PLAIN: Mapping[str, str] = {
    "account_number": "A-1",
    "account_name": "Acme Ltd",
    "bill_group": "Main",
    "contract_number": "C-1",
    "start_date": "2026-01-01",
    "currency": "EUR",
    "product": "Licence",
    "charge_type": "recurring",
    "quantity": "2",
    "unit_price": "10.50",
}
USAGE = {"charge_type": "usage", "quantity": ""}


def row(**cells: str) -> dict[str, str]:
    """A plain row with these cells besides, or instead."""
    return {**PLAIN, **cells}


def contract_csv(*rows: Mapping[str, str], columns: Sequence[str] = ()) -> bytes:
    """A file with these rows, and all columns that any of them has."""
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    text = StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def contracts_of(*rows: Mapping[str, str]) -> tuple[ParsedContract, ...]:
    """The contracts of a file that must be without fault."""
    parsed = parse_contracts(contract_csv(*rows))
    assert parsed.errors == ()
    return parsed.contracts


def errors_of(*rows: Mapping[str, str]) -> tuple[RowError, ...]:
    """What is wrong with a file of these rows."""
    return parse_contracts(contract_csv(*rows)).errors


def places(errors: Sequence[RowError]) -> list[tuple[int, str]]:
    """Where the errors are."""
    return [(error.line, error.column) for error in errors]
