"""Reads of documents."""

from collections.abc import Collection, Iterator

from django.db.models import Prefetch

from invoicing.models import Invoice, InvoiceLine, InvoiceRun

CHUNK = 500


def invoices_of_runs(runs: Collection[InvoiceRun]) -> Iterator[Invoice]:
    """Yield what runs made, in order of their numbers, lines and parties included."""
    invoices = (
        Invoice.objects.filter(run__in=runs)
        .select_related("account", "bill_group", "legal_entity")
        .prefetch_related(
            Prefetch("lines", queryset=InvoiceLine.objects.order_by("position"))
        )
        .order_by("pk")
    )
    return invoices.iterator(chunk_size=CHUNK)
