"""Invoices: a list with filters and totals, and the document; nothing is changed."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.display import badge, day_text, money
from billing.domain.money import currency_digits
from config.adminsite.changelist import FinanceChangeList
from config.adminsite.model_admin import ReadOnlyAdmin
from config.adminsite.paginator import SummingPaginator
from config.clock import now, today_in
from customfields.admin.lists import CustomFieldLists
from customfields.domain.definition import FieldObject
from invoicing.admin.history import history_context, history_of_invoice
from invoicing.admin.invoice_page import invoice_context
from invoicing.admin.invoice_views import invoice_views, totals_by_currency
from invoicing.display import delivery_text, invoice_badge, superseded_badge
from invoicing.domain.states import InvoiceStatus
from invoicing.filters import InvoiceFilter
from invoicing.models import Invoice
from invoicing.queries.claims import with_superseded
from invoicing.queries.search import search_invoices

FROZEN = ("bill_to", "seller", "printed_fields", "taxes")


@admin.register(Invoice)
class InvoiceAdmin(CustomFieldLists, ReadOnlyAdmin):
    """Documents, drafts first, then the newest."""

    custom_fields_object = FieldObject.INVOICE
    amounts_last = True
    most_fields = 2
    fields_in_sight = 1
    change_list_template = "admin/invoicing/invoice/change_list.html"
    paginator = SummingPaginator
    change_form_template = "admin/invoicing/invoice/change_form.html"
    filterset_class = InvoiceFilter
    list_display = (
        "shown_number",
        "shown_status",
        "shown_account",
        "shown_group",
        "shown_issue_date",
        "shown_due_date",
        "po_number",
        "shown_delivery",
        "shown_total",
        "shown_amount_due",
    )
    list_select_related = ("account", "bill_group", "legal_entity")
    list_note = "Drafts first, then the newest. Amounts with tax."
    ordering = ("-issue_date", "-id")
    sortable_by = ("shown_issue_date",)
    search_fields = ("number",)
    search_help_text = "Invoice number or PO number"
    column_classes = {
        "shown_number": "m1 nowrap",
        "shown_status": "m2",
        "shown_account": "m4 ell",
        "shown_group": "w2",
        "shown_issue_date": "w2 nowrap",
        "shown_due_date": "m5 nowrap",
        "po_number": "w1",
        "shown_delivery": "w1",
        "shown_total": "num cur-head",
        "shown_amount_due": "num cur-head m3",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read what the list shows."""
        rows = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == (
            "invoicing_invoice_changelist"
        ):
            shown = with_superseded(rows.defer(*FROZEN))
            return shown.prefetch_related("deliveries")
        return with_superseded(rows).select_related(
            "account", "bill_group", "legal_entity", "run", "replaces"
        )

    @admin.display(description="issued", ordering="issue_date")
    def shown_issue_date(self, invoice: Invoice) -> SafeString | str:
        """Show when it was issued."""
        if invoice.issue_date is None:
            return format_html('<span class="zero">{}</span>', "not issued")
        return day_text(invoice.issue_date)

    @admin.display(description="number")
    def shown_number(self, invoice: Invoice) -> str:
        """Show the number; a draft has none."""
        return invoice.number or "Draft"

    @admin.display(description="status")
    def shown_status(self, invoice: Invoice) -> SafeString:
        """Show where it stands, and whether it was replaced."""
        status = badge(invoice_badge(invoice, _today_of(invoice)))
        mark = superseded_badge(invoice)
        return format_html("{} {}", status, badge(mark)) if mark else status

    @admin.display(description="account")
    def shown_account(self, invoice: Invoice) -> SafeString:
        """Lead to the Account Overview."""
        url = reverse("admin:billing_account_overview", args=[invoice.account_id])
        return format_html('<a class="plain" href="{}">{}</a>', url, invoice.account)

    @admin.display(description="bill group")
    def shown_group(self, invoice: Invoice) -> SafeString:
        """Show the public id."""
        return format_html('<span class="id">{}</span>', invoice.bill_group.public_id)

    @admin.display(description="due")
    def shown_due_date(self, invoice: Invoice) -> SafeString:
        """Show when it is due; overdue in red."""
        overdue = (
            invoice.status == InvoiceStatus.OPEN
            and invoice.due_date is not None
            and invoice.due_date < _today_of(invoice)
        )
        text = day_text(invoice.due_date) if invoice.due_date else "on issue"
        tone = "bad" if overdue else "" if invoice.due_date else "zero"
        return format_html('<span class="{}">{}</span>', tone, text)

    @admin.display(description="delivery")
    def shown_delivery(self, invoice: Invoice) -> str:
        """Show how far paper and mail are."""
        return delivery_text(list(invoice.deliveries.all()))

    @admin.display(description="total")
    def shown_total(self, invoice: Invoice) -> SafeString:
        """Show the total with tax."""
        return money(invoice.total, invoice.currency)

    @admin.display(description="still due")
    def shown_amount_due(self, invoice: Invoice) -> SafeString:
        """Show what is still due; nothing on what is void or no invoice yet."""
        if not invoice.is_issued:
            return money(Decimal(0), invoice.currency)
        tone = "loud" if invoice.amount_due else ""
        return money(invoice.amount_due, invoice.currency, tone)

    @admin.display(description="")
    def action_checkbox(self, obj: Invoice) -> SafeString:
        """Carry the amount, so that the bar can add up what is chosen."""
        digits = currency_digits(obj.currency)
        return format_html(
            '<input type="checkbox" name="_selected_action" value="{}" '
            'class="action-select" aria-label="Select {}" data-cur="{}" '
            'data-minor="{}" data-digits="{}">',
            obj.pk,
            obj,
            obj.currency,
            int(obj.total.scaleb(digits)),
            digits,
        )

    def row_class(self, subject: Any) -> str:
        """Draw drafts in pencil."""
        return "pencil" if subject.status == InvoiceStatus.DRAFT else ""

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find invoices by number or PO number, with indexes only."""
        return search_invoices(rows, text)

    def list_context(
        self, request: HttpRequest, changes: FinanceChangeList
    ) -> dict[str, Any]:
        """Add the views, and the totals of what is filtered, by currency."""
        return {
            "totals": totals_by_currency(changes.paginator.to_add_up),
            "invoice_views": invoice_views(
                request.GET, today=local_today(), counted=Invoice.objects.all()
            ),
            "asked": request.GET.urlencode(),
        }

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show the document instead of a form."""
        return invoice_context(obj, today=_today_of(obj)) | {
            "history": history_context(request, history_of_invoice(obj), obj)
        }


def _today_of(invoice: Invoice) -> date:
    """Return today where the seller of an invoice is."""
    return today_in(invoice.legal_entity.time_zone)


def local_today() -> date:
    """Return today where the first legal entity is; the site has set its time zone."""
    return timezone.localdate(now())
