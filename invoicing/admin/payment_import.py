"""Files of payments: upload and check, then record all of it or nothing (M4)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.display import badge, count_text, money_text
from config.adminsite.actions import (
    Done,
    Figure,
    ListAction,
    ObjectAction,
    Review,
    list_action,
    object_action,
)
from config.adminsite.actor import actor_of
from config.adminsite.model_admin import ReadOnlyAdmin
from invoicing.admin.invoice import local_today
from invoicing.models import Payment, PaymentImport
from invoicing.payment_forms import PaymentFileForm
from invoicing.services.payment_check import check_payments
from invoicing.services.payment_imports import (
    PaymentFileRecorded,
    PaymentFileRefused,
    PaymentsNotRecorded,
    record_payments,
    upload_payments,
)

STATES = {
    PaymentImport.State.REFUSED: Badge("Has errors", "stop"),
    PaymentImport.State.CHECKED: Badge("Ready to record", "pencil"),
    PaymentImport.State.RECORDED: Badge("Recorded", "done"),
}
ERRORS_SHOWN = 500


@admin.register(PaymentImport)
class PaymentImportAdmin(ReadOnlyAdmin):
    """Uploaded files of payments."""

    change_form_template = "admin/invoicing/paymentimport/change_form.html"
    list_display = (
        "file_name",
        "shown_state",
        "shown_payments",
        "uploaded_at",
        "uploaded_by",
    )
    list_select_related = ("uploaded_by",)
    list_filter = ("state",)
    list_note = "A file is checked and previewed first, then recorded as a whole."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "file_name": "m1",
        "shown_state": "m2",
        "shown_payments": "num m3",
        "uploaded_at": "m5",
        "uploaded_by": "m4",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the file itself where it is."""
        return super().get_queryset(request).defer("content")

    @admin.display(description="state")
    def shown_state(self, upload: PaymentImport) -> SafeString:
        """Show where the file stands."""
        return badge(STATES[PaymentImport.State(upload.state)])

    @admin.display(description="payments")
    def shown_payments(self, upload: PaymentImport) -> str:
        """Show how many payments it records."""
        return f"{upload.summary.get('payments', 0):,}"

    def row_class(self, subject: Any) -> str:
        """Draw what is not recorded in pencil."""
        return "" if subject.state == PaymentImport.State.RECORDED else "pencil"

    def render_change_form(  # noqa: PLR0917 Django's signature
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 Django's signature
        change: bool = False,  # noqa: FBT001, FBT002 Django's signature
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show the errors, or what is recorded."""
        context |= {
            "status_badge": STATES[PaymentImport.State(obj.state)],
            "file_errors": obj.errors[:ERRORS_SHOWN],
            "more_errors": max(len(obj.errors) - ERRORS_SHOWN, 0),
            "summary": _with_days(obj.summary),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)


class UploadPayments(ListAction):
    """Upload a file of payments and check it."""

    slug = "upload"
    label = "Upload payments"
    confirm_label = "Upload and check"
    permission = "invoicing.add_payment"
    tone = "default"
    form_class = PaymentFileForm
    form_heading = "Which file"
    refusals = (PaymentFileRecorded,)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Say that nothing is recorded by uploading."""
        return Review(
            sentence="The file is checked completely. Nothing is recorded by uploading."
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Check the file and keep it."""
        file = answers["file"]
        upload = upload_payments(
            content=file.read(),
            file_name=file.name,
            actor=actor_of(request),
            today=local_today(),
        )
        url = reverse("admin:invoicing_paymentimport_change", args=[upload.pk])
        if upload.errors:
            rows = len({error["line"] for error in upload.errors})
            return Done(
                message=f"{count_text(rows, 'row')} of the file can't be recorded. "
                "Nothing was written.",
                url=url,
                level=30,
            )
        return Done(
            message="The file is in order. See below what recording it will do.",
            url=url,
        )


@list_action
class UploadPaymentFile(UploadPayments):
    """Offered above the files."""

    model = PaymentImport


@list_action
class UploadPaymentsHere(UploadPayments):
    """Offered above the payments."""

    model = Payment


@object_action
class RecordPaymentFile(ObjectAction):
    """Record a checked file."""

    model = PaymentImport
    slug = "record"
    label = "Record"
    confirm_label = "Record the payments"
    permission = "invoicing.add_payment"
    tone = "default"
    refusals = (PaymentsNotRecorded,)

    def refusal(self, subject: Any) -> str:
        """Only a file that was found in order, once."""
        match subject.state:
            case PaymentImport.State.CHECKED:
                return ""
            case PaymentImport.State.RECORDED:
                return str(PaymentFileRecorded(subject))
        return f"{subject} has errors. Correct them in the file and upload it again."

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what recording will do now."""
        checked = check_payments(bytes(subject.content), today=local_today())
        if checked.errors:
            return Review(refusal=str(PaymentFileRefused(checked.errors)))
        summary = checked.as_dict()
        return Review(
            sentence=f"{count_text(len(checked.new), 'payment')} of "
            f"{count_text(summary['bill_groups'], 'bill group')}, all or none.",
            figures=tuple(
                Figure(
                    label=f"Payments in {total['currency']}",
                    value=_text(total["amount"], total["currency"]),
                    note=f"{_text(total['paid'], total['currency'])} pays invoices, "
                    f"{_text(total['left'], total['currency'])} to the balance",
                )
                for total in summary["totals"]
            ),
            template="admin/invoicing/paymentimport/record.html",
            context={"summary": _with_days(summary)},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Record it."""
        recorded = record_payments(
            upload=subject, actor=actor_of(request), today=local_today()
        )
        return Done(
            message=f"{count_text(len(recorded.new), 'payment')} recorded.",
            url=reverse("admin:invoicing_paymentimport_change", args=[subject.pk]),
            link="See the payments",
            link_url=reverse("admin:invoicing_payment_changelist"),
        )

    def done_just_now(self, request: HttpRequest, subject: Any) -> Done | None:
        """Lead a second click to the file that the first one recorded."""
        upload = PaymentImport.objects.get(pk=subject.pk)
        if upload.state != PaymentImport.State.RECORDED:
            return None
        return Done(
            message=f"{upload} is recorded.",
            url=reverse("admin:invoicing_paymentimport_change", args=[upload.pk]),
        )


def _with_days(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures with dates as dates, for the templates."""
    rows = summary.get("rows", [])
    return {
        **summary,
        "rows": [
            {**row, "received_on": date.fromisoformat(row["received_on"])}
            for row in rows
        ],
    }


def _text(amount: str, currency: str) -> str:
    return f"{money_text(Decimal(amount), currency)} {currency}"
