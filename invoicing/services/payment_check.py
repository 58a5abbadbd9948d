"""Check a file of payments against what is stored, and say what it would pay (M4).

The rows are followed in their order on the dues as they are now, so that a second
payment of one invoice finds what the first one left. A handful of statements for all.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from billing.display import day_text, money_text
from billing.models import BillGroup
from contracts.domain.csv_file import RowError, shown
from invoicing.domain.allocation import OpenInvoice, after_payment, divide
from invoicing.domain.payment_csv import PaymentRow, parse_payments
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice, Payment
from invoicing.queries.claims import open_invoices

ROWS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """A row to record; `chosen` are amounts by invoice id, None the oldest due first.

    `paid` is what invoices take of it, `left` what stays as credit balance.
    """

    row: PaymentRow
    group: BillGroup
    chosen: Mapping[int, Decimal] | None
    paid: Decimal
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPayments:
    """What a file would record, or every row that is wrong."""

    new: tuple[NewPayment, ...]
    errors: tuple[RowError, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON, as they are kept with an upload."""
        sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
        for item in self.new:
            so_far = sums[item.row.currency]
            parts = (item.row.amount, item.paid, item.left)
            sums[item.row.currency] = [
                a + b for a, b in zip(so_far, parts, strict=True)
            ]
        return {
            "payments": len(self.new),
            "bill_groups": len({item.group.pk for item in self.new}),
            "totals": [
                {
                    "currency": currency,
                    "amount": _plain(amount, currency),
                    "paid": _plain(paid, currency),
                    "left": _plain(left, currency),
                }
                for currency, (amount, paid, left) in sorted(sums.items())
            ],
            "rows": [_as_row(item) for item in self.new[:ROWS_SHOWN]],
            "more_rows": max(len(self.new) - ROWS_SHOWN, 0),
        }


def _as_row(item: NewPayment) -> dict[str, Any]:
    row = item.row
    return {
        "line": row.line,
        "bill_group": row.bill_group,
        "account": str(item.group.account),
        "reference": row.reference,
        "received_on": row.received_on.isoformat(),
        "invoice": row.invoice,
        "currency": row.currency,
        "amount": _plain(row.amount, row.currency),
        "paid": _plain(item.paid, row.currency),
        "left": _plain(item.left, row.currency),
    }


def _plain(amount: Decimal, currency: str) -> str:
    return money_text(amount, currency).replace(",", "")


def check_payments(content: bytes, *, today: date) -> CheckedPayments:
    """Check a payments file as a whole, without writing."""
    parsed = parse_payments(content)
    facts = _Facts(parsed.rows)
    errors = list(parsed.errors)
    new: list[NewPayment] = []
    for row in parsed.rows:
        judged = facts.judge(row, today=today)
        if isinstance(judged, RowError):
            errors.append(judged)
        else:
            new.append(judged)
    errors.sort(key=lambda error: error.line)
    return CheckedPayments(new=tuple(new), errors=tuple(errors))


class _Facts:
    """What rows are judged with: groups, dues, earlier payments; read at once."""

    def __init__(self, rows: Sequence[PaymentRow]) -> None:
        ids = {int(row.bill_group.removeprefix("BG-")) for row in rows}
        groups = BillGroup.objects.filter(pk__in=ids).select_related("account")
        self._groups = {group.public_id: group for group in groups}
        invoices = list(
            Invoice.objects.filter(
                bill_group__in=ids, status=InvoiceStatus.OPEN
            ).order_by("pk")
        )
        numbers = {row.invoice for row in rows if row.invoice}
        self._numbered = {
            (invoice.bill_group_id, invoice.number): invoice
            for invoice in Invoice.objects.filter(
                bill_group__in=ids, number__in=numbers
            )
        }
        group_of = {invoice.pk: invoice.bill_group_id for invoice in invoices}
        self._due: dict[int, tuple[OpenInvoice, ...]] = defaultdict(tuple)
        for due in open_invoices(invoices):
            self._due[group_of[due.invoice_id]] += (due,)
        recorded = Payment.objects.filter(
            bill_group__in=ids,
            reference__in={row.reference for row in rows},
            taken_back_on=None,
        )
        # Where a payment stands: 0 for recorded before, else its line.
        self._stands = dict.fromkeys(
            recorded.values_list("bill_group", "amount", "received_on", "reference"), 0
        )

    def judge(self, row: PaymentRow, *, today: date) -> NewPayment | RowError:
        group = self._groups.get(row.bill_group)
        if group is None:
            return _wrong(row, "bill_group", "There is no bill group with this id.")
        if row.currency != group.currency:
            return _wrong(
                row,
                "currency",
                f"The bill group is billed in {group.currency}. A payment in another "
                "currency can't be recorded on it.",
            )
        if row.received_on > today:
            return _wrong(
                row, "received_on", f"{day_text(row.received_on)} has not come yet."
            )
        if fault := self._repeated(row, group):
            return fault
        chosen = self._chosen(row, group)
        if isinstance(chosen, RowError):
            return chosen
        return self._divided(row, group, chosen)

    def _repeated(self, row: PaymentRow, group: BillGroup) -> RowError | None:
        key = (group.pk, row.amount, row.received_on, row.reference)
        line = self._stands.setdefault(key, row.line)
        if line == row.line:
            return None
        where = f"It stands in line {line}" if line else "It was recorded"
        return _wrong(
            row,
            "reference",
            f"{where} already: the same bill group, amount, day and reference. Remove "
            "the row, or correct what differs.",
        )

    def _chosen(
        self, row: PaymentRow, group: BillGroup
    ) -> dict[int, Decimal] | RowError | None:
        if not row.invoice:
            return None
        invoice = self._numbered.get((group.pk, row.invoice))
        if invoice is None:
            return _wrong(
                row, "invoice", f"{row.bill_group} has no invoice with this number."
            )
        due = {due.invoice_id: due.due for due in self._due[group.pk]}
        if invoice.pk not in due:
            return _wrong(
                row,
                "invoice",
                "Nothing is due on this invoice. Leave the cell blank: then the "
                "payment pays what is due, oldest first.",
            )
        return {invoice.pk: min(row.amount, due[invoice.pk])}

    def _divided(
        self, row: PaymentRow, group: BillGroup, chosen: dict[int, Decimal] | None
    ) -> NewPayment:
        due = self._due[group.pk]
        payment, balance = divide(row.amount, due, chosen=chosen)
        self._due[group.pk] = after_payment(after_payment(due, payment), balance)
        return NewPayment(
            row=row,
            group=group,
            chosen=chosen,
            paid=row.amount - balance.left,
            left=balance.left,
        )


def _wrong(row: PaymentRow, column: str, message: str) -> RowError:
    value = str(getattr(row, column))
    return RowError(line=row.line, column=column, value=shown(value), message=message)
