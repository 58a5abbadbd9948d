"""Corrections that wait for a person: superseded invoices, replacement drafts (A7)."""

from dataclasses import dataclass

from django.db.models import F, QuerySet

from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from invoicing.domain.states import CreditNoteStatus, InvoiceStatus
from invoicing.models import CreditNote, Invoice, InvoiceLine


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCorrection:
    """A superseded invoice with something left to credit, and what replaces it."""

    invoice: Invoice
    replacement: Invoice | None
    waits_for_approval: bool


def superseded_uncredited() -> QuerySet[Invoice]:
    """Return the superseded invoices of which not all is credited (A3, M6).

    The partial index on superseded charges finds them.
    """
    charges = ScheduledCharge.objects.filter(state=ChargeState.SUPERSEDED)
    of_lines = InvoiceLine.objects.filter(charge__in=charges.values("pk"))
    return Invoice.objects.filter(
        pk__in=of_lines.values("invoice"),
        status__in=[InvoiceStatus.OPEN, InvoiceStatus.PAID],
        total__gt=F("credited_due") + F("credited_paid"),
    )


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
