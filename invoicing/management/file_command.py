"""Commands that take a file as an admin page does: all of it or nothing."""

import json
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, Protocol

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from config.adminsite.site import first_time_zone
from config.clock import today_in
from contracts.domain.csv_file import RowError
from contracts.services.uploads import ImportNotDone, ImportRefused
from invoicing.management.contract_file import error_fields, error_line, read_file


class Checked(Protocol):
    """What a check found: errors, or figures."""

    @property
    def errors(self) -> tuple[RowError, ...]:
        """Every row that is wrong."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON."""


class FileCommand(BaseCommand):
    """Check a file, and record all of it or nothing; exit code 1 if it has errors."""

    noun: ClassVar[str]

    def check_file(self, content: bytes, *, today: date) -> Checked:
        """Check without writing."""
        raise NotImplementedError

    def record_file(self, content: bytes, file_name: str, *, today: date) -> Checked:
        """Record; raises `ImportNotDone`."""
        raise NotImplementedError

    def told(self, summary: dict[str, Any], verb: str) -> Iterator[str]:
        """Yield what was, or can be, recorded as lines of text."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, whether to write, and how to report."""
        parser.add_argument("file", metavar="FILE.csv", help=f"The {self.noun} file.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Check it and write nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check or record, and report."""
        name, content = read_file(options["file"])
        zone = first_time_zone()
        with timezone.override(zone):
            errors, summary = self._take(
                content, name, is_dry=options["dry_run"], zone=zone
            )
        if options["json"]:
            fields = {"errors": [error_fields(e) for e in errors], **summary}
            self.stdout.write(json.dumps(fields, indent=2))
        elif errors:
            self.stdout.write("Nothing was recorded:")
            self.stdout.writelines(f"{error_line(e)}\n" for e in errors)
        else:
            verb = "can be recorded" if options["dry_run"] else "recorded"
            self.stdout.writelines(f"{line}\n" for line in self.told(summary, verb))
        if errors:
            sys.exit(1)

    def _take(
        self, content: bytes, name: str, *, is_dry: bool, zone: str
    ) -> tuple[tuple[RowError, ...], dict[str, Any]]:
        today = today_in(zone)
        try:
            if is_dry:
                checked = self.check_file(content, today=today)
            else:
                checked = self.record_file(content, name, today=today)
        except ImportRefused as refused:
            return refused.errors, {}
        except ImportNotDone as fault:
            return (RowError(line=1, column="", value="", message=str(fault)),), {}
        return checked.errors, {} if checked.errors else checked.as_dict()
