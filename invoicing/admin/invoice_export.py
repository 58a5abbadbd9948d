"""The filtered invoices as a CSV file, written row by row.

The file holds what the list shows at the same address: the same filter set, the same
search. Amounts are plain decimals with the currency's digits, dates are ISO. A text
that a spreadsheet would run as a formula begins with an apostrophe.
"""

import csv
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    StreamingHttpResponse,
)

from billing.domain.csv_cells import plain_text
from billing.domain.money import round_money
from config.adminsite.pages import SitePage, site_page
from invoicing.filters import InvoiceFilter
from invoicing.models import Invoice
from invoicing.queries.search import search_invoices

CHUNK: Final = 2_000
COLUMNS: Final = (
    "number", "status", "account_number", "account_name", "bill_group", "bill_date",
    "issue_date", "due_date", "po_number", "currency", "subtotal", "tax", "total",
    "paid", "balance_applied", "credited", "amount_due",
)  # fmt: skip


class Echo:
    """A file that gives back each line instead of keeping it."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


@site_page
class InvoiceExport(SitePage):
    """The invoices that a list's filters leave, as CSV."""

    route = "invoicing/invoice/export/"
    name = "invoicing_invoice_export"
    permission = "invoicing.view_invoice"
    title = "Export invoices"

    def view_of(self, site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
        """Return the view that sends the file; filters it can't read are refused."""

        def view(request: HttpRequest) -> Any:
            if not request.user.has_perm(self.permission):
                raise PermissionDenied
            found = InvoiceFilter(request.GET, queryset=Invoice.objects.all())
            if not found.is_valid():
                return HttpResponseBadRequest(
                    "These filters can't be read. Go back and set them again.",
                    content_type="text/plain; charset=utf-8",
                )
            rows = found.qs
            if text := request.GET.get("q", "").strip():
                rows = search_invoices(rows, text)
            return StreamingHttpResponse(
                csv_lines(rows),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": 'attachment; filename="invoices.csv"'},
            )

        return view


def csv_lines(invoices: QuerySet[Invoice]) -> Iterator[str]:
    """Yield the lines of the file, drafts first, then the newest."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    rows = (
        invoices.select_related("account", "bill_group")
        .defer("bill_to", "seller", "printed_fields", "custom_fields", "taxes")
        .order_by("-issue_date", "-id")
    )
    for invoice in rows.iterator(chunk_size=CHUNK):
        yield writer.writerow(_row(invoice))


def _row(invoice: Invoice) -> tuple[str, ...]:
    amounts = (
        invoice.subtotal,
        invoice.tax,
        invoice.total,
        invoice.paid,
        invoice.balance_applied,
        invoice.credited_due + invoice.credited_paid,
        invoice.amount_due,
    )
    return (
        plain_text(invoice.number or ""),
        invoice.status,
        plain_text(invoice.account.number),
        plain_text(invoice.account.name),
        invoice.bill_group.public_id,
        invoice.bill_date.isoformat(),
        invoice.issue_date.isoformat() if invoice.issue_date else "",
        invoice.due_date.isoformat() if invoice.due_date else "",
        plain_text(invoice.po_number),
        invoice.currency,
        *(f"{round_money(amount, invoice.currency):f}" for amount in amounts),
    )
