"""What the global search finds among invoices."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse

from billing.display import day_text, money_text
from config.adminsite import registry
from config.adminsite.registry import SearchHit
from customfields.queries import with_holders
from invoicing.models import Invoice
from invoicing.queries.search import invoices_by_number

MOST_HITS = 20


def find_invoices(request: HttpRequest, text: str) -> Iterator[SearchHit]:
    """Find invoices by their number, or its digits."""
    if not text or not request.user.has_perm("invoicing.view_invoice"):
        return
    invoices = Invoice.objects.select_related("account")
    found = list(invoices_by_number(invoices, text).order_by("-id")[:MOST_HITS])
    for invoice in with_holders(found, invoices, text, most=MOST_HITS):
        total = f"{money_text(invoice.total, invoice.currency)} {invoice.currency}"
        yield SearchHit(
            kind="Invoices",
            title=str(invoice),
            detail=f"{invoice.account}, {_issued(invoice)}, {total}",
            url=reverse("admin:invoicing_invoice_change", args=[invoice.pk]),
            is_exact=(invoice.number or "").lower() == text.lower(),
        )


def _issued(invoice: Invoice) -> str:
    return day_text(invoice.issue_date) if invoice.issue_date else "not issued"


registry.searches.insert(0, find_invoices)
