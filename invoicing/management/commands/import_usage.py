"""`manage.py import_usage`: record a usage file, as the admin page does (P9)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from billing.display import count_text
from contracts.services.usage_import import (
    CheckedUsage,
    check_usage_file,
    import_usage,
)
from invoicing.management.file_command import FileCommand


class Command(FileCommand):
    """Check a usage file, and record all of it or nothing."""

    help = "Record a usage CSV, everything or nothing. Exit code 1 if it has errors."
    noun = "usage"

    def check_file(self, content: bytes, *, today: date) -> CheckedUsage:
        """Check the rows against the contracts."""
        return check_usage_file(content)

    def record_file(
        self, content: bytes, file_name: str, *, today: date
    ) -> CheckedUsage:
        """Record the rows that are not recorded yet."""
        return import_usage(content=content, file_name=file_name, actor=None)

    def told(self, summary: dict[str, Any], verb: str) -> Iterator[str]:
        """Yield the counts."""
        yield f"{count_text(summary['records'], 'record')} {verb}."
        if summary["repeated"]:
            yield f"Recorded before: {count_text(summary['repeated'], 'record')}."
        if summary["reopened"]:
            reopened = count_text(summary["reopened"], "period")
            yield f"Invoiced at zero, and pending again: {reopened}."
