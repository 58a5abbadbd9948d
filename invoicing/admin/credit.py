"""Credit an issued invoice: all that is due, or amounts of lines (A5, A9, A10)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

from billing.display import day_text, money_text
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.turns import JUST_NOW
from config.clock import now, today_in
from invoicing.choices import INVOICE_STATUSES
from invoicing.credit_forms import CreditForm
from invoicing.domain.credit import Claim, NotCreditable
from invoicing.domain.states import CreditNoteStatus, CreditReason, CreditSettlement
from invoicing.models import CreditNote, Invoice
from invoicing.queries.claims import claim_of
from invoicing.services.credit_preview import CreditPreview
from invoicing.services.credits import NotIssued, credit_invoice
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly


@object_action
class CreditInvoice(ObjectAction):
    """Reduce what an invoice claims, with a credit note that names it."""

    model = Invoice
    slug = "credit"
    label = "Credit"
    confirm_label = "Credit"
    permission = "invoicing.credit_invoice"
    form_class = CreditForm
    asks_first = True
    template = "admin/invoicing/invoice/credit.html"
    refusals = (
        NotIssued,
        NotCreditable,
        ReasonMissing,
        PeriodClosed,
        IssueDateTooEarly,
    )

    def refusal(self, subject: Any) -> str:
        """Only an issued invoice of which something is left."""
        if not subject.is_issued:
            return str(NotIssued(subject))
        if claim_of(subject).creditable > 0:
            return ""
        return f"Nothing is left to credit: all of {subject} was credited."

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Offer the lines of the invoice."""
        return {"invoice": subject}

    def asking(self, request: HttpRequest, subject: Any) -> Review:
        """Show what the invoice claims, and what can still be credited."""
        return Review(figures=claim_figures(claim_of(subject), subject.currency))

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show both parts of the credit, its lines and taxes, and who has to agree."""
        preview: CreditPreview = answers["preview"]
        currency = subject.currency
        settlement = CreditSettlement(answers["settlement"])
        return Review(
            sentence=_sentence(preview, subject, settlement),
            figures=(
                Figure(
                    label="This credit",
                    value=_text(preview.sums.total, currency),
                    note=f"{money_text(preview.sums.tax, currency)} of it tax",
                ),
                Figure(
                    label="Lowers what is due",
                    value=_text(preview.parts.due_part, currency),
                    note=f"due {money_text(preview.before.due, currency)}, "
                    f"then {money_text(preview.after.due, currency)}",
                ),
                Figure(
                    label="Gives back what was paid",
                    value=_text(preview.parts.paid_part, currency),
                    note=_where(preview.parts.paid_part, settlement),
                ),
                Figure(
                    label="Left to credit after it",
                    value=_text(preview.after.creditable, currency),
                    note=f"{money_text(preview.before.credited, currency)} credited "
                    "before",
                ),
            ),
            warnings=_limit_warning(preview, currency),
            template="admin/invoicing/includes/credit_lines.html",
            context=sums_context(preview, subject),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Credit it, or ask the second person."""
        note = credit_invoice(
            invoice=subject,
            reason=answers["reason"],
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
            lines=answers["amounts"],
            reason_code=CreditReason(answers["reason_code"]),
            settlement=CreditSettlement(answers["settlement"]),
            with_paid=answers["with_paid"],
        )
        return _done(note)

    def done_just_now(self, request: HttpRequest, subject: Any) -> Done | None:
        """Lead a second click to the credit that the first one made."""
        note = (
            CreditNote.objects.filter(
                invoice=subject,
                made_by_id=actor_of(request).pk,
                made_at__gte=now() - JUST_NOW,
            )
            .order_by("-pk")
            .first()
        )
        return _done(note) if note else None


def claim_figures(claim: Claim, currency: str) -> tuple[Figure, ...]:
    """Return what an invoice claims and what became of it, as figures."""
    return (
        Figure(label="Total", value=_text(claim.total, currency), note="with tax"),
        Figure(
            label="Paid",
            value=_text(claim.paid, currency),
            note=f"and {money_text(claim.balance_applied, currency)} from the balance",
        ),
        Figure(
            label="Credited before",
            value=_text(claim.credited, currency),
            note=f"{money_text(claim.credited_paid, currency)} of it given back",
        ),
        Figure(label="Due", value=_text(claim.due, currency)),
        Figure(
            label="Left to credit",
            value=_text(claim.creditable, currency),
            note="the most, with tax",
        ),
    )


def sums_context(preview: CreditPreview, invoice: Invoice) -> dict[str, Any]:
    """Return the lines and taxes of a credit that is not made yet."""
    lines = invoice.lines.in_bulk([line.line_id for line in preview.sums.lines])
    names = {Decimal(tax["percent"]): tax["name"] for tax in invoice.taxes}
    return {
        "currency": invoice.currency,
        "lines": [
            {"line": lines[line.line_id], "amount": line.amount}
            for line in preview.sums.lines
        ],
        "subtotal": preview.sums.subtotal,
        "taxes": [
            {
                "name": names[tax.percent],
                "percent": tax.percent,
                "taxable": tax.taxable,
                "tax": tax.tax,
            }
            for tax in preview.sums.taxes
        ],
        "total": preview.sums.total,
    }


def _sentence(
    preview: CreditPreview, invoice: Invoice, settlement: CreditSettlement
) -> str:
    total = _text(preview.sums.total, invoice.currency)
    if preview.waits:
        return (
            f"The credit of {total} on {invoice} waits until a second person approves "
            "it. Until then nothing changes."
        )
    today = today_in(invoice.legal_entity.time_zone)
    status = INVOICE_STATUSES.badge(preview.after.status).label.lower()
    return (
        f"A credit note of {total} on {invoice} is issued at once, dated "
        f"{day_text(today)}. The invoice is {status} then"
        f"{_given_back(preview, invoice.currency, settlement)}."
    )


def _given_back(
    preview: CreditPreview, currency: str, settlement: CreditSettlement
) -> str:
    if not preview.parts.paid_part:
        return ""
    amount = _text(preview.parts.paid_part, currency)
    if settlement is CreditSettlement.REFUND:
        return f", and {amount} counts as refunded"
    return f", and {amount} goes to the credit balance"


def _where(amount: Decimal, settlement: CreditSettlement) -> str:
    if not amount:
        return "nothing comes back"
    if settlement is CreditSettlement.REFUND:
        return "recorded as refunded"
    return "to the credit balance"


def _limit_warning(preview: CreditPreview, currency: str) -> tuple[str, ...]:
    if not preview.waits or preview.limit is None:
        return ()
    before = (
        f" with {_text(preview.unapproved, currency)} credited before"
        if preview.unapproved
        else ""
    )
    limit = _text(preview.limit, currency)
    warning = f"This is above the limit of {limit}{before}: a second person approves."
    return (warning,)


def _done(note: CreditNote) -> Done:
    url = reverse("admin:invoicing_creditnote_change", args=[note.pk])
    total = _text(note.total, note.currency)
    if note.status == CreditNoteStatus.TO_APPROVE:
        return Done(
            message=f"The credit of {total} waits for a second person's approval. "
            "Nothing has changed yet.",
            url=url,
            level=messages.WARNING,
        )
    return Done(
        message=f"{note} of {total} is issued.",
        url=url,
        link=f"See {note.invoice}",
        link_url=reverse("admin:invoicing_invoice_change", args=[note.invoice_id]),
    )


def _text(amount: Decimal, currency: str) -> str:
    return f"{money_text(amount, currency)} {currency}"
