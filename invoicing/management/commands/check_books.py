"""`manage.py check_books`: prove every invariant; exit code 1 if one is broken."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from invoicing.services.books import EVERY_INVARIANT, check_books


class Command(BaseCommand):
    """Look for whatever breaks the books."""

    help = "Check every invariant of the books. Exit code 1 if one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how to report."""
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and print what is broken."""
        broken = check_books()
        if options["json"]:
            report = {
                "checked": len(EVERY_INVARIANT),
                "broken": [
                    {
                        "name": found.invariant.name,
                        "rule": found.invariant.rule,
                        "sentence": found.invariant.sentence,
                        "count": found.count,
                        "examples": found.examples,
                    }
                    for found in broken
                ],
            }
            self.stdout.write(json.dumps(report, indent=2))
        else:
            for found in broken:
                self.stdout.write(
                    f"{found.invariant.rule}: {found.invariant.sentence} "
                    f"{found.count} times, for example {found.examples[0]}."
                )
            self.stdout.write(
                f"{len(EVERY_INVARIANT)} invariants checked, {len(broken)} broken."
            )
        if broken:
            sys.exit(1)
