"""Corrections that wait for a person: superseded invoices, replacement drafts (A7)."""

from dataclasses import dataclass

from django.db.models import QuerySet

from invoicing.domain.states import CreditNoteStatus, InvoiceStatus
from invoicing.models import CreditNote, Invoice
from invoicing.queries.claims import not_credited_in_full, superseded


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCorrection:
    """A superseded invoice with something left to credit, and what replaces it."""

    invoice: Invoice
    replacement: Invoice | None
    waits_for_approval: bool


def superseded_uncredited() -> QuerySet[Invoice]:
    """Return the superseded invoices of which not all is credited (A3, M6)."""
    found = superseded(Invoice.objects.all())
    return not_credited_in_full(found).exclude(status=InvoiceStatus.CREDITED)


def replacement_drafts() -> QuerySet[Invoice]:
    """Return the replacements that wait for review."""
    return Invoice.objects.filter(status=InvoiceStatus.DRAFT, replaces__isnull=False)


def open_corrections(limit: int) -> list[OpenCorrection]:
    """Return superseded invoices to credit, the oldest first, with replacements."""
    invoices = list(
        superseded_uncredited()
        .select_related("account", "bill_group")
        .order_by("bill_date", "pk")[:limit]
    )
    ids = [invoice.pk for invoice in invoices]
    replacements = {
        draft.replaces_id: draft
        for draft in Invoice.objects.filter(replaces__in=ids).exclude(
            status=InvoiceStatus.VOID
        )
    }
    waiting = set(
        CreditNote.objects.filter(
            invoice__in=ids, status=CreditNoteStatus.TO_APPROVE
        ).values_list("invoice_id", flat=True)
    )
    return [
        OpenCorrection(
            invoice=invoice,
            replacement=replacements.get(invoice.pk),
            waits_for_approval=invoice.pk in waiting,
        )
        for invoice in invoices
    ]
