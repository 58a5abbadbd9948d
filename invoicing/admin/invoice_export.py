"""The filtered invoices as a CSV file, written row by row.

The file holds what the list shows at the same address: the same filter set, the same
search. Amounts are plain decimals with the currency's digits, dates are ISO. A text
that a spreadsheet would run as a formula begins with an apostrophe.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing.domain.money import plain_amount
from config.adminsite.csv_files import CHUNK, csv_response
from config.adminsite.pages import SitePage, site_page
from customfields.admin.lists import (
    custom_cells,
    custom_columns,
    offered_filters,
    unreadable_filters,
    with_values,
)
from customfields.domain.csv_cells import csv_line, plain_text
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.kinds import Kind, show
from customfields.filters import custom_filterset
from customfields.queries import definitions
from invoicing.filters import InvoiceFilter
from invoicing.models import Invoice
from invoicing.queries.search import search_invoices

COLUMNS: Final = (
    "number", "status", "account_number", "account_name", "bill_group", "bill_date",
    "issue_date", "due_date", "po_number", "currency", "subtotal", "tax", "total",
    "paid", "balance_applied", "credited", "amount_due",
    "printed_fields",
)  # fmt: skip


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
            fields = definitions(FieldObject.INVOICE)
            filters = custom_filterset(InvoiceFilter, offered_filters(fields))
            found = filters(request.GET, queryset=Invoice.objects.all())
            if not found.is_valid():
                return unreadable_filters()
            rows = found.qs
            if text := request.GET.get("q", "").strip():
                rows = with_values(search_invoices(rows, text), rows, text)
            return csv_response(csv_lines(rows, fields), "invoices.csv")

        return view


def csv_lines(
    invoices: QuerySet[Invoice], fields: Sequence[FieldDefinition] = ()
) -> Iterator[str]:
    """Yield the lines of the file, drafts first, then the newest."""
    yield csv_line([*COLUMNS, *custom_columns(fields)])
    rows = (
        invoices.select_related("account", "bill_group")
        .defer("bill_to", "seller", "taxes")
        .order_by("-issue_date", "-id")
    )
    for invoice in rows.iterator(chunk_size=CHUNK):
        custom = custom_cells(fields, invoice.custom_fields)
        yield csv_line([*_row(invoice), *custom])


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
        *(plain_amount(amount, invoice.currency) for amount in amounts),
        plain_text("; ".join(_printed(entry) for entry in invoice.printed_fields)),
    )


def _printed(entry: Mapping[str, Any]) -> str:
    """Return a printed field as it was copied, with the contract it is of."""
    contract = f" ({entry['contract']})" if "contract" in entry else ""
    value = show(Kind(entry.get("kind", Kind.TEXT)), entry["value"])
    return f"{entry['label']}{contract}: {value}"
