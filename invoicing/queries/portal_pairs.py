"""Documents that belong together in a portal: old invoice, credits, replacement (F3).

A family is an invoice with all that it replaces or is replaced by, and their issued
credit notes. Who uploads one without the others claims too much or too little.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from django.db import connection

from invoicing.domain.states import CreditNoteStatus
from invoicing.models import CreditNote, Invoice, PortalSubmission
from invoicing.queries.claims import superseded_among
from invoicing.queries.pending import id_array

# Relies on the unique index of `replaces`; drafts and void ones are no documents.
FAMILIES: Final = """
WITH RECURSIVE family (root, id) AS (
    SELECT root, root FROM unnest(%s::bigint[]) AS root
    UNION
    SELECT f.root, next.id
    FROM family f JOIN invoicing_invoice i ON i.id = f.id
    CROSS JOIN LATERAL (
        SELECT i.replaces_id AS id WHERE i.replaces_id IS NOT NULL
        UNION ALL
        SELECT r.id FROM invoicing_invoice r
        WHERE r.replaces_id = i.id AND r.status NOT IN ('DRAFT', 'VOID')
    ) AS next
)
SELECT DISTINCT f.root, f.id FROM family f
"""


def pairs_of(
    submissions: Collection[PortalSubmission],
) -> dict[int, tuple[PortalSubmission, ...]]:
    """Return the other submissions of each one's family, by submission id.

    Two queries, however many there are.
    """
    families = _families({row.invoice_id for row in submissions})
    members = {pk for family in families.values() for pk in family}
    related = PortalSubmission.objects.filter(invoice__in=members)
    of_invoice: defaultdict[int, list[PortalSubmission]] = defaultdict(list)
    for row in related.select_related(
        "invoice", "credit_note", "portal", "bill_group"
    ).order_by("pk"):
        of_invoice[row.invoice_id].append(row)
    return {
        row.pk: tuple(
            other
            for pk in sorted(families[row.invoice_id])
            for other in of_invoice[pk]
            if other.pk != row.pk
        )
        for row in submissions
    }


def outside_of(
    submissions: Collection[PortalSubmission],
) -> dict[int, tuple[str, ...]]:
    """Return the documents of each one's family that are in no worklist, by its id.

    They were issued while their bill group was delivered otherwise. Three queries.
    """
    families = _families({row.invoice_id for row in submissions})
    members = {pk for family in families.values() for pk in family}
    in_worklist = PortalSubmission.objects.filter(invoice__in=members)
    invoices = Invoice.objects.filter(pk__in=members).exclude(
        pk__in=in_worklist.filter(credit_note=None).values("invoice")
    )
    notes = CreditNote.objects.filter(
        invoice__in=members, status=CreditNoteStatus.ISSUED
    ).exclude(
        pk__in=in_worklist.filter(credit_note__isnull=False).values("credit_note")
    )
    of_invoice: defaultdict[int, list[str]] = defaultdict(list)
    for pk, number in invoices.order_by("pk").values_list("pk", "number"):
        if number:
            of_invoice[pk].append(number)
    for pk, number in notes.order_by("pk").values_list("invoice", "number"):
        of_invoice[pk].append(str(number))
    return {
        row.pk: tuple(
            number
            for pk in sorted(families[row.invoice_id])
            for number in of_invoice[pk]
        )
        for row in submissions
    }


def _families(invoice_ids: Collection[int]) -> dict[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(FAMILIES, [id_array(invoice_ids)])
        for root, member in cursor.fetchall():
            found[root].add(member)
    return found


def superseded_uncredited(submissions: Collection[PortalSubmission]) -> set[int]:
    """Return the ids of their invoices that are superseded and still claim (A3)."""
    claiming = {
        row.invoice_id
        for row in submissions
        if row.invoice.total > row.invoice.credited_due + row.invoice.credited_paid
    }
    return superseded_among(claiming)
