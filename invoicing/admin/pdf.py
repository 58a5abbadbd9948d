"""The papers of invoices and credit notes, as files for the browser (M7, D2)."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.adminsite.pages import ObjectPage, object_page
from invoicing.domain.states import InvoiceStatus
from invoicing.models import CreditNote, Invoice
from invoicing.services.credit_documents import ensure_credit_paper
from invoicing.services.documents import current_pdf
from invoicing.services.rendering import GlyphsMissing, PangoMissing
from invoicing.services.sheet import VoidIsNotPrinted
from invoicing.services.sheet_credit import NotIssuedIsNotPrinted

HINDRANCES = (PangoMissing, GlyphsMissing, VoidIsNotPrinted, NotIssuedIsNotPrinted)


@object_page
class InvoicePdf(ObjectPage):
    """The paper of an invoice; a draft's is made for whoever looks (M7).

    `?revision=1` asks for one that was kept.
    """

    model = Invoice
    slug = "pdf"
    label = "PDF"
    permission = "invoicing.view_invoice"

    def is_offered(self, subject: Any) -> bool:
        """Not of a draft that was thrown away: it has no paper."""
        return bool(subject.status != InvoiceStatus.VOID)

    def respond(
        self, request: HttpRequest, subject: Any, frame: Mapping[str, Any]
    ) -> HttpResponse:
        """Send the bytes; where none can be made, say why on the page."""
        name = subject.number or f"draft-{subject.pk}"
        if asked := request.GET.get("revision"):
            kept = subject.revisions.filter(
                revision=int(asked) if asked.isascii() and asked.isdigit() else 0
            )
            revision = kept.first()
            if revision is None:
                raise Http404
            return _file(bytes(revision.pdf), f"{name}-revision-{revision.revision}")
        back = reverse("admin:invoicing_invoice_change", args=[subject.pk])
        return _paper(request, lambda: current_pdf(invoice=subject), name, back=back)


@object_page
class CreditNotePdf(ObjectPage):
    """The paper of a credit note, once it was issued (M7).

    `?paper=issued` asks for the one from before it was voided.
    """

    model = CreditNote
    slug = "pdf"
    label = "PDF"
    permission = "invoicing.view_creditnote"

    def is_offered(self, subject: Any) -> bool:
        """Only of one that was issued."""
        return subject.number is not None

    def respond(
        self, request: HttpRequest, subject: Any, frame: Mapping[str, Any]
    ) -> HttpResponse:
        """Send the bytes; where none can be made, say why on the page."""
        if request.GET.get("paper") == "issued":
            paper = subject.revisions.filter(is_void=False).first()
            if paper is None:
                raise Http404
            return _file(bytes(paper.pdf), f"{subject.number}-issued")
        back = reverse("admin:invoicing_creditnote_change", args=[subject.pk])
        return _paper(
            request,
            lambda: bytes(ensure_credit_paper(note=subject).pdf),
            subject.number or "",
            back=back,
        )


def _paper(
    request: HttpRequest, make: Callable[[], bytes], name: str, *, back: str
) -> HttpResponse:
    try:
        return _file(make(), name)
    except HINDRANCES as hindrance:
        messages.error(request, str(hindrance))
        return HttpResponseRedirect(back)


def _file(pdf: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}.pdf"'},
    )
