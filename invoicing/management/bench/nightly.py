"""The nightly run beside raw COPY of the rows it writes (DESIGN section 9).

The yardstick writes the very rows that a run wrote into the same tables, with their
indexes, constraints and triggers, and updates the same charges, in transactions of the
run's batch size, from text that is ready to be sent. What the run does on top of it is
to read, decide and compute. Each starts from a copy of one database, in which every
bill group was invoiced once before.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, Final

from django.db import connection, transaction

from billing.models import LegalEntity
from invoicing.management.bench import company
from invoicing.management.bench.databases import copied
from invoicing.management.bench.measurement import Measurement, Measurements
from invoicing.management.bench.processes import peak_memory, process
from invoicing.management.bench.rows import keep_rows, put_rows, put_statement
from invoicing.models import Invoice, InvoiceLine, InvoiceRun
from invoicing.services.batches import BATCH_SIZE
from invoicing.services.generation import run_invoicing

NIGHT: Final = company.month(1)

# In the order in which the run writes them, each with its key of the invoice.
WRITTEN: Final = {
    "invoicing_invoiceline": "invoice_id",
    "billing_auditevent": "invoice_id",
    "invoicing_delivery": "invoice_id",
    "invoicing_rundecision": "invoice_id",
    "invoicing_portalsubmission": "invoice_id",
    "invoicing_invoice": "id",
}
MARK = "UPDATE contracts_scheduledcharge SET state = 'INVOICED' WHERE id = ANY (%s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A night as one of its workers saw it; times in seconds, memory in MB."""

    seconds: float
    in_batches: float
    series_held: float
    memory: float


class SeriesWatch:
    """Times the transactions that take numbers, and how long they hold the series.

    The series is locked from the statement that takes the numbers to the commit.
    """

    def __init__(self) -> None:
        self.in_batches = 0.0
        self.held = 0.0
        self._began: float | None = None
        self._taken: float | None = None

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Note the time round each statement of a transaction."""
        if self._began is None and connection.in_atomic_block:
            self._began = time.perf_counter()
            transaction.on_commit(self._committed)
        result = execute(sql, *rest)
        if "UPDATE invoicing_numberseries" in sql:
            self._taken = time.perf_counter()
        return result

    def _committed(self) -> None:
        now = time.perf_counter()
        if self._taken is not None and self._began is not None:
            self.in_batches += now - self._began
            self.held += now - self._taken
        self._began = self._taken = None


def measure(empty: str, size: int, rounds: int) -> Measurements:
    """Measure the run of a night on which `size` bill groups are invoiced."""
    alone: list[Night] = []
    copies: list[float] = []
    pairs: list[float] = []
    with copied(empty) as database, tempfile.TemporaryDirectory() as folder:
        rows = Path(folder)
        with process(database) as one:
            one.submit(company.found, size).result()
            one.submit(invoice_night, company.month(0)).result()
            one.submit(company.vacuum).result()
        for number in range(rounds):
            with copied(database) as night, process(night) as one:
                alone.append(one.submit(invoice_night, NIGHT).result())
                if number == 0:
                    one.submit(keep_night, rows).result()
            with copied(database) as night, process(night) as one:
                copies.append(one.submit(put_night, rows).result())
            with (
                copied(database) as night,
                process(night) as one,
                process(night) as other,
            ):
                jobs = [worker.submit(invoice_night, NIGHT) for worker in (one, other)]
                pairs.append(max(job.result().seconds for job in jobs))
    return _judged(size, alone, copies, pairs)


def _judged(
    size: int, alone: list[Night], copies: list[float], pairs: list[float]
) -> Measurements:
    seconds = [night.seconds for night in alone]
    in_batches = sum(night.in_batches for night in alone)
    return {
        "run": Measurement.ratio_at_least(
            0.6,
            ratio=median(c / s for c, s in zip(copies, seconds, strict=True)),
            value=size / median(seconds),
            unit="invoices/s",
            yardstick=size / median(copies),
        ),
        "run_two_workers": Measurement.ratio_at_least(
            1.6,
            ratio=median(s / p for s, p in zip(seconds, pairs, strict=True)),
            value=size / median(pairs),
            unit="invoices/s",
            yardstick=size / median(seconds),
        ),
        "run_series_held": Measurement.at_most(
            35,
            value=100 * sum(night.series_held for night in alone) / in_batches,
            unit="% of a batch",
        ),
        "run_memory": Measurement.at_most(
            200, value=max(night.memory for night in alone), unit="MB"
        ),
    }


def invoice_night(as_of: date) -> Night:
    """Run the invoicing of a day in this process."""
    watch = SeriesWatch()
    started = time.perf_counter()
    with connection.execute_wrapper(watch):
        run_invoicing(as_of=as_of)
    return Night(
        seconds=time.perf_counter() - started,
        in_batches=watch.in_batches,
        series_held=watch.held,
        memory=peak_memory(),
    )


def keep_night(folder: Path) -> None:
    """Write what the night's run wrote to files, one for each table and batch."""
    (folder / "run").write_text(str(InvoiceRun.objects.get(as_of=NIGHT).pk))
    invoices = Invoice.objects.filter(bill_date=NIGHT).order_by("pk")
    ids = list(invoices.values_list("pk", flat=True))
    for first in range(0, len(ids), BATCH_SIZE):
        batch = ids[first : first + BATCH_SIZE]
        charges = InvoiceLine.objects.filter(
            invoice_id__gte=batch[0], invoice_id__lte=batch[-1]
        ).values_list("charge_id", flat=True)
        of_batch = folder / f"{first:09d}.charges"
        of_batch.write_text(",".join(map(str, charges)))
        for table, key in WRITTEN.items():
            keep_rows(
                of_batch.with_suffix(f".{table}"),
                table=table,
                key=key,
                first=batch[0],
                last=batch[-1],
            )


def put_night(folder: Path) -> float:
    """Write the kept rows with COPY, batch by batch; returns the seconds."""
    InvoiceRun.objects.create(
        pk=int((folder / "run").read_text()),
        legal_entity=LegalEntity.objects.get(),
        as_of=NIGHT,
    )
    statements = {table: put_statement(table) for table in WRITTEN}
    started = time.perf_counter()
    for of_batch in sorted(folder.glob("*.charges")):
        charges = [int(number) for number in of_batch.read_text().split(",")]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(MARK, [charges])
            for table, statement in statements.items():
                put_rows(of_batch.with_suffix(f".{table}"), statement)
    return time.perf_counter() - started
