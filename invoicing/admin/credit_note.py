"""Credit notes: a list with filters and totals, and the document (A5, A9)."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.display import badge, day_text, money
from config.adminsite.changelist import FinanceChangeList
from config.adminsite.model_admin import ReadOnlyAdmin
from config.adminsite.paginator import SummingPaginator
from invoicing.admin.history import history_context, history_of_credit_note
from invoicing.admin.invoice_views import view
from invoicing.admin.pdf import CreditNotePdf
from invoicing.choices import CREDIT_NOTE_STATUSES, CREDIT_REASONS, CREDIT_SETTLEMENTS
from invoicing.display import delivery_rows, delivery_text
from invoicing.domain.states import CreditNoteStatus
from invoicing.filters_of_money import CreditNoteFilter
from invoicing.models import CreditNote
from invoicing.queries.search import search_credit_notes

FROZEN = ("bill_to", "seller", "taxes")


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnlyAdmin):
    """What was credited, and what waits for a second person."""

    change_list_template = "admin/invoicing/money/change_list.html"
    paginator = SummingPaginator
    change_form_template = "admin/invoicing/creditnote/change_form.html"
    filterset_class = CreditNoteFilter
    list_display = (
        "shown_number",
        "shown_status",
        "shown_account",
        "shown_invoice",
        "shown_reason",
        "shown_day",
        "shown_maker",
        "shown_delivery",
        "shown_due_part",
        "shown_paid_part",
        "shown_total",
    )
    list_select_related = ("invoice__account",)
    list_note = "Each names the invoice that it reduces. Amounts with tax."
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("number",)
    search_help_text = "Number of the credit note or invoice"
    column_classes = {
        "shown_number": "m1 nowrap",
        "shown_status": "m2",
        "shown_account": "m4 ell",
        "shown_invoice": "m5 nowrap",
        "shown_reason": "w1",
        "shown_day": "w2 nowrap",
        "shown_maker": "w1",
        "shown_delivery": "w2",
        "shown_due_part": "num w2",
        "shown_paid_part": "num w2",
        "shown_total": "num cur-head m3",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read what the list or the page shows."""
        rows = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == (
            "invoicing_creditnote_changelist"
        ):
            return rows.defer(*FROZEN).prefetch_related("deliveries")
        return rows.select_related(
            "invoice__account", "invoice__bill_group", "legal_entity"
        )

    @admin.display(description="number")
    def shown_number(self, note: CreditNote) -> str:
        """Show the number; one that was never issued has none."""
        return note.number or "No number"

    @admin.display(description="status")
    def shown_status(self, note: CreditNote) -> SafeString:
        """Show where it stands."""
        return badge(CREDIT_NOTE_STATUSES.badge(note.status))

    @admin.display(description="account")
    def shown_account(self, note: CreditNote) -> SafeString:
        """Lead to the Account Overview."""
        account = note.invoice.account
        url = reverse("admin:billing_account_overview", args=[account.pk])
        return format_html('<a class="plain" href="{}">{}</a>', url, account)

    @admin.display(description="invoice")
    def shown_invoice(self, note: CreditNote) -> SafeString:
        """Lead to the invoice."""
        url = reverse("admin:invoicing_invoice_change", args=[note.invoice_id])
        return format_html('<a class="plain" href="{}">{}</a>', url, note.invoice)

    @admin.display(description="kind")
    def shown_reason(self, note: CreditNote) -> str:
        """Show why it was made, in a word."""
        return CREDIT_REASONS.badge(note.reason_code).label

    @admin.display(description="by")
    def shown_maker(self, note: CreditNote) -> str:
        """Show who made it."""
        return note.made_by_name

    @admin.display(description="issued")
    def shown_day(self, note: CreditNote) -> SafeString | str:
        """Show when it was issued."""
        if note.issue_date is None:
            return format_html('<span class="zero">{}</span>', "not issued")
        return day_text(note.issue_date)

    @admin.display(description="paper")
    def shown_delivery(self, note: CreditNote) -> SafeString | str:
        """Lead to the PDF, and show how far paper and mail are."""
        if note.number is None:
            return ""
        return format_html(
            '<a class="plain" href="{}" aria-label="PDF of {}">PDF</a>'
            '<span class="second">{}</span>',
            CreditNotePdf.url(note.pk),
            note.number,
            delivery_text(list(note.deliveries.all())),
        )

    @admin.display(description="lowers the due")
    def shown_due_part(self, note: CreditNote) -> SafeString:
        """Show part one; it is known once it is issued."""
        return money(note.due_part, note.currency)

    @admin.display(description="gives back")
    def shown_paid_part(self, note: CreditNote) -> SafeString:
        """Show part two."""
        return money(note.paid_part, note.currency)

    @admin.display(description="total")
    def shown_total(self, note: CreditNote) -> SafeString:
        """Show the total with tax."""
        return money(note.total, note.currency)

    def row_class(self, subject: Any) -> str:
        """Draw what waits in pencil."""
        return "pencil" if subject.status == CreditNoteStatus.TO_APPROVE else ""

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find credit notes by their number or their invoice's."""
        return search_credit_notes(rows, text)

    def list_context(
        self, request: HttpRequest, changes: FinanceChangeList
    ) -> dict[str, Any]:
        """Add the views, and the totals of what is filtered, by currency."""
        waiting = CreditNote.objects.filter(status=CreditNoteStatus.TO_APPROVE)
        to_approve = {"status": "TO_APPROVE"}
        return {
            "totals": _totals(changes.paginator.to_add_up),
            "noun": "credit note",
            "views": [
                view("All", {}, request.GET),
                view("To approve", to_approve, request.GET, counted=waiting),
                view("Issued", {"status": "ISSUED"}, request.GET),
                view("Void", {"status": "VOID"}, request.GET),
            ],
        }

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show the document instead of a form."""
        return _note_context(obj) | {
            "history": history_context(request, history_of_credit_note(obj), obj)
        }


def _note_context(note: CreditNote) -> dict[str, Any]:
    entry = note.balance_entries.first()
    return {
        "note": note,
        "status_badge": CREDIT_NOTE_STATUSES.badge(note.status),
        "reason_kind": CREDIT_REASONS.badge(note.reason_code).label,
        "settlement": CREDIT_SETTLEMENTS.badge(note.settlement).label,
        "credit": {
            "currency": note.currency,
            "lines": [
                {"line": line.invoice_line, "amount": line.amount}
                for line in note.lines.select_related("invoice_line").order_by(
                    "invoice_line__position"
                )
            ],
            "subtotal": note.subtotal,
            "total": note.total,
            "taxes": [
                {
                    "name": tax["name"],
                    "percent": Decimal(tax["percent"]),
                    "taxable": Decimal(tax["taxable"]),
                    "tax": Decimal(tax["tax"]),
                }
                for tax in note.taxes
            ],
        },
        "deliveries": delivery_rows(note.deliveries.order_by("pk")),
        "papers": list(note.revisions.defer("pdf").order_by("is_void")),
        "entry": entry,
        "uses": list(
            entry.uses.filter(undone_on=None).select_related("invoice").order_by("pk")
        )
        if entry
        else [],
    }


def _totals(notes: QuerySet[CreditNote]) -> list[dict[str, Any]]:
    """Return count, total and what was given back, by currency; issued ones only."""
    rows: Any = (
        notes.filter(status=CreditNoteStatus.ISSUED)
        .order_by()
        .values("currency")
        .annotate(count=Count("pk"), total=Sum("total"), second=Sum("paid_part"))
        .order_by("currency")
    )
    return [{**row, "second_label": "given back"} for row in rows]
