"""The paper of a credit note as a PDF, and how it is kept (M3, M7, A9).

There are two at most: as it was issued, and as void. Each is rendered once, from what
the credit note stored, and from then on everybody is given those bytes. Rendering comes
before the lock, as with invoices.
"""

import hashlib

from django.db import transaction
from django.template.loader import render_to_string

from billing.services import audit
from invoicing.models import CreditNote, CreditNoteRevision
from invoicing.services.rendering import render
from invoicing.services.sheet_credit import compose_credit_sheet

TEMPLATE = "invoicing/documents/credit_note.html"


def render_credit_html(note: CreditNote) -> str:
    """Return the paper of a credit note as HTML; what was typed is text, never markup.

    Raises `NotIssuedIsNotPrinted`.
    """
    return render_to_string(TEMPLATE, {"sheet": compose_credit_sheet(note)})


def render_credit_pdf(note: CreditNote) -> bytes:
    """Return the paper of a credit note as it stands now; nothing is stored.

    Raises `PangoMissing`, `GlyphsMissing` and `NotIssuedIsNotPrinted`.
    """
    return render(render_credit_html(note))


def ensure_credit_paper(*, note: CreditNote) -> CreditNoteRevision:
    """Return the paper of a credit note as it stands, made and kept where missing (M7).

    Raises `PangoMissing`, `GlyphsMissing` and `NotIssuedIsNotPrinted`.
    """
    fresh = CreditNote.objects.select_related("invoice").get(pk=note.pk)
    there = fresh.revisions.filter(is_void=fresh.is_void).first()
    if there is not None:
        return there
    return _keep(fresh, render_credit_pdf(fresh))


@transaction.atomic
def _keep(note: CreditNote, pdf: bytes) -> CreditNoteRevision:
    """Keep a rendering for good, unless someone else has meanwhile."""
    CreditNote.objects.select_for_update(no_key=True).get(pk=note.pk)
    there = note.revisions.filter(is_void=note.is_void).first()
    if there is not None:
        return there
    stored = CreditNoteRevision.objects.create(
        credit_note=note,
        is_void=note.is_void,
        pdf=pdf,
        sha256=hashlib.sha256(pdf).hexdigest(),
    )
    audit.record(
        "credit_note.paper_stored",
        actor=None,
        subject=str(note),
        account_id=note.invoice.account_id,
        bill_group_id=note.invoice.bill_group_id,
        invoice_id=note.invoice_id,
        after={"number": note.number, "void": note.is_void, "sha256": stored.sha256},
    )
    return stored
