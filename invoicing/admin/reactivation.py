"""Set a bill group to Active: bill, skip or leave what it missed (S3, G4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.domain.bill_group import BillGroupStatus
from billing.models import BillGroup
from billing.queries import invoicing_settings
from billing.services.bill_groups import AlreadyActive
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.refusals import who_may
from config.clock import today_in
from invoicing.admin.stopping import overview_url
from invoicing.domain.document import NotBillable
from invoicing.forms import ResumeForm
from invoicing.models import Invoice
from invoicing.services.generation import NotGenerated
from invoicing.services.locks import PeriodClosed, refuse_closed
from invoicing.services.numbering import IssueDateTooEarly
from invoicing.services.resuming import (
    Choice,
    Missed,
    NotMissed,
    Resumed,
    preview_missed,
    resume_bill_group,
)

SETTLE: Final = "invoicing.generate_invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was missed, by what is to become of it; oldest first."""

    bill_group: BillGroup
    missed: Sequence[Missed]
    choices: Mapping[date, Choice]

    def chosen(self, choice: Choice) -> list[Missed]:
        """Return what gets this choice; what has none is left."""
        return [
            one
            for one in self.missed
            if self.choices.get(one.bill_date, Choice.LEAVE) is choice
        ]

    def sum(self, choice: Choice) -> str:
        """Write what it comes to: with tax as far as it is worked out."""
        amounts = [
            one.amount if one.total is None else one.total
            for one in self.chosen(choice)
        ]
        currency = self.bill_group.currency
        return f"{money_text(sum(amounts, Decimal(0)), currency)} {currency}"

    @property
    def documents(self) -> int:
        """How many invoices are made: what bills zero makes none (G10)."""
        return sum(not one.bills_zero for one in self.chosen(Choice.BILL))


@object_action
class ReactivateBillGroup(ObjectAction):
    """Set a bill group to Active and settle what it missed."""

    model = BillGroup
    slug = "reactivate"
    label = "Set to Active"
    confirm_label = "Set the bill group to Active"
    permission = "billing.reactivate_billgroup"
    form_class = ResumeForm
    asks_first = True
    tone = "default"
    template = "admin/invoicing/billgroup/reactivate.html"
    refusals = (
        AlreadyActive,
        IssueDateTooEarly,
        NotGenerated,
        NotMissed,
        PeriodClosed,
        ReasonMissing,
        NotBillable,
    )

    def refusal(self, subject: Any) -> str:
        """Only one that is not active."""
        is_active = subject.status == BillGroupStatus.ACTIVE
        return str(AlreadyActive(subject)) if is_active else ""

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Ask about each that was missed those who may bill; others leave them."""
        may_settle = request.user.has_perm(SETTLE)
        missed = preview_missed(bill_group=subject, today=_today(subject))
        return {"missed": missed if may_settle else ()}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what is billed, skipped and left, and whether the next waits (G4)."""
        today = _today(subject)
        plan = Plan(
            bill_group=subject,
            missed=preview_missed(bill_group=subject, today=today),
            choices=answers.get("choices", {}),
        )
        if plan.chosen(Choice.BILL):
            refuse_closed(subject.legal_entity, issue_date=today)
        may_settle = request.user.has_perm(SETTLE)
        return Review(
            sentence=f"{subject.public_id} becomes active. {_waits_text(plan)}",
            figures=(
                Figure(
                    label="Bill group",
                    value=subject.public_id,
                    note=f"{subject.name}, {subject.account}",
                ),
                Figure(
                    label="Billed now",
                    value=plan.sum(Choice.BILL),
                    note=f"{count_text(plan.documents, 'invoice')}, dated "
                    f"{day_text(today)}",
                ),
                Figure(
                    label="Skipped",
                    value=plan.sum(Choice.SKIP),
                    note=_missed_text(plan, Choice.SKIP),
                ),
                Figure(
                    label="Left pending",
                    value=plan.sum(Choice.LEAVE),
                    note=_missed_text(plan, Choice.LEAVE),
                ),
            ),
            warnings=(_left_text(),) if plan.missed and not may_settle else (),
            template="admin/invoicing/includes/missed.html",
            context={
                "group": subject,
                "rows": [
                    (one, plan.choices.get(one.bill_date, Choice.LEAVE))
                    for one in plan.missed
                ],
            },
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Do all of it, or nothing."""
        resumed = resume_bill_group(
            bill_group=subject,
            choices=answers.get("choices", {}),
            reason=answers.get("reason", ""),
            actor=actor_of(request),
            today=_today(subject),
        )
        return Done(
            message=_done_text(resumed),
            url=overview_url(subject),
            link="See the invoices" if resumed.invoices else "",
            link_url=_invoices_url(resumed.invoices, subject),
        )


def _today(group: BillGroup) -> date:
    return today_in(group.legal_entity.time_zone)


def _left_text() -> str:
    return (
        f"What was missed stays pending: {who_may(SETTLE)} can bill it, with Generate "
        "next invoice, once the bill group is active."
    )


def _missed_text(plan: Plan, choice: Choice) -> str:
    return count_text(len(plan.chosen(choice)), "pending invoice")


def _waits_text(plan: Plan) -> str:
    """Say who makes the next invoice, and what becomes of what is left (G4)."""
    if not plan.documents:
        return (
            "None is billed, so its next invoice waits for a person: generate it by "
            "hand, then later ones follow the invoicing mode again."
        )
    billed = (
        f"{count_text(plan.documents, 'invoice')} of {plan.sum(Choice.BILL)} "
        f"{'is' if plan.documents == 1 else 'are'} issued at once and can't be changed "
        "after that."
    )
    left = len(plan.chosen(Choice.LEAVE))
    if not left:
        return f"{billed} Later ones follow the invoicing mode again."
    settings = invoicing_settings(plan.bill_group.legal_entity)
    by_hand = settings.is_manual or plan.bill_group.invoicing == "MANUAL"
    if by_hand:
        return f"{billed} What is left waits to be generated by hand."
    if left > settings.catch_up_limit:
        return (
            f"{billed} The next run makes drafts of what is left, held for review: "
            f"more bill dates are overdue than the limit of {settings.catch_up_limit}."
        )
    return f"{billed} The next run makes what is left."


def _done_text(resumed: Resumed) -> str:
    parts = [f"{resumed.bill_group.public_id} is active."]
    if resumed.invoices:
        currency = resumed.invoices[0].currency
        total = sum((one.total for one in resumed.invoices), Decimal(0))
        parts.append(
            f"{count_text(len(resumed.invoices), 'invoice')} issued: "
            f"{money_text(total, currency)} {currency}."
        )
    if resumed.skipped:
        parts.append(f"{count_text(len(resumed.skipped), 'pending invoice')} skipped.")
    if resumed.left:
        parts.append(f"{count_text(len(resumed.left), 'pending invoice')} left.")
    if resumed.still_waits:
        parts.append("Its next invoice is generated by hand.")
    return " ".join(parts)


def _invoices_url(invoices: Sequence[Invoice], group: BillGroup) -> str:
    if len(invoices) == 1:
        return reverse("admin:invoicing_invoice_change", args=[invoices[0].pk])
    url = reverse("admin:invoicing_invoice_changelist")
    return f"{url}?bill_group={group.public_id}"
