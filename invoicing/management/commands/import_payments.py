"""`manage.py import_payments`: record a payments file, as the admin page does (M4)."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.clock import today_in
from contracts.domain.csv_file import RowError
from invoicing.management.contract_file import (
    error_fields,
    error_line,
    legal_entity_named,
    read_file,
)
from invoicing.services.payment_check import CheckedPayments, check_payments
from invoicing.services.payment_imports import (
    PaymentFileRefused,
    PaymentsNotRecorded,
    import_payments,
)


class Command(BaseCommand):
    """Check a file of payments, and record all of it or nothing."""

    help = "Record a CSV of payments, everything or nothing. Exit code 1 on errors."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, whether to write, and how to report."""
        parser.add_argument("file", metavar="FILE.csv", help="The payments file.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Check it and write nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check or record, and report."""
        name, content = read_file(options["file"])
        today = today_in(legal_entity_named(None).time_zone)
        errors: tuple[RowError, ...] = ()
        checked = None
        try:
            if options["dry_run"]:
                checked = check_payments(content, today=today)
                errors = checked.errors
            else:
                checked = import_payments(
                    content=content, file_name=name, actor=None, today=today
                )
        except PaymentFileRefused as refused:
            errors = refused.errors
        except PaymentsNotRecorded as fault:
            errors = (RowError(line=1, column="", value="", message=str(fault)),)

        if options["json"]:
            summary = {} if errors or checked is None else checked.as_dict()
            fields = {"errors": [error_fields(e) for e in errors], **summary}
            self.stdout.write(json.dumps(fields, indent=2))
        else:
            told = _as_text(checked, errors, is_dry=options["dry_run"])
            self.stdout.writelines(f"{line}\n" for line in told)
        if errors:
            sys.exit(1)


def _as_text(
    checked: CheckedPayments | None, errors: tuple[RowError, ...], *, is_dry: bool
) -> Iterator[str]:
    if errors or checked is None:
        yield "Nothing was recorded:"
        yield from map(error_line, errors)
        return
    verb = "can be recorded" if is_dry else "recorded"
    summary = checked.as_dict()
    yield f"{summary['payments']} payments {verb}."
    for total in summary["totals"]:
        yield (
            f"{total['amount']} {total['currency']}: {total['paid']} pays invoices, "
            f"{total['left']} goes to the credit balance."
        )
