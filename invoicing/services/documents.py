"""The paper of an invoice as a PDF, and its stored revisions (M7, D2).

A draft is rendered whenever someone looks at it and never kept. Of an issued invoice
the first rendering becomes revision 1; from then on everybody is given those bytes.
Rendering takes longer than a lock should be held, so it comes first: of two who render
at once the second finds the revision there, and throws its own away.
"""

import hashlib

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.template.loader import render_to_string

from billing.services import audit
from invoicing.models import Invoice, InvoiceRevision
from invoicing.services.rendering import render
from invoicing.services.sheet import compose_sheet

TEMPLATE = "invoicing/documents/invoice.html"
FIRST_REVISION = 1


class DraftIsNotKept(ValueError):
    """Only an issued invoice has a paper to keep."""

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(f"{invoice} is not issued; its paper is not kept yet.")


def render_html(invoice: Invoice) -> str:
    """Return the paper of an invoice as HTML; what was typed is text, never markup."""
    return render_to_string(TEMPLATE, {"sheet": compose_sheet(invoice)})


def render_pdf(invoice: Invoice) -> bytes:
    """Return the paper of an invoice as it stands now; nothing is stored.

    Raises `PangoMissing`, `GlyphsMissing` and `VoidIsNotPrinted`.
    """
    return render(render_html(invoice))


def current_pdf(*, invoice: Invoice) -> bytes:
    """Return the PDF to show: the stored one, made and stored where it is missing (M7).

    A draft is rendered anew. Raises `PangoMissing`, `GlyphsMissing` and
    `VoidIsNotPrinted`.
    """
    fresh = Invoice.objects.get(pk=invoice.pk)
    if not fresh.is_issued:
        return render_pdf(fresh)
    return bytes(ensure_revision(invoice=fresh).pdf)


def ensure_revision(*, invoice: Invoice) -> InvoiceRevision:
    """Return the current revision of an issued invoice; the first is made here.

    Raises `PangoMissing`, `GlyphsMissing` and `DraftIsNotKept`.
    """
    fresh = Invoice.objects.select_related("current_revision").get(pk=invoice.pk)
    if fresh.current_revision is not None:
        return fresh.current_revision
    if not fresh.is_issued:
        raise DraftIsNotKept(fresh)
    return store_revision(
        invoice=fresh,
        revision=FIRST_REVISION,
        bill_to=fresh.bill_to,
        pdf=render_pdf(fresh),
    )


@transaction.atomic
def store_revision(
    *,
    invoice: Invoice,
    revision: int,
    bill_to: dict[str, str],
    pdf: bytes,
    reason: str = "",
    actor: AbstractBaseUser | None = None,
) -> InvoiceRevision:
    """Keep a rendering for good and make it the current one.

    If the revision of that number is there already, it is returned and nothing is
    changed. Raises `DraftIsNotKept`.
    """
    locked = Invoice.objects.select_for_update(no_key=True).get(pk=invoice.pk)
    if not locked.is_issued:
        raise DraftIsNotKept(locked)
    there = locked.revisions.filter(revision=revision).first()
    if there is not None:
        return there

    stored = InvoiceRevision.objects.create(
        invoice=locked,
        revision=revision,
        bill_to=bill_to,
        reason=reason,
        made_by_name=audit.actor_fields(actor)["actor_name"],
        pdf=pdf,
        sha256=hashlib.sha256(pdf).hexdigest(),
    )
    locked.current_revision = stored
    locked.save(update_fields=["current_revision"])
    audit.record(
        "invoice.paper_stored",
        actor=actor,
        subject=str(locked),
        account_id=locked.account_id,
        bill_group_id=locked.bill_group_id,
        invoice_id=locked.pk,
        after={"revision": revision, "sha256": stored.sha256},
        reason=reason,
    )
    return stored
