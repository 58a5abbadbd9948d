"""Record a payment: from an account, a bill group or an invoice (M4)."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from billing.display import day_text, money_text
from billing.models import Account, BillGroup
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.turns import JUST_NOW
from config.clock import now, today_in
from invoicing.domain.allocation import NotAllocatable
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice, Payment
from invoicing.payment_forms import PaymentForm
from invoicing.queries.balances import balance_left
from invoicing.services.payment_preview import PaymentPreview
from invoicing.services.payments import NotAPayment, RecordedBefore, record_payment

GROUPS_OFFERED: Final = 200


class RecordPayment(ObjectAction):
    """What the three doors share; each says whose payment it can be."""

    slug = "record-payment"
    label = "Record payment"
    confirm_label = "Record the payment"
    permission = "invoicing.add_payment"
    form_class = PaymentForm
    asks_first = True
    template = "admin/invoicing/payment/record.html"
    refusals = (NotAPayment, RecordedBefore, NotAllocatable)

    def groups(self, subject: Any) -> Sequence[BillGroup]:
        """Return the bill groups that may have paid."""
        raise NotImplementedError

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Offer the bill groups and their open invoices."""
        groups = self.groups(subject)
        return {"groups": groups, "today": _today(groups[0])}

    def asking(self, request: HttpRequest, subject: Any) -> Review:
        """Show the credit balance that is there already."""
        figures = [
            Figure(label="Credit balance", value=f"{money_text(left, code)} {code}")
            for code, left in balance_left(self.groups(subject)).items()
        ]
        return Review(figures=tuple(figures))

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show which invoices it pays, and what goes to the balance."""
        preview: PaymentPreview = answers["preview"]
        group: BillGroup = answers["group"]
        code = group.currency
        before = balance_left([group]).get(code, Decimal(0))
        paid = sum((row.due - row.still_due for row in preview.paid), Decimal(0))
        recorded = Payment.objects.filter(bill_group=group).count()
        return Review(
            sentence=f"{_text(preview.amount, code)} of {group.public_id}, received on "
            f"{day_text(answers['received_on'])}, is recorded.",
            figures=(
                Figure(
                    label="Payment",
                    value=_text(preview.amount, code),
                    note=answers["reference"] or "without a reference",
                ),
                Figure(
                    label="Pays invoices",
                    value=_text(paid, code),
                    note=f"of {money_text(preview.due, code)} due",
                ),
                Figure(
                    label="Goes to the credit balance",
                    value=_text(preview.left, code),
                    note=f"then {money_text(before + preview.left, code)}",
                ),
                Figure(
                    label="Bill group",
                    value=group.public_id,
                    note=f"{group.name}; payment number {recorded + 1}",
                ),
            ),
            template="admin/invoicing/includes/paid_invoices.html",
            context={"paid": preview.paid, "currency": code},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Record it."""
        group: BillGroup = answers["group"]
        payment = record_payment(
            bill_group=group,
            amount=answers["amount"],
            received_on=answers["received_on"],
            reference=answers["reference"],
            actor=actor_of(request),
            today=_today(group),
            chosen=answers["chosen"],
        )
        return _done(payment)

    def done_just_now(self, request: HttpRequest, subject: Any) -> Done | None:
        """Lead a second click to the payment that the first one recorded."""
        payment = (
            Payment.objects.filter(
                bill_group__in=self.groups(subject),
                recorded_by_name=actor_of(request).get_username(),
                recorded_at__gte=now() - JUST_NOW,
            )
            .order_by("-pk")
            .first()
        )
        return _done(payment) if payment else None


@object_action
class RecordPaymentOfInvoice(RecordPayment):
    """The invoice is chosen at first."""

    model = Invoice

    def refusal(self, subject: Any) -> str:
        """Only while something is due."""
        if subject.status == InvoiceStatus.OPEN:
            return ""
        return f"Nothing is due on {subject}."

    def groups(self, subject: Any) -> Sequence[BillGroup]:
        """Return the invoice's bill group."""
        return _groups(pk=subject.bill_group_id)

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Start with what is due on the invoice."""
        return {**super().form_arguments(request, subject), "invoice": subject}


@object_action
class RecordPaymentOfBillGroup(RecordPayment):
    """Oldest due first, or as chosen."""

    model = BillGroup

    def groups(self, subject: Any) -> Sequence[BillGroup]:
        """Return the group itself."""
        return _groups(pk=subject.pk)


@object_action
class RecordPaymentOfAccount(RecordPayment):
    """One of the account's bill groups paid."""

    model = Account

    def refusal(self, subject: Any) -> str:
        """Only where somebody is billed."""
        if BillGroup.objects.filter(account=subject).exists():
            return ""
        return f"{subject} has no bill group yet, so nothing can be paid."

    def groups(self, subject: Any) -> Sequence[BillGroup]:
        """Return the bill groups of the account."""
        return _groups(account=subject.pk)

    def back_url(self, subject: Any) -> str:
        """Return to the Account Overview."""
        return reverse("admin:billing_account_overview", args=[subject.pk])


def _groups(**found: int) -> Sequence[BillGroup]:
    groups = BillGroup.objects.filter(**found).select_related("legal_entity")
    return list(groups.order_by("pk")[:GROUPS_OFFERED])


def _today(group: BillGroup) -> date:
    return today_in(group.legal_entity.time_zone)


def _done(payment: Payment) -> Done:
    account = payment.bill_group.account_id
    return Done(
        message=f"{_text(payment.amount, payment.currency)} recorded for "
        f"{payment.bill_group.public_id}.",
        url=reverse("admin:invoicing_payment_change", args=[payment.pk]),
        link="See the account",
        link_url=reverse("admin:billing_account_overview", args=[account]),
    )


def _text(amount: Decimal, currency: str) -> str:
    return f"{money_text(amount, currency)} {currency}"
