"""Issue a replacement and credit what it replaces, at once (A6, A7)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest

from billing.models import AuditEvent
from config.adminsite.actions import Done, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.clock import today_in
from contracts.forms import ReasonForm
from invoicing.admin.correction_papers import (
    PAPERS,
    fine_print,
    finish_sentence,
    money,
    papers_context,
    waiting,
)
from invoicing.domain.states import CreditNoteStatus, InvoiceStatus
from invoicing.models import CreditNote, Invoice
from invoicing.services.correction_review import review_finish
from invoicing.services.correction_trial import NOT_FINISHED
from invoicing.services.corrections import GIVEN_FREELY, finish_replacement

if TYPE_CHECKING:
    NoteChoiceBase = forms.ModelMultipleChoiceField[CreditNote]
else:
    NoteChoiceBase = forms.ModelMultipleChoiceField


class GivenCredits(NoteChoiceBase):
    """Credits of an invoice, each with its amount and reason."""

    def label_from_instance(self, obj: CreditNote) -> str:
        """Write what was given, and why."""
        return f"{obj}: {money(obj.total, obj.currency)}, {obj.reason}"


class FinishForm(ReasonForm):
    """Why the old invoice is credited, and which credits are given again."""

    give_again = GivenCredits(
        CreditNote.objects.none(),
        label="Give again on the replacement",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Credits for service issue or goodwill that the old invoice had.",
    )

    def __init__(self, *args: Any, replaced: Invoice | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        notes = CreditNote.objects.filter(
            invoice=replaced,
            status=CreditNoteStatus.ISSUED,
            reason_code__in=GIVEN_FREELY,
        ).order_by("sequence")
        field = self.fields["give_again"]
        if replaced is None or not notes:
            del self.fields["give_again"]
        elif isinstance(field, forms.ModelMultipleChoiceField):
            field.queryset = notes


@object_action
class FinishReplacement(ObjectAction):
    """Issue a replacement draft and credit what it replaces, at once (A6, A7)."""

    model = Invoice
    slug = "finish"
    label = "Issue and credit the old one"
    confirm_label = "Issue and credit"
    permission = "invoicing.issue_invoice"
    also_needs = ("invoicing.credit_invoice",)
    form_class = FinishForm
    form_heading = "Why the old invoice is credited"
    tone = "default"
    refusals = NOT_FINISHED

    def refusal(self, subject: Any) -> str:
        """Only drafts that replace an invoice, while no credit of it waits."""
        if subject.status != InvoiceStatus.DRAFT:
            return f"{subject} is no draft any more."
        if subject.replaces_id is None:
            return f"{subject} replaces no invoice. Issue it."
        waiting = CreditNote.objects.filter(
            invoice=subject.replaces_id,
            status=CreditNoteStatus.TO_APPROVE,
            issues_replacement=True,
        )
        if waiting.exists():
            return (
                f"A credit of {subject.replaces} waits for a second person. Approving "
                "it issues this replacement too."
            )
        return ""

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Start with the reason for which the replacement was made."""
        made = AuditEvent.objects.filter(
            account_id=subject.account_id,
            invoice_id=subject.pk,
            code="invoice.replacement_drafted",
        ).order_by("-id")
        reason = made.values_list("reason", flat=True).first() or ""
        return {"replaced": subject.replaces, "initial": {"reason": reason}}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show both papers and what the customer ends up paying."""
        correction = review_finish(
            invoice=subject.replaces,
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
            give_again=_ids(answers),
        )
        if correction.refusal:
            return Review(refusal=correction.refusal)
        return Review(
            sentence=finish_sentence(correction, subject.currency),
            warnings=tuple(waiting(correction)),
            template=PAPERS,
            fine_print=tuple(fine_print(correction)),
            context=papers_context(correction, subject.currency)
            | {"old_label": "Superseded, not credited"},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Do both."""
        finished = finish_replacement(
            invoice=subject.replaces,
            reason=answers["reason"],
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
            give_again=_ids(answers),
        )
        url = self.back_url(subject)
        if finished.issued is None:
            return Done(
                message="The credit is above the limit and waits for a second person. "
                "Approving it issues the replacement too.",
                url=url,
                link=str(subject.replaces),
                link_url=self.back_url(subject.replaces),
            )
        issued = Invoice.objects.get(pk=finished.issued.pk)
        credit = f", {subject.replaces} credited" if finished.credit else ""
        return Done(
            message=f"Replacement issued{credit}. "
            f"{money(issued.amount_due, issued.currency)} is due on it:",
            url=url,
            link=f"Invoice {issued.number}",
            link_url=url,
        )


def _ids(answers: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(note.pk for note in answers.get("give_again", ()))
