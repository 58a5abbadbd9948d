"""Send an invoice or a credit note again: to whom, which paper, and why (D2, M7)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, instant_text
from billing.models import AuditEvent
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.turns import JUST_NOW
from config.clock import now
from invoicing.domain.states import DeliveryKind, DeliveryState
from invoicing.models import CreditNote, Invoice
from invoicing.queries.deliveries import deliveries_of, invoice_of
from invoicing.queries.pending import mail_recipient
from invoicing.services.sending import (
    NotSentAgain,
    check_sendable,
    send_again,
)


class SendAgainForm(forms.Form):
    """Where the mail goes, and why once more."""

    recipient = forms.EmailField(
        label="To",
        max_length=254,
        help_text="For this mail only. Future ones go where the bill group says.",
    )
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)


class SendAgain(ObjectAction):
    """What sending invoices and credit notes again share."""

    slug = "send-again"
    label = "Send again"
    confirm_label = "Send it"
    form_class = SendAgainForm
    form_heading = "Where and why"
    asks_first = True
    refusals = (NotSentAgain, ReasonMissing)
    noun: ClassVar[str]

    def refusal(self, subject: Any) -> str:
        """Only what was issued, of a bill group that is mailed."""
        try:
            check_sendable(subject)
        except NotSentAgain as stays:
            return str(stays)
        return ""

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Begin with where the bill group is mailed now."""
        usual = mail_recipient(invoice_of(subject).bill_group)
        return {"initial": {"recipient": usual}}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show the recipient, the paper, and what was sent before."""
        mails = list(
            deliveries_of(subject).filter(kind=DeliveryKind.EMAIL).order_by("sending")
        )
        sent = [mail for mail in mails if mail.state == DeliveryState.SENT]
        open_ones = [
            mail
            for mail in mails
            if mail.state in (DeliveryState.QUEUED, DeliveryState.FAILED)
        ]
        usual = mail_recipient(invoice_of(subject).bill_group)
        warnings = [
            f"The mail to {mail.recipient} is given up for it"
            + (f": {mail.last_error}" if mail.last_error else ".")
            for mail in open_ones
        ]
        if usual and answers["recipient"] != usual:
            warnings.append(
                f"The bill group is mailed at {usual}. This mail alone goes elsewhere."
            )
        return Review(
            sentence=f"{subject} is mailed once more, within a minute or two, with the "
            "paper as it stands now. Nothing else changes.",
            figures=(
                Figure(
                    label="To",
                    value=str(invoice_of(subject).account),
                    note=answers["recipient"],
                ),
                Figure(label="Paper", value=str(subject), note=self.paper_of(subject)),
                Figure(
                    label="Sent so far",
                    value=count_text(len(sent), "mail", "mails"),
                    note=_last(sent),
                ),
            ),
            warnings=tuple(warnings),
            fine_print=tuple(f"{mail.sending} {mail.state}" for mail in mails),
        )

    def paper_of(self, subject: Any) -> str:
        """Say which paper of a document is sent."""
        raise NotImplementedError

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Queue it."""
        sent = send_again(
            document=subject,
            recipient=answers["recipient"],
            reason=answers["reason"],
            actor=actor_of(request),
        )
        return self._done(subject, sent.recipient)

    def done_just_now(self, request: HttpRequest, subject: Any) -> Done | None:
        """Lead a second click to what the first one queued."""
        event = (
            AuditEvent.objects.filter(
                account_id=invoice_of(subject).account_id,
                invoice_id=invoice_of(subject).pk,
                code="delivery.sent_again",
                subject=str(subject),
                actor_name=actor_of(request).get_username(),
                at__gte=now() - JUST_NOW,
            )
            .order_by("-id")
            .first()
        )
        return self._done(subject, event.after["recipient"]) if event else None

    def _done(self, subject: Any, recipient: str) -> Done:
        return Done(
            message=f"{subject} is queued to be mailed to {recipient}.",
            url=reverse(f"admin:invoicing_{self.noun}_change", args=[subject.pk]),
        )


@object_action
class SendInvoiceAgain(SendAgain):
    """Mail the current revision of an invoice once more."""

    model = Invoice
    noun = "invoice"
    permission = "invoicing.send_invoice"

    def paper_of(self, subject: Any) -> str:
        """Name the revision and its address."""
        revision = subject.current_revision
        if revision is None:
            return "its first revision, made now"
        address = revision.bill_to["name"]
        return (
            f"revision {revision.revision} of {instant_text(revision.made_at)}, "
            f"addressed to {address}"
        )


@object_action
class SendCreditNoteAgain(SendAgain):
    """Mail a credit note once more."""

    model = CreditNote
    noun = "creditnote"
    permission = "invoicing.send_creditnote"

    def paper_of(self, subject: Any) -> str:
        """Name the invoice that it reduces, and whether it is void."""
        return f"on {subject.invoice}" + (", marked void" if subject.is_void else "")


def _last(sent: list[Any]) -> str:
    if not sent:
        return "none was taken by a mail server"
    last = sent[-1]
    when = instant_text(last.done_at) if last.done_at else ""
    return f"last to {last.recipient}, {when}"
