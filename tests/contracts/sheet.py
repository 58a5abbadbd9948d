"""Contract files for tests: rows with the least that a file must say."""

from typing import Final

ROW: Final = {
    "account_number": "A-1",
    "account_name": "Acme",
    "bill_group": "Main",
    "contract_number": "C-1",
    "start_date": "2026-01-01",
    "end_date": "2026-12-31",
    "currency": "EUR",
    "product": "Platform",
    "charge_type": "recurring",
    "quantity": "1",
    "unit_price": "100",
}


def sheet(*rows: dict[str, str]) -> bytes:
    """Return a contract file; each row says only what differs from `ROW`.

    One column for each name that any row uses.
    """
    names = list(dict.fromkeys([*ROW, *(name for row in rows for name in row)]))
    lines = [
        ",".join(quoted((ROW | row).get(name, "")) for name in names)
        for row in rows or ({},)
    ]
    return "\n".join([",".join(names), *lines, ""]).encode()


def quoted(cell: str) -> str:
    """Return a cell as it stands in a file."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n') else cell
