"""On an invoice: fix it through its contract, reissue it, discard a draft.

Fixing leads to the amendment of the contract (A7); reissuing makes a replacement draft
without one (A12).
"""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib.admin import ModelAdmin
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from billing.display import count_text, day_text
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.clock import today_in
from contracts.forms import ReasonForm
from contracts.models import Contract
from invoicing.admin.amend import amend_from
from invoicing.admin.correction_papers import (
    PAPERS,
    fine_print,
    money,
    papers_context,
    waiting,
)
from invoicing.domain.document import NotBillable
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.claims import superseded_among
from invoicing.services.correction_review import review_reissue
from invoicing.services.corrections import (
    NotReissuable,
    discard_draft,
    reissue_invoice,
)
from invoicing.services.drafts import NotADraft

PENDING: Final = "pending"
SKIP: Final = "skip"


@object_action
class FixWrongInvoice(ObjectAction):
    """Lead to the amendment of the contract that an invoice bills."""

    model = Invoice
    slug = "fix"
    label = "Fix a wrong invoice"
    permission = "contracts.amend_contract"
    changes_nothing = True

    def refusal(self, subject: Any) -> str:
        """Only what is issued and not replaced yet, with a contract behind it."""
        return _not_replaceable(subject)

    def answer(
        self, owner: "ModelAdmin[Any]", request: HttpRequest, subject: Any
    ) -> HttpResponse:
        """Go straight to the contract where there is only one."""
        self.refuse_others(request, subject)
        contracts = _contracts(subject)
        if not self.refusal(subject) and len(contracts) == 1:
            return HttpResponseRedirect(_amend_url(contracts[0], subject))
        return super().answer(owner, request, subject)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Ask which of several contracts is wrong."""
        return Review(
            sentence="Choose the contract whose terms were wrong. If the terms are "
            "right, but an address, a tax or the usage was not, reissue the invoice.",
            template="admin/invoicing/includes/contracts_to_amend.html",
            context={
                "contracts": [
                    {"contract": one, "url": _amend_url(one, subject)}
                    for one in _contracts(subject)
                ]
            },
        )


@object_action
class ReissueInvoice(ObjectAction):
    """Make a replacement draft without an amendment (A12)."""

    model = Invoice
    slug = "reissue"
    label = "Reissue"
    confirm_label = "Make the replacement draft"
    permission = "invoicing.reissue_invoice"
    form_class = ReasonForm
    form_heading = "Why it is reissued"
    refusals = (NotReissuable, ReasonMissing, NotBillable)

    def refusal(self, subject: Any) -> str:
        """Only what is issued and not replaced yet."""
        return _not_replaceable(subject)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show the old invoice beside the draft, and the address it will have."""
        replaced, correction = review_reissue(
            invoice=subject,
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
        )
        draft = replaced.draft
        revision = subject.current_revision
        return Review(
            sentence="A replacement draft is made, with today's address, PO number, "
            f"tax rates and usage. {subject} becomes superseded: reminders stop. "
            "Issuing the draft and crediting the old invoice come after your review.",
            warnings=tuple(waiting(correction)),
            template=PAPERS,
            fine_print=tuple(fine_print(correction)),
            context=papers_context(correction, subject.currency)
            | {
                "bill_to_before": revision.bill_to if revision else subject.bill_to,
                "bill_to_after": draft.bill_to if draft else None,
                "po_before": subject.po_number,
                "po_after": draft.po_number if draft else "",
            },
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Make the draft."""
        replaced = reissue_invoice(
            invoice=subject,
            reason=answers["reason"],
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
        )
        if replaced.draft is None:
            return Done(
                message=f"{subject} is superseded; nothing is left to bill, so it is "
                "only to be credited.",
                url=self.back_url(subject),
            )
        url = reverse("admin:invoicing_invoice_change", args=[replaced.draft.pk])
        return Done(
            message=f"{subject} is superseded. Review its replacement, then issue it "
            "and credit the old one.",
            url=url,
            link=f"Replacement, {replaced.draft}",
            link_url=url,
        )


class DiscardForm(ReasonForm):
    """Why a draft is thrown away, and what becomes of its charges."""

    charges = forms.ChoiceField(
        label="Its charges",
        choices=[
            (PENDING, "go back to pending: they are billed again"),
            (SKIP, "are skipped: they are never billed"),
        ],
        initial=PENDING,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, is_replacement: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_replacement:
            del self.fields["charges"]


@object_action
class DiscardDraft(ObjectAction):
    """Throw a draft away (A11)."""

    model = Invoice
    slug = "discard"
    label = "Discard"
    confirm_label = "Discard the draft"
    permission = "invoicing.discard_invoice"
    form_class = DiscardForm
    form_heading = "Why it is discarded"
    refusals = (NotADraft, ReasonMissing)

    def refusal(self, subject: Any) -> str:
        """Only drafts."""
        if subject.status == InvoiceStatus.DRAFT:
            return ""
        return (
            f"{subject} is no draft: it is {subject.get_status_display().lower()}. "
            "What is issued is reissued or credited."
        )

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Ask about the charges of a draft that replaces nothing."""
        return {"is_replacement": subject.replaces_id is not None}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Name what becomes of the charges, and of the invoice it would replace."""
        lines = subject.lines.count()
        total = money(subject.total, subject.currency)
        net = money(subject.subtotal, subject.currency)
        figures = (
            Figure(label="Draft", value=total, note="with tax"),
            Figure(label="Charges", value=f"{lines}", note=f"{net} before tax"),
            Figure(label="Bill date", value=day_text(subject.bill_date)),
        )
        old = subject.replaces
        if old is None:
            return Review(
                sentence=f"The draft of {total} becomes void. What it bills, "
                f"{net} of {count_text(lines, 'charge')}, goes back to pending and is "
                "billed again when the bill group is invoiced, or is skipped for "
                "good: as you choose above.",
                figures=figures,
            )
        return Review(
            sentence=f"The draft of {total} becomes void, and {old} of "
            f"{money(old.total, old.currency)} stands as it was billed: "
            f"{money(old.amount_due, old.currency)} is due on it, reminders go on.",
            figures=(
                *figures,
                Figure(
                    label=f"{old} stands again",
                    value=money(old.total, old.currency),
                    note=f"{money(old.amount_due, old.currency)} due",
                ),
            ),
            warnings=(
                (
                    f"Only a new amendment or reissue replaces {old} after that. The "
                    "terms of its contract stay as they were amended."
                ),
            ),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Discard it."""
        skip = answers.get("charges") == SKIP
        discarded = discard_draft(
            invoice=subject,
            reason=answers["reason"],
            actor=actor_of(request),
            today=today_in(subject.legal_entity.time_zone),
            skip=skip,
        )
        if discarded.replaces is not None:
            old = discarded.replaces
            return Done(
                message="Draft discarded. The invoice stands as it was billed:",
                url=self.back_url(old),
                link=str(old),
                link_url=self.back_url(old),
            )
        became = "skipped" if skip else "pending again"
        return Done(
            message=f"Draft discarded; its charges are {became}.",
            url=self.back_url(subject),
            link=str(subject.account),
            link_url=reverse(
                "admin:billing_account_overview", args=[subject.account_id]
            ),
        )


def _not_replaceable(invoice: Invoice) -> str:
    if not invoice.is_issued:
        return f"{invoice} was never issued: discard the draft instead."
    if superseded_among([invoice.pk]):
        return f"{invoice} is superseded already. See its replacement."
    return ""


def _contracts(invoice: Invoice) -> list[Any]:
    """Return the contracts that an invoice bills, each with the first day it bills."""
    return list(
        Contract.objects.filter(charges__invoice_line__invoice=invoice)
        .annotate(first_billed=Min("charges__period_start"))
        .order_by("number")
    )


def _amend_url(contract: Any, wrong: Invoice) -> str:
    return amend_from(contract, contract.first_billed, wrong)
