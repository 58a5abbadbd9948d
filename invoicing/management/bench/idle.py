"""A night on which nothing is due, over many bill groups with charges to come."""

from datetime import timedelta
from statistics import median
from typing import Final

from invoicing.management.bench import company
from invoicing.management.bench.databases import copied
from invoicing.management.bench.measurement import Measurement, Measurements
from invoicing.management.bench.nightly import invoice_night
from invoicing.management.bench.processes import process

FIRST_NIGHT: Final = company.START - timedelta(days=30)


def measure(empty: str, size: int, rounds: int) -> Measurements:
    """Measure the run of nights before the first of `size` bill groups is due."""
    with copied(empty) as database, process(database) as one:
        one.submit(company.found, size).result()
        seconds = [
            one.submit(invoice_night, FIRST_NIGHT + timedelta(days=number))
            .result()
            .seconds
            for number in range(rounds)
        ]
    return {"run_idle": Measurement.at_most(1, value=median(seconds), unit="s")}
