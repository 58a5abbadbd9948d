"""Approve, decline and void credits (A9): each has a review page and a reason."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.display import day_text, instant_text, money_text
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.turns import JUST_NOW
from config.clock import now, today_in
from contracts.forms import ReasonForm
from invoicing.choices import CREDIT_REASONS
from invoicing.domain.credit import NotCreditable, credit_parts
from invoicing.domain.states import CreditNoteStatus, InvoiceStatus
from invoicing.models import CreditNote
from invoicing.queries.claims import claim_of
from invoicing.services.credit_decisions import (
    CreditStands,
    NotWaiting,
    OwnCredit,
    approve_credit,
    check_voidable,
    decline_credit,
    void_credit_note,
)
from invoicing.services.drafts import BillGroupNotActive, NotADraft
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly


class Decision(ObjectAction):
    """What approving and declining share."""

    model = CreditNote
    permission = "invoicing.approve_creditnote"

    def refusal(self, subject: Any) -> str:
        """Only what waits."""
        if subject.status == CreditNoteStatus.TO_APPROVE:
            return ""
        return str(NotWaiting(subject))

    def done_just_now(self, request: HttpRequest, subject: Any) -> Done | None:
        """Lead a second click to what the first one decided."""
        note = CreditNote.objects.filter(
            pk=subject.pk,
            decided_by_name=actor_of(request).get_username(),
            decided_at__gte=now() - JUST_NOW,
        ).first()
        return decided(note) if note else None


@object_action
class ApproveCredit(Decision):
    """Issue a credit that waits, as a second person."""

    slug = "approve"
    label = "Approve"
    confirm_label = "Approve and issue"
    tone = "default"
    refusals = (
        NotWaiting,
        OwnCredit,
        NotCreditable,
        PeriodClosed,
        IssueDateTooEarly,
        NotADraft,
        BillGroupNotActive,
    )

    def is_for(self, request: HttpRequest, subject: Any) -> bool:
        """Not whoever asked for it: a second person approves (A9)."""
        return bool(subject.made_by_id != actor_of(request).pk)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show both parts as they would be today, and who asked for it."""
        if subject.made_by_id == actor_of(request).pk:
            return Review(refusal=str(OwnCredit()))
        invoice = subject.invoice
        parts = credit_parts(claim_of(invoice), subject.total)
        drafts = invoice.replacements.filter(status=InvoiceStatus.DRAFT)
        replaces = subject.issues_replacement and drafts.exists()
        today = today_in(subject.legal_entity.time_zone)
        return Review(
            sentence=f"The credit note on {invoice} is issued, dated {day_text(today)}"
            + (", and with it the replacement of the invoice." if replaces else "."),
            figures=(
                *asked_figures(subject),
                Figure(
                    label="Lowers what is due",
                    value=_text(parts.due_part, subject),
                ),
                Figure(
                    label="Gives back what was paid",
                    value=_text(parts.paid_part, subject),
                    note=subject.get_settlement_display().lower(),
                ),
            ),
            warnings=(f"Reason: {subject.reason}",),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Issue it."""
        note = approve_credit(
            note=subject,
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
        )
        return decided(note)


@object_action
class DeclineCredit(Decision):
    """Leave the invoice as it is."""

    slug = "decline"
    label = "Decline"
    confirm_label = "Decline the credit"
    form_class = ReasonForm
    refusals = (NotWaiting, ReasonMissing, PeriodClosed)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what is declined."""
        return Review(
            sentence=f"{subject.invoice} stays as it is; the credit is closed.",
            figures=asked_figures(subject),
            warnings=(f"Reason: {subject.reason}",),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Close it."""
        note = decline_credit(
            note=subject,
            reason=answers["reason"],
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
        )
        return decided(note)


@object_action
class VoidCreditNote(ObjectAction):
    """Undo a credit whose money was neither used nor refunded."""

    model = CreditNote
    slug = "void"
    label = "Void"
    confirm_label = "Void the credit note"
    permission = "invoicing.void_creditnote"
    form_class = ReasonForm
    refusals = (CreditStands, ReasonMissing, PeriodClosed)

    def refusal(self, subject: Any) -> str:
        """Only while its month is open and its money is untouched."""
        try:
            check_voidable(subject, subject.balance_entries.first())
        except CreditStands as stands:
            return str(stands)
        return ""

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what is due again, and what leaves the balance."""
        invoice = subject.invoice
        due = claim_of(invoice).due
        return Review(
            sentence=f"It is as if {subject} had never been made; its number stays "
            "taken.",
            figures=(
                Figure(
                    label="Due again",
                    value=_text(subject.due_part, subject),
                    note=f"{money_text(due, subject.currency)} is due on {invoice} now",
                ),
                Figure(
                    label="Leaves the credit balance",
                    value=_text(subject.paid_part, subject),
                ),
                Figure(label="Bill group", value=invoice.bill_group.public_id),
            ),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Void it."""
        note = void_credit_note(
            note=subject,
            reason=answers["reason"],
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
        )
        return Done(
            message=f"{note} is void.",
            url=_url(note),
            link=f"See {note.invoice}",
            link_url=reverse("admin:invoicing_invoice_change", args=[note.invoice_id]),
        )


def asked_figures(note: CreditNote) -> tuple[Figure, ...]:
    """Return what was asked for, of which invoice, and by whom."""
    claim = claim_of(note.invoice)
    left = money_text(claim.creditable, note.currency)
    return (
        Figure(
            label="Credit",
            value=_text(note.total, note),
            note=CREDIT_REASONS.badge(note.reason_code).label.lower(),
        ),
        Figure(
            label="Invoice",
            value=str(note.invoice),
            note=f"{money_text(claim.due, note.currency)} due, {left} left to credit",
        ),
        Figure(
            label="Asked for by",
            value=note.made_by_name,
            note=instant_text(note.made_at),
        ),
    )


def decided(note: CreditNote) -> Done:
    """Say what was decided."""
    total = _text(note.total, note)
    if note.status == CreditNoteStatus.ISSUED:
        message = f"{note} of {total} is issued."
    else:
        message = f"The credit of {total} is declined; the invoice stays as it is."
    return Done(
        message=message,
        url=_url(note),
        link=f"See {note.invoice}",
        link_url=reverse("admin:invoicing_invoice_change", args=[note.invoice_id]),
    )


def _url(note: CreditNote) -> str:
    return reverse("admin:invoicing_creditnote_change", args=[note.pk])


def _text(amount: Any, note: CreditNote) -> str:
    return f"{money_text(amount, note.currency)} {note.currency}"
