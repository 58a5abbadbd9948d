"""Rendering the papers of invoices with five lines, by one process and by two."""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Final

from invoicing.management.bench import company
from invoicing.management.bench.databases import copied
from invoicing.management.bench.measurement import (
    CanNotMeasure,
    Measurement,
    Measurements,
)
from invoicing.management.bench.nightly import invoice_night
from invoicing.management.bench.processes import process
from invoicing.models import Invoice
from invoicing.services.documents import render_pdf
from invoicing.services.rendering import PangoMissing

LINES: Final = 5
MOST_PAPERS: Final = 100


@dataclass(frozen=True, slots=True)
class Rendered:
    """What rendering took: seconds in all, and of the processor for each paper."""

    seconds: float
    each: list[float]


def measure(empty: str, size: int, rounds: int) -> Measurements:
    """Measure the rendering of `size` papers, of not too many."""
    size = min(size, MOST_PAPERS)
    alone: list[Rendered] = []
    pairs: list[float] = []
    with (
        copied(empty) as database,
        process(database) as one,
        process(database) as other,
    ):
        one.submit(company.found, size, LINES).result()
        one.submit(invoice_night, company.month(0)).result()
        _warm(one, other)
        for _ in range(rounds):
            alone.append(one.submit(render_all).result())
            jobs = [worker.submit(render_all) for worker in (one, other)]
            pairs.append(max(job.result().seconds for job in jobs))
    return {
        "pdf": Measurement.at_most(
            150,
            value=1000 * median(cpu for papers in alone for cpu in papers.each),
            unit="ms CPU",
        ),
        "pdf_two_workers": Measurement.ratio_at_least(
            1.8,
            ratio=median(
                2 * papers.seconds / pair
                for papers, pair in zip(alone, pairs, strict=True)
            ),
            value=2 * size / median(pairs),
            unit="PDFs/s",
            yardstick=size / median(papers.seconds for papers in alone),
        ),
    }


def _warm(*workers: ProcessPoolExecutor) -> None:
    """Let each process import and read what all papers share."""
    try:
        for job in [worker.submit(render_all) for worker in workers]:
            job.result()
    except PangoMissing as missing:
        raise CanNotMeasure(str(missing)) from missing


def render_all() -> Rendered:
    """Render every invoice."""
    each = []
    started = time.perf_counter()
    for invoice in Invoice.objects.order_by("pk"):
        before = time.process_time()
        render_pdf(invoice)
        each.append(time.process_time() - before)
    return Rendered(time.perf_counter() - started, each)
