"""The issued documents of the Account Overview."""

from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import Account
from config.clock import today_in
from invoicing.admin.invoice_views import totals_by_currency
from invoicing.display import invoice_badge, superseded_badge
from invoicing.domain.states import InvoiceStatus
from invoicing.filters import AccountInvoiceFilter
from invoicing.models import Invoice
from invoicing.queries.claims import with_superseded

PREFIX: Final = "d"
INVOICES_SHOWN: Final = 12


def documents_context(request: HttpRequest, account: Account) -> dict[str, Any]:
    """Return drafts and newest invoices as filtered, and their totals by currency.

    Filters that can't be read find nothing and say why. The list of all invoices and
    the export take the same filters.
    """
    invoices = Invoice.objects.filter(account=account)
    filters = AccountInvoiceFilter(request.GET, queryset=invoices, prefix=PREFIX)
    found: QuerySet[Invoice] = filters.qs if filters.is_valid() else invoices.none()
    if not filters.data.get(f"{PREFIX}-status"):
        found = found.exclude(status=InvoiceStatus.VOID)
    start = f"{PREFIX}-"
    given = {
        name.removeprefix(start): value
        for name, value in request.GET.items()
        if name.startswith(start) and value
    }
    shown = (
        with_superseded(found)
        .select_related("bill_group", "legal_entity")
        .order_by("-issue_date", "-id")
    )
    return {
        "invoices": [
            {
                "invoice": invoice,
                "badge": invoice_badge(
                    invoice, today_in(invoice.legal_entity.time_zone)
                ),
                "superseded": superseded_badge(invoice),
            }
            for invoice in shown[:INVOICES_SHOWN]
        ],
        "invoice_filters": filters,
        "invoices_are_filtered": bool(given),
        "invoice_totals": totals_by_currency(found),
        "same_filters": urlencode({"account": account.number} | given),
    }
