"""`manage.py import_payments`: record a payments file, as the admin page does (M4)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from billing.display import count_text
from invoicing.management.file_command import FileCommand
from invoicing.services.payment_check import CheckedPayments, check_payments
from invoicing.services.payment_imports import import_payments


class Command(FileCommand):
    """Check a file of payments, and record all of it or nothing."""

    help = "Record a CSV of payments, everything or nothing. Exit code 1 on errors."
    noun = "payments"

    def check_file(self, content: bytes, *, today: date) -> CheckedPayments:
        """Check the rows against what is due."""
        return check_payments(content, today=today)

    def record_file(
        self, content: bytes, file_name: str, *, today: date
    ) -> CheckedPayments:
        """Record every row."""
        return import_payments(
            content=content, file_name=file_name, actor=None, today=today
        )

    def told(self, summary: dict[str, Any], verb: str) -> Iterator[str]:
        """Yield the count, and what becomes of the money."""
        yield f"{count_text(summary['payments'], 'payment')} {verb}."
        for total in summary["totals"]:
            yield (
                f"{total['amount']} {total['currency']}: {total['paid']} pays "
                f"invoices, {total['left']} goes to the credit balance."
            )
