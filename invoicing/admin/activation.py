"""Activate a contract, with its plan and its first invoice seen before (G5, G6)."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.clock import today_in
from contracts.domain.terms import ContractStatus
from contracts.models import Contract, ScheduledCharge
from contracts.services.terms import ActivationRefused, ContractNotDraft
from invoicing.domain.document import NotBillable
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.services.activation_preview import ActivationPreview, preview_activation
from invoicing.services.lifecycle import activate_contract
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly

CHARGES_SHOWN = 24


@object_action
class ActivateContract(ObjectAction):
    """Set a draft in force."""

    model = Contract
    slug = "activate"
    label = "Activate"
    confirm_label = "Activate the contract"
    permission = "contracts.activate_contract"
    tone = "default"
    refusals = (
        ActivationRefused,
        PeriodClosed,
        IssueDateTooEarly,
        NotBillable,
    )

    def refusal(self, subject: Any) -> str:
        """Only drafts."""
        if subject.status == ContractStatus.DRAFT:
            return ""
        return str(ContractNotDraft(subject))

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show the plan, and the invoice that is made at once."""
        today = _today(subject)
        preview = preview_activation(contract=subject, today=today)
        currency = subject.bill_group.currency
        planned = sum((c.amount or Decimal(0) for c in preview.charges), Decimal(0))
        usage = sum(1 for charge in preview.charges if charge.amount is None)
        return Review(
            sentence=f"{count_text(len(preview.charges), 'charge')} planned. "
            f"{_first_invoice_sentence(preview, today)}",
            figures=(
                Figure(
                    label="Charges planned",
                    value=f"{len(preview.charges):,}",
                    note=_span(preview.charges),
                ),
                Figure(
                    label="Planned, before tax",
                    value=f"{money_text(planned, currency)} {currency}",
                    note=_through(subject, preview.charges)
                    + (f" and {count_text(usage, 'usage charge')}" if usage else ""),
                ),
                Figure(
                    label="Made at once",
                    value=_first_total(preview),
                    note=_first_note(preview),
                ),
            ),
            template="admin/contracts/contract/activate.html",
            context={
                "currency": currency,
                "first_invoices": preview.first_invoices,
                "charges": preview.charges[:CHARGES_SHOWN],
                "more_charges": max(len(preview.charges) - CHARGES_SHOWN, 0),
            },
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Activate it."""
        activation = activate_contract(
            contract=subject, actor=actor_of(request), today=_today(subject)
        )
        url = reverse("admin:contracts_contract_change", args=[subject.pk])
        if not activation.invoices:
            return Done(
                message=f"{subject} is active. No invoice was made at once; the plan "
                "says when the first is due.",
                url=url,
            )
        invoice = activation.invoices[0]
        return Done(
            message=f"{subject} is active, and its first invoice is made.",
            url=url,
            link=str(invoice),
            link_url=reverse("admin:invoicing_invoice_change", args=[invoice.pk]),
        )


def _today(contract: Contract) -> date:
    return today_in(contract.bill_group.legal_entity.time_zone)


def _span(charges: tuple[ScheduledCharge, ...]) -> str:
    if not charges:
        return ""
    first, last = charges[0].bill_date, charges[-1].bill_date
    return f"bill dates {day_text(first)} to {day_text(last)}"


def _first_total(preview: ActivationPreview) -> str:
    if not preview.first_invoices:
        return "No invoice"
    invoice = preview.first_invoices[0].invoice
    return f"{money_text(invoice.total, invoice.currency)} {invoice.currency}"


def _first_note(preview: ActivationPreview) -> str:
    if not preview.first_invoices:
        return "the nightly run makes them when due"
    invoice = preview.first_invoices[0].invoice
    return f"{_kind(invoice)} for {day_text(invoice.bill_date)}, with tax"


def _through(contract: Contract, charges: Sequence[ScheduledCharge]) -> str:
    """Say how far an evergreen contract is counted."""
    if contract.end_date or not charges:
        return ""
    return f"through {day_text(max(charge.bill_date for charge in charges))}"


def _kind(invoice: Invoice) -> str:
    return (
        "a draft held for review"
        if invoice.status == InvoiceStatus.DRAFT
        else "first invoice"
    )


def _first_invoice_sentence(preview: ActivationPreview, today: date) -> str:
    if not preview.first_invoices:
        return "No invoice is made now."
    invoice = preview.first_invoices[0].invoice
    total = f"{money_text(invoice.total, invoice.currency)} {invoice.currency}"
    if invoice.status == InvoiceStatus.DRAFT:
        return f"A draft of {total} is made and held for review: {invoice.held_reason}"
    return f"The first invoice of {total} is issued at once, dated {day_text(today)}."
