"""The demo's bank: every two weeks a file of what came in, through the real import.

`payers.csv` says by account how many days after the due date it pays which percent of
what an invoice then has due, for invoices due before `until` if that is filled. An
account may have several rows; one that has none never pays.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import cast

from django.contrib.auth.models import AbstractBaseUser

from billing.domain.money import round_money
from invoicing.domain.states import InvoiceStatus
from invoicing.management.demo.files import Row, month, read_demo
from invoicing.models import Invoice
from invoicing.services.payment_imports import import_payments

FORTNIGHT = timedelta(days=14)
COLUMNS = ("bill_group", "amount", "currency", "received_on", "reference", "invoice")


class Bank:
    """The files of the year before today, recorded in order."""

    def __init__(self, *, actor: AbstractBaseUser, today: date) -> None:
        self._actor = actor
        self._habits: defaultdict[str, list[Row]] = defaultdict(list)
        for row in read_demo("payers.csv", today=today):
            self._habits[row["account_number"]].append(row)
        files = (today - month(today, -12)).days // FORTNIGHT.days
        self._waiting = [today - FORTNIGHT * back for back in range(files)]

    def record(self, *, until: date) -> None:
        """Record the files up to a day that are not recorded yet."""
        while self._waiting and self._waiting[-1] <= until:
            day = self._waiting.pop()
            rows = sorted(self._received(day), key=lambda row: row["received_on"])
            if rows:
                import_payments(
                    content=_as_csv(rows),
                    file_name=f"bank-{day.isoformat()}.csv",
                    actor=self._actor,
                    today=day,
                )

    def _received(self, day: date) -> Iterator[dict[str, str]]:
        """Yield what came in the fortnight to a day."""
        open_ones = Invoice.objects.filter(
            status=InvoiceStatus.OPEN, account__number__in=self._habits
        ).select_related("account", "bill_group")
        for invoice in open_ones.order_by("pk"):
            due = cast("date", invoice.due_date)  # which every issued invoice has
            for habit in self._habits[invoice.account.number]:
                paid_on = due + timedelta(int(habit["days_after_due"]))
                stopped = habit["until"] and due.isoformat() >= habit["until"]
                if day - FORTNIGHT < paid_on <= day and not stopped:
                    yield _row(invoice, habit, paid_on)


def _row(invoice: Invoice, habit: Row, received_on: date) -> dict[str, str]:
    amount = invoice.amount_due * Decimal(habit["percent"]) / 100
    return {
        "bill_group": invoice.bill_group.public_id,
        "amount": str(round_money(amount, invoice.currency)),
        "currency": invoice.currency,
        "received_on": received_on.isoformat(),
        "reference": f"Transfer {invoice.number}",
        "invoice": invoice.number or "",
    }


def _as_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
