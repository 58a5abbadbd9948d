"""Checking and importing a contract file, the latter beside raw COPY of its rows.

The file holds contracts of a year with three monthly lines each, for new accounts. They
are in force: their first charge was billed elsewhere the day before (I2), so that no
first invoice is looked for (I4) and the import alone is measured. The fastest of the
rounds counts: what else the machine does only ever adds.
"""

import csv
import io
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from django.db import transaction

from billing.models import InvoicingSettings, LegalEntity
from contracts.services.imports import check_upload, new_upload
from invoicing.management.bench.databases import copied
from invoicing.management.bench.measurement import Measurement, Measurements
from invoicing.management.bench.processes import process
from invoicing.management.bench.rows import keep_rows, put_rows, put_statement
from invoicing.services.lifecycle import import_contracts

TODAY: Final = date(2026, 1, 2)
LINES: Final = 3
HEADER: Final = (
    *("account_number", "account_name", "bill_group", "contract_number"),
    *("start_date", "end_date", "currency", "product", "charge_type", "quantity"),
    *("unit_price", "discount_percent", "description", "net_terms", "email"),
    *("address_line1", "city", "postal_code", "country", "tax_rate"),
)
# What an import writes, each table after those that its rows name.
WRITTEN: Final = (
    *("contracts_contractimport", "contracts_product", "billing_taxrate"),
    *("billing_taxratestep", "billing_account", "billing_billgroup"),
    *("contracts_contract", "contracts_contractline", "contracts_scheduledcharge"),
    "billing_auditevent",
)
LARGEST_ID: Final = 2**62


def measure(empty: str, size: int, rounds: int) -> Measurements:
    """Measure a file of `size` rows."""
    content = contract_file(size)
    reading: list[float] = []
    checking: list[float] = []
    applying: list[float] = []
    copying: list[float] = []
    with copied(empty) as database, tempfile.TemporaryDirectory() as folder:
        rows = Path(folder)
        with process(database) as one:
            one.submit(make_legal_entity).result()
        for number in range(rounds):
            with copied(database) as day, process(day) as one:
                # The first file of a process loads the names of all countries.
                one.submit(check, contract_file(LINES)).result()
                reading.append(one.submit(read_cells, content).result())
                checking.append(one.submit(check, content).result())
                applying.append(one.submit(apply, content).result())
                if number == 0:
                    one.submit(keep_import, rows).result()
            with copied(database) as day, process(day) as one:
                copying.append(one.submit(put_import, rows).result())
    return {
        "import_check": Measurement.at_least(
            20_000,
            value=size / min(checking),
            unit="rows/s",
            yardstick=size / min(reading),
        ),
        "import_apply": Measurement.at_least(
            2_000,
            value=size / min(applying),
            unit="lines/s",
            yardstick=size / min(copying),
        ),
    }


def contract_file(rows: int) -> bytes:
    """Return a contract CSV of some rows, `LINES` to a contract."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(_row(number) for number in range(rows))
    return text.getvalue().encode()


def _row(number: int) -> Iterator[str]:
    n, position = divmod(number, LINES)
    cells = (
        *(f"ACC-{n}", f"Customer {n} GmbH", "Main", f"C-{n}"),
        *("2026-01-01", "2026-12-31", "EUR", f"Platform, edition {number % 40}"),
        *("recurring", number % 50 + 1, f"{number % 200 + 1}.25"),
        *("10" if position == 2 else "", f"Seats of C-{n}" if position == 0 else ""),
        *("30", f"invoices@customer{n}.example", f"Hafenstraße {n % 200}", "Hamburg"),
        *(20_000 + n % 999, "DE", "19"),
    )
    return map(str, cells)


def make_legal_entity() -> None:
    """Make the legal entity that invoices."""
    legal_entity = LegalEntity.objects.create(
        name="Nordhaven Systems GmbH", time_zone="Europe/Berlin"
    )
    InvoicingSettings.objects.create(legal_entity=legal_entity)


def read_cells(content: bytes) -> float:
    """Read the file as Python's csv module does; returns the seconds."""
    started = time.perf_counter()
    for _row in csv.DictReader(io.StringIO(content.decode())):
        pass
    return time.perf_counter() - started


def check(content: bytes) -> float:
    """Check the file; returns the seconds."""
    upload = new_upload(
        content=content,
        file_name="bench.csv",
        legal_entity=LegalEntity.objects.get(),
        actor=None,
    )
    started = time.perf_counter()
    checked = check_upload(upload)
    seconds = time.perf_counter() - started
    if checked.errors:
        raise RuntimeError(f"The bench's own file is refused: {checked.errors[0]}")
    return seconds


def apply(content: bytes) -> float:
    """Import the file; returns the seconds."""
    upload = new_upload(
        content=content,
        file_name="bench.csv",
        legal_entity=LegalEntity.objects.get(),
        actor=None,
    )
    started = time.perf_counter()
    import_contracts(upload=upload, actor=None, import_date=TODAY, today=TODAY)
    return time.perf_counter() - started


def keep_import(folder: Path) -> None:
    """Write what the import wrote to files, one for each table."""
    for table in WRITTEN:
        keep_rows(folder / table, table=table, key="id", first=1, last=LARGEST_ID)


def put_import(folder: Path) -> float:
    """Write the kept rows with COPY, in one transaction; returns the seconds."""
    statements = {table: put_statement(table) for table in WRITTEN}
    started = time.perf_counter()
    with transaction.atomic():
        for table, statement in statements.items():
            put_rows(folder / table, statement)
    return time.perf_counter() - started
