"""`manage.py bench`: how fast Duebook is here, in a database of the bench's own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoicing.management.bench import idle, imports, nightly, pages, papers
from invoicing.management.bench.databases import empty_database
from invoicing.management.bench.measurement import (
    CanNotMeasure,
    Measure,
    Measurement,
)

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Bench:
    """Measurements that are made together, and their usual size."""

    names: tuple[str, ...]
    size: int
    measure: Measure


BENCHES = (
    Bench(("run",), 10_000, nightly.measure),
    Bench(("run_idle",), 100_000, idle.measure),
    Bench(("import_check", "import_apply"), 9_000, imports.measure),
    Bench(("pdf",), 20, papers.measure),
    Bench(("lists", "search"), 100_000, pages.measure),
)
NAMES = tuple(name for bench in BENCHES for name in bench.names)


class Command(BaseCommand):
    """Measure what was asked for, each against its budget."""

    help = "Measure speed and memory in databases and processes of the bench's own."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take names, size and rounds."""
        parser.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help=f"What to measure: {', '.join(NAMES)}; default: all.",
        )
        parser.add_argument(
            "--size",
            type=int,
            help="Invoices, bill groups, rows or PDFs; each has a size of its own.",
        )
        parser.add_argument(
            "--rounds", type=int, default=ROUNDS, help="How often each is measured."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and report."""
        asked = options["names"] or list(NAMES)
        unknown = [name for name in asked if name not in NAMES]
        if unknown:
            raise CommandError(
                f"Nothing is measured as {', '.join(unknown)}. Choose from "
                f"{', '.join(NAMES)}."
            )
        for option in ("size", "rounds"):
            if options[option] is not None and options[option] < 1:
                raise CommandError(f"--{option} is a number from 1 up.")
        with empty_database() as empty:
            measured = dict(
                self.measured(asked, empty, options["size"], options["rounds"])
            )
        if options["json"]:
            fields = {name: one.as_json() for name, one in measured.items()}
            self.stdout.write(json.dumps(fields, indent=2))

    def measured(
        self, asked: list[str], empty: str, size: int | None, rounds: int
    ) -> Iterator[tuple[str, Measurement]]:
        """Measure one bench after the other, and say how each went."""
        for bench in BENCHES:
            if not set(bench.names) & set(asked):
                continue
            try:
                found = bench.measure(empty, size or bench.size, rounds)
            except CanNotMeasure as reason:
                self.stderr.write(f"{', '.join(bench.names)}: {reason}")
                continue
            for name, measurement in found.items():
                if name in asked or name not in bench.names:
                    self.report(name, measurement)
                    yield name, measurement

    def report(self, name: str, found: Measurement) -> None:
        """Write one line for people, beside the JSON if that is asked for."""
        fields = found.as_json()
        beside = f", {fields['ratio']} of {fields['yardstick']}" if found.ratio else ""
        verdict = "ok" if found.ok else "MISSED"
        self.stderr.write(
            f"{name:16} {fields['value']} {found.unit}{beside} "
            f"(budget {found.budget}): {verdict}"
        )
