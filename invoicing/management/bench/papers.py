"""Rendering papers with a logo and five lines, by one process and by two.

What else the machine does only ever adds to the time of a paper, by half at times. So
each paper counts with the fastest of its rounds; half of all papers took no longer than
what is reported.

Two processes do not do twice as much wherever the machine's processors share cores. So
what two do is held against what the machine gains when two processes count, in turns
with the rendering.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Final

from billing.models import LegalEntity
from billing.services.logos import draw_logo, keep_logo
from invoicing.management.bench import company
from invoicing.management.bench.databases import copied
from invoicing.management.bench.measurement import (
    CanNotMeasure,
    Measurement,
    Measurements,
)
from invoicing.management.bench.nightly import invoice_night
from invoicing.management.bench.processes import process
from invoicing.management.demo.logo import nordhaven_logo
from invoicing.models import Invoice
from invoicing.services.documents import render_pdf
from invoicing.services.rendering import PangoMissing

LINES: Final = 5
MOST_PAPERS: Final = 100
COUNTED: Final = 20_000_000


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
    gains: list[float] = []
    with (
        copied(empty) as database,
        process(database) as one,
        process(database) as other,
    ):
        one.submit(company.found, size, LINES).result()
        one.submit(print_logo).result()
        one.submit(invoice_night, company.month(0)).result()
        _warm(one, other)
        for _ in range(rounds):
            alone.append(one.submit(render_all).result())
            jobs = [worker.submit(render_all) for worker in (one, other)]
            pairs.append(max(job.result().seconds for job in jobs))
            gains.append(_gain(one, other))
    return _judged(size, alone, pairs, gains)


def print_logo() -> None:
    """Give the company a logo, as most have one."""
    logo = draw_logo(nordhaven_logo())
    keep_logo(logo)
    LegalEntity.objects.update(logo=logo)


def _gain(one: ProcessPoolExecutor, other: ProcessPoolExecutor) -> float:
    """Return how many times as much two processes compute here as one does."""
    alone = one.submit(count).result()
    jobs = [worker.submit(count) for worker in (one, other)]
    return 2 * alone / max(job.result() for job in jobs)


def _judged(
    size: int, alone: list[Rendered], pairs: list[float], gains: list[float]
) -> Measurements:
    """Judge what was measured in turns; two workers by what the machine gains."""
    rendered = zip(alone, pairs, gains, strict=True)
    each_round = [papers.each for papers in alone]
    return {
        "pdf": Measurement.at_most(
            150,
            value=1000 * median(map(min, zip(*each_round, strict=True))),
            unit="ms CPU",
        ),
        "pdf_two_workers": Measurement.ratio_at_least(
            0.9,
            ratio=median(
                2 * papers.seconds / pair / gain for papers, pair, gain in rendered
            ),
            value=2 * size / median(pairs),
            unit="PDFs/s",
            yardstick=median(gains) * size / median(papers.seconds for papers in alone),
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


def count() -> float:
    """Compute and nothing else; returns the seconds."""
    started = time.perf_counter()
    for _ in range(COUNTED):
        pass
    return time.perf_counter() - started
