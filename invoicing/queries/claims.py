"""Reads of what issued invoices claim, and of what credits left of them (A5, A9)."""

from collections.abc import Collection, Iterable
from decimal import Decimal

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet, Sum

from billing.domain.money import round_money
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from invoicing.domain.allocation import Balance, OpenInvoice
from invoicing.domain.credit import Claim
from invoicing.domain.credit_lines import Creditable, CreditableLine
from invoicing.domain.states import ISSUED, CreditNoteStatus, InvoiceStatus
from invoicing.models import (
    BalanceEntry,
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLine,
)
from invoicing.queries.pending import id_array

WITH_BALANCE = """
SELECT DISTINCT bill_group_id FROM invoicing_balanceentry
WHERE "left" > 0 AND bill_group_id = ANY (%s::bigint[])
"""


def claim_of(invoice: Invoice) -> Claim:
    """Return what an issued invoice claims, as it was read."""
    return Claim(
        total=round_money(invoice.total, invoice.currency),
        paid=round_money(invoice.paid, invoice.currency),
        balance_applied=round_money(invoice.balance_applied, invoice.currency),
        credited_due=round_money(invoice.credited_due, invoice.currency),
        credited_paid=round_money(invoice.credited_paid, invoice.currency),
    )


def creditable_of(invoice: Invoice) -> Creditable:
    """Return the lines of an invoice and its tax, less what issued credits took."""
    issued = CreditNoteStatus.ISSUED
    taken: dict[int, Decimal] = dict(
        CreditNoteLine.objects.filter(
            credit_note__invoice=invoice, credit_note__status=issued
        )
        .values_list("invoice_line")
        .annotate(taken=Sum("amount"))
    )
    tax_left = {Decimal(tax["percent"]): Decimal(tax["tax"]) for tax in invoice.taxes}
    for taxes in CreditNote.objects.filter(invoice=invoice, status=issued).values_list(
        "taxes", flat=True
    ):
        for tax in taxes:
            tax_left[Decimal(tax["percent"])] -= Decimal(tax["tax"])
    return Creditable(
        lines=tuple(
            CreditableLine(
                line_id=line.pk,
                tax_percent=line.tax_percent,
                left=round_money(
                    line.amount - taken.get(line.pk, Decimal(0)), invoice.currency
                ),
            )
            for line in invoice.lines.order_by("position")
        ),
        tax_left=tax_left,
        currency=invoice.currency,
    )


def superseded_among(invoice_ids: Collection[int]) -> set[int]:
    """Return the issued invoices among these whose charges are superseded (A3)."""
    return set(
        InvoiceLine.objects.filter(
            invoice__in=list(invoice_ids), charge__state=ChargeState.SUPERSEDED
        )
        .exclude(invoice__status__in=[InvoiceStatus.DRAFT, InvoiceStatus.VOID])
        .values_list("invoice_id", flat=True)
    )


def with_superseded(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Return the invoices with the mark `is_superseded` (A3)."""
    charges = InvoiceLine.objects.filter(
        invoice=OuterRef("pk"), charge__state=ChargeState.SUPERSEDED
    )
    return invoices.annotate(is_superseded=Exists(charges))


def superseded(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Return those that are issued and superseded (A3).

    The partial index on superseded charges finds them.
    """
    charges = ScheduledCharge.objects.filter(state=ChargeState.SUPERSEDED)
    of_lines = InvoiceLine.objects.filter(charge__in=charges.values("pk"))
    return invoices.filter(pk__in=of_lines.values("invoice"), status__in=ISSUED)


def not_credited_in_full(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Return those of which something is left to credit (A5)."""
    return invoices.filter(total__gt=F("credited_due") + F("credited_paid"))


def open_invoices(invoices: Iterable[Invoice]) -> list[OpenInvoice]:
    """Return invoices with something due as money is divided among them (M4)."""
    due = [invoice for invoice in invoices if invoice.status == InvoiceStatus.OPEN]
    superseded = superseded_among([invoice.pk for invoice in due])
    return [
        OpenInvoice(
            invoice_id=invoice.pk,
            due_date=invoice.due_date or invoice.bill_date,
            sequence=invoice.sequence or 0,
            due=claim_of(invoice).due,
            is_superseded=invoice.pk in superseded,
        )
        for invoice in due
    ]


def groups_with_balance(bill_group_ids: Iterable[int]) -> set[int]:
    """Return those bill groups that have balance left."""
    with connection.cursor() as cursor:
        cursor.execute(WITH_BALANCE, [id_array(bill_group_ids)])
        return {group_id for (group_id,) in cursor.fetchall()}


def balances(entries: Iterable[BalanceEntry]) -> list[Balance]:
    """Return balance that is left, oldest first, with what it is meant for (M4).

    A credit's balance is meant for the issued replacement of the credited invoice.
    """
    left = sorted(entries, key=lambda entry: entry.pk)
    replacement_of = dict(
        Invoice.objects.filter(
            replaces__credit_notes__in=[
                entry.credit_note_id for entry in left if entry.credit_note_id
            ],
            status=InvoiceStatus.OPEN,
        ).values_list("replaces__credit_notes", "pk")
    )
    return [
        Balance(
            entry_id=entry.pk,
            left=entry.left,
            for_invoice_id=replacement_of.get(entry.credit_note_id or 0),
        )
        for entry in left
    ]
