"""Generate the next invoice of a bill group, or all that are due (G9)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.domain.bill_group import BillGroupStatus
from billing.models import BillGroup
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.clock import today_in
from invoicing.domain.document import NotBillable
from invoicing.domain.eligibility import Outcome
from invoicing.services.assessment import Assessment
from invoicing.services.generation import (
    NotGenerated,
    generate_all_due,
    generate_next_invoice,
    preview_all_due,
    preview_next_invoice,
)
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly


class GenerateAction(ObjectAction):
    """What both buttons share: only an active bill group (G2)."""

    model = BillGroup
    permission = "invoicing.generate_invoice"
    refusals = (NotGenerated, PeriodClosed, IssueDateTooEarly, NotBillable)

    def refusal(self, subject: Any) -> str:
        """A group that is not active is set to Active first."""
        if subject.status == BillGroupStatus.ACTIVE:
            return ""
        return (
            f"{subject.public_id} is {subject.get_status_display().lower()}. Set it to "
            "Active first."
        )

    def back_url(self, subject: Any) -> str:
        """Return to the Account Overview."""
        url = reverse("admin:billing_account_overview", args=[subject.account_id])
        return f"{url}?bill_group={subject.pk}"


@object_action
class GenerateNextInvoice(GenerateAction):
    """Make the oldest pending invoice, one per click."""

    slug = "generate-next"
    label = "Generate next invoice"
    confirm_label = "Generate and issue"
    tone = "default"

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show the invoice as it will be."""
        today = _today(subject)
        assessment = preview_next_invoice(bill_group=subject, today=today)
        if assessment is None:
            return Review(
                refusal="Nothing is pending: no planned charge waits for an invoice."
            )
        document, decision = assessment.document, assessment.decision
        if decision.outcome is Outcome.HOLD:
            return Review(refusal=decision.sentence)
        bill_date = day_text(document.bill_date)
        if decision.outcome is Outcome.ZERO and document.bill_date > today:
            return Review(
                refusal=f"The charges of {bill_date} bill zero and have no quantity, "
                "and that day has not come: there is nothing to generate."
            )
        if decision.outcome is Outcome.ZERO:
            return Review(
                sentence=f"Nothing is billed: the charges of {bill_date} bill zero "
                "and have no quantity. They are marked invoiced, without a document."
            )
        currency = document.currency
        total = f"{money_text(document.totals.total, currency)} {currency}"
        warnings = [decision.warning] if decision.warning else []
        return Review(
            sentence=f"An invoice of {total} is issued at once, dated "
            f"{day_text(today)}. It can't be changed after that.",
            figures=(
                Figure(
                    label="Total",
                    value=total,
                    note=f"{money_text(document.totals.tax, currency)} tax",
                ),
                Figure(label="Bill date", value=day_text(document.bill_date)),
                Figure(
                    label="Bill group",
                    value=subject.public_id,
                    note=f"{subject.name}, {subject.account}",
                ),
                Figure(label="Lines", value=f"{len(document.lines)}"),
            ),
            warnings=tuple(warnings),
            template="admin/invoicing/includes/document.html",
            context={"document": document, "currency": currency},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Make it."""
        invoice = generate_next_invoice(
            bill_group=subject, actor=actor_of(request), today=_today(subject)
        )
        total = f"{money_text(invoice.total, invoice.currency)} {invoice.currency}"
        return Done(
            message=f"{total} invoiced for {day_text(invoice.bill_date)}.",
            url=self.back_url(subject),
            link=f"Invoice {invoice.number}",
            link_url=reverse("admin:invoicing_invoice_change", args=[invoice.pk]),
        )


@object_action
class GenerateAllDue(GenerateAction):
    """Make one invoice for each bill date that has come."""

    slug = "generate-all-due"
    label = "Generate all due"
    confirm_label = "Generate and issue all"

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show every invoice that will be made."""
        today = _today(subject)
        due = preview_all_due(bill_group=subject, today=today)
        if not due:
            return Review(refusal="No bill date has come that is not invoiced yet.")
        if due[0].decision.outcome is Outcome.HOLD:
            return Review(refusal=due[0].decision.sentence)
        billed = [assessment for assessment in due if assessment.document.lines]
        total = f"{money_text(_sum(billed), subject.currency)} {subject.currency}"
        return Review(
            sentence=f"{count_text(len(billed), 'invoice')} of {total} together are "
            f"issued at once, dated {day_text(today)}.",
            figures=(
                Figure(label="Invoices", value=f"{len(billed)}"),
                Figure(label="Together", value=total, note="with tax"),
                Figure(label="Bill group", value=subject.public_id, note=subject.name),
            ),
            template="admin/invoicing/includes/due.html",
            context={"due": due},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Make them."""
        invoices = generate_all_due(
            bill_group=subject, actor=actor_of(request), today=_today(subject)
        )
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for invoice in invoices:
            sums[invoice.currency] += invoice.total
        totals = ", ".join(f"{money_text(t, c)} {c}" for c, t in sums.items())
        return Done(
            message=f"{count_text(len(invoices), 'invoice')} issued: {totals}.",
            url=self.back_url(subject),
            link="See them",
            link_url=reverse("admin:invoicing_invoice_changelist")
            + f"?bill_group={subject.public_id}",
        )


def _today(group: BillGroup) -> date:
    return today_in(group.legal_entity.time_zone)


def _sum(assessments: Iterable[Assessment]) -> Decimal:
    return sum((a.document.totals.total for a in assessments), Decimal(0))
