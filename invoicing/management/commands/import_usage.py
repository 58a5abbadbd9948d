"""`manage.py import_usage`: record a usage file, as the admin page does (P9)."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from contracts.domain.csv_file import RowError
from contracts.services.usage_import import (
    CheckedUsage,
    UsageFileRefused,
    UsageImportNotDone,
    check_usage_file,
    import_usage,
)
from invoicing.management.contract_file import error_fields, error_line, read_file


class Command(BaseCommand):
    """Check a usage file, and record all of it or nothing."""

    help = "Record a usage CSV, everything or nothing. Exit code 1 if it has errors."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, whether to write, and how to report."""
        parser.add_argument("file", metavar="FILE.csv", help="The usage file.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Check it and write nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check or record, and report."""
        name, content = read_file(options["file"])
        errors: tuple[RowError, ...] = ()
        checked = None
        try:
            if options["dry_run"]:
                checked = check_usage_file(content)
                errors = checked.errors
            else:
                checked = import_usage(content=content, file_name=name, actor=None)
        except UsageFileRefused as refused:
            errors = refused.errors
        except UsageImportNotDone as fault:
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
    checked: CheckedUsage | None, errors: tuple[RowError, ...], *, is_dry: bool
) -> Iterator[str]:
    if errors or checked is None:
        yield "Nothing was recorded:"
        yield from map(error_line, errors)
        return
    verb = "can be recorded" if is_dry else "recorded"
    yield f"{len(checked.new)} records {verb}."
    if checked.repeated:
        yield f"{checked.repeated} were recorded before."
    if checked.reopened:
        yield f"{len(checked.reopened)} periods invoiced at zero are pending again."
