"""Payments: a list with filters and totals, and where each amount went (M4)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.display import badge, count_text, day_text, money, money_text
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.changelist import FinanceChangeList
from config.adminsite.model_admin import ReadOnlyAdmin
from config.adminsite.paginator import SummingPaginator
from config.clock import today_in
from contracts.forms import ReasonForm
from invoicing.admin.history import history_context, history_of_payment
from invoicing.admin.invoice_views import view
from invoicing.filters_of_money import PaymentFilter
from invoicing.models import BalanceUse, Payment
from invoicing.queries.search import search_payments
from invoicing.services.payments_taken_back import PaymentStays, take_back_payment

RECEIVED: Final = Badge("Received", "done")
TAKEN_BACK: Final = Badge("Taken back", "struck")


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """What customers paid."""

    change_list_template = "admin/invoicing/money/change_list.html"
    paginator = SummingPaginator
    change_form_template = "admin/invoicing/payment/change_form.html"
    filterset_class = PaymentFilter
    list_display = (
        "shown_day",
        "shown_state",
        "shown_account",
        "shown_group",
        "reference",
        "shown_recorder",
        "shown_amount",
    )
    list_select_related = ("bill_group__account",)
    list_note = "Record one on an account, a bill group or an invoice, or upload many."
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("reference",)
    search_help_text = "Reference, or number of an invoice it paid"
    column_classes = {
        "shown_day": "m1 nowrap",
        "shown_state": "m2",
        "shown_account": "m4 ell",
        "shown_group": "w2",
        "reference": "m5",
        "shown_recorder": "w1",
        "shown_amount": "num cur-head m3",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read whose it is with it."""
        return super().get_queryset(request).select_related("bill_group__account")

    @admin.display(description="received")
    def shown_day(self, payment: Payment) -> str:
        """Show when it came."""
        return day_text(payment.received_on)

    @admin.display(description="state")
    def shown_state(self, payment: Payment) -> SafeString:
        """Show whether it stands."""
        return badge(payment_badge(payment))

    @admin.display(description="account")
    def shown_account(self, payment: Payment) -> SafeString:
        """Lead to the Account Overview."""
        account = payment.bill_group.account
        url = reverse("admin:billing_account_overview", args=[account.pk])
        return format_html('<a class="plain" href="{}">{}</a>', url, account)

    @admin.display(description="bill group")
    def shown_group(self, payment: Payment) -> SafeString:
        """Show the public id."""
        return format_html('<span class="id">{}</span>', payment.bill_group.public_id)

    @admin.display(description="by")
    def shown_recorder(self, payment: Payment) -> str:
        """Show who recorded it."""
        return payment.recorded_by_name

    @admin.display(description="amount")
    def shown_amount(self, payment: Payment) -> SafeString:
        """Show what came."""
        return money(payment.amount, payment.currency)

    def facts(self, subject: Any) -> list[str]:
        """Return whose it is."""
        return [subject.bill_group.public_id, str(subject.bill_group.account)]

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find payments by reference, or by an invoice they paid."""
        return search_payments(rows, text)

    def list_context(
        self, request: HttpRequest, changes: FinanceChangeList
    ) -> dict[str, Any]:
        """Add the views, and the totals of what is filtered, by currency."""
        return {
            "totals": _totals(changes.paginator.to_add_up),
            "noun": "payment",
            "views": [
                view("All", {}, request.GET),
                view("Received", {"state": "stands"}, request.GET),
                view("Taken back", {"state": "taken_back"}, request.GET),
            ],
        }

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show where it went instead of a form."""
        return {
            "payment": obj,
            "history": history_context(request, history_of_payment(obj), obj),
            "status_badge": badge(payment_badge(obj)),
            "allocations": list(
                obj.allocations.select_related("invoice").order_by("pk")
            ),
            "entries": list(obj.balance_entries.order_by("pk")),
            "uses": list(
                BalanceUse.objects.filter(entry__payment=obj)
                .select_related("invoice")
                .order_by("pk")
            ),
        }


@object_action
class TakeBackPayment(ObjectAction):
    """Undo a payment that bounced or was recorded wrongly."""

    model = Payment
    slug = "take-back"
    label = "Take back"
    confirm_label = "Take the payment back"
    permission = "invoicing.take_back_payment"
    form_class = ReasonForm
    refusals = (PaymentStays, ReasonMissing)

    def refusal(self, subject: Any) -> str:
        """Once."""
        if subject.taken_back_on is None:
            return ""
        return "The payment was taken back already. Nothing was changed."

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what is due again, and what leaves the balance."""
        allocations = list(
            subject.allocations.filter(undone_on=None).select_related("invoice")
        )
        uses = list(
            BalanceUse.objects.filter(
                entry__payment=subject, undone_on=None
            ).select_related("invoice")
        )
        code = subject.currency
        entries = list(subject.balance_entries.all())
        invoices = {row.invoice_id for row in [*allocations, *uses]}
        again = sum((row.amount for row in [*allocations, *uses]), Decimal(0))
        left = sum((entry.left for entry in entries), Decimal(0))
        today = today_in(subject.bill_group.legal_entity.time_zone)
        return Review(
            sentence=f"The payment of {money_text(subject.amount, code)} {code} is "
            f"taken back, dated {day_text(today)}. What it paid is due again; what a "
            "credit had given back of it lowers the due instead.",
            figures=(
                Figure(
                    label="Payment",
                    value=f"{money_text(subject.amount, code)} {code}",
                    note=f"received {day_text(subject.received_on)}",
                ),
                Figure(
                    label="Taken from invoices",
                    value=f"{money_text(again, code)} {code}",
                    note=count_text(len(invoices), "invoice"),
                ),
                Figure(
                    label="Taken from the balance",
                    value=f"{money_text(left, code)} {code}",
                    note="not used yet",
                ),
                Figure(label="Bill group", value=subject.bill_group.public_id),
            ),
            template="admin/invoicing/includes/taken_back.html",
            context={"rows": [*allocations, *uses], "currency": code},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Take it back."""
        payment = take_back_payment(
            payment=subject,
            reason=answers["reason"],
            actor=actor_of(request),
            today=today_in(subject.bill_group.legal_entity.time_zone),
        )
        group = payment.bill_group
        return Done(
            message=f"The payment of {money_text(payment.amount, payment.currency)} "
            f"{payment.currency} is taken back.",
            url=reverse("admin:invoicing_payment_change", args=[payment.pk]),
            link="See the account",
            link_url=reverse("admin:billing_account_overview", args=[group.account_id]),
        )


def payment_badge(payment: Payment) -> Badge:
    """Return whether a payment stands."""
    return RECEIVED if payment.taken_back_on is None else TAKEN_BACK


def _totals(payments: QuerySet[Payment]) -> list[dict[str, Any]]:
    """Return count and sum of what stands, and what was taken back, by currency."""
    stands = Q(taken_back_on=None)
    rows: Any = (
        payments.order_by()
        .values("currency")
        .annotate(
            count=Count("pk", filter=stands),
            total=Sum("amount", filter=stands, default=Decimal(0)),
            second=Sum("amount", filter=~stands, default=Decimal(0)),
        )
        .order_by("currency")
    )
    return [{**row, "second_label": "taken back"} for row in rows]
