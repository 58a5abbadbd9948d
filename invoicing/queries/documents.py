"""Reads of documents."""

from collections.abc import Collection, Iterator

from django.db.models import Prefetch, QuerySet

from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice, InvoiceLine, InvoiceRun

CHUNK = 500


def invoices_of_runs(runs: Collection[InvoiceRun]) -> Iterator[Invoice]:
    """Yield what runs made, in order of their numbers, lines and parties included."""
    return _in_full(Invoice.objects.filter(run__in=runs))


def drafts_held_by(run: InvoiceRun) -> QuerySet[Invoice]:
    """Return the drafts of a run that are held for review, by group and date (G14)."""
    return (
        Invoice.objects.filter(run=run, status=InvoiceStatus.DRAFT)
        .exclude(held_reason="")
        .order_by("bill_group_id", "bill_date", "pk")
    )


def invoices_in_full(invoice_ids: Collection[int]) -> Iterator[Invoice]:
    """Yield invoices in the order they were made in, lines and parties included."""
    return _in_full(Invoice.objects.filter(pk__in=invoice_ids))


def _in_full(invoices: QuerySet[Invoice]) -> Iterator[Invoice]:
    lines = InvoiceLine.objects.order_by("position")
    return (
        invoices.select_related("account", "bill_group", "legal_entity")
        .prefetch_related(Prefetch("lines", queryset=lines))
        .order_by("pk")
        .iterator(chunk_size=CHUNK)
    )
