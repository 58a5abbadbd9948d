"""`manage.py explain_invoice`: why a bill group has no invoice, gate by gate (G16)."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.queries import bill_group_by_public_id
from config.clock import today_in
from invoicing.management.arguments import iso_date
from invoicing.services.explain import Explanation, explain_invoice

MARKS = {True: "passed", False: "STOPS ", None: "      "}


class Command(BaseCommand):
    """Explain what the night of a day does for a bill group."""

    help = "Say whether a bill group gets an invoice on a day, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the bill group, the day, and how to report."""
        parser.add_argument("bill_group", help="The bill group's id, like BG-000123.")
        parser.add_argument(
            "--on",
            type=iso_date,
            metavar="DATE",
            help="The night to explain; default: today at the legal entity.",
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Explain, and print it."""
        bill_group = bill_group_by_public_id(options["bill_group"])
        if bill_group is None:
            raise CommandError(
                f"There is no bill group {options['bill_group']}. Its id looks like "
                "BG-000123 and stands on the account's page."
            )
        on = options["on"] or today_in(bill_group.legal_entity.time_zone)
        explanation = explain_invoice(bill_group=bill_group, on=on)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(explanation), indent=2))
            return
        self.stdout.write(explanation.sentence)
        for gate in explanation.gates:
            self.stdout.write(f"  {MARKS[gate.passed]}  {gate.rule:4} {gate.sentence}")
        if explanation.expected_date:
            self.stdout.write(f"Expected on {explanation.expected_date}.")


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as plain values."""
    expected = explanation.expected_date
    return {
        "bill_group": explanation.bill_group.public_id,
        "on": explanation.on.isoformat(),
        "will_generate": explanation.will_generate,
        "rule": explanation.rule,
        "sentence": explanation.sentence,
        "gates": [
            {"rule": gate.rule, "passed": gate.passed, "sentence": gate.sentence}
            for gate in explanation.gates
        ],
        "expected_date": expected.isoformat() if expected else None,
    }
