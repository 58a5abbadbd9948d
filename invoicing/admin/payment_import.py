"""Files of payments: upload and check, then record all of it or nothing (M4)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text
from config.adminsite.actions import Done, Review, list_action, object_action
from config.adminsite.actor import actor_of
from config.adminsite.file_import import (
    ApplyFile,
    FileImportAdmin,
    ImportKind,
    UploadFile,
    change_url,
)
from contracts.domain.csv_guide import sample_csv
from contracts.services.uploads import ImportNotDone, ImportRefused
from invoicing.admin.invoice import local_today
from invoicing.domain.payment_csv import PAYMENT_FILE
from invoicing.models import Payment, PaymentImport
from invoicing.services.payment_check import check_payments
from invoicing.services.payment_imports import (
    PaymentFileRecorded,
    record_payments,
    upload_payments,
)

PAYMENTS: Final = ImportKind(
    noun="payment",
    counted="payments",
    deed="record",
    row="payment",
    columns=PAYMENT_FILE,
    sample=sample_csv(PAYMENT_FILE),
    template="admin/invoicing/paymentimport/summary.html",
)


@admin.register(PaymentImport)
class PaymentImportAdmin(FileImportAdmin):
    """Uploaded files of payments."""

    kind = PAYMENTS

    def shown_summary(self, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        """Show dates as dates."""
        return _with_days(summary)


class UploadPayments(UploadFile):
    """Upload a file of payments and check it."""

    kind = PAYMENTS
    label = "Upload payments"
    permission = "invoicing.add_payment"
    refusals = (PaymentFileRecorded,)

    def keep(
        self,
        request: HttpRequest,
        content: bytes,
        file_name: str,
        answers: Mapping[str, Any],
    ) -> PaymentImport:
        """Check the payments against what is due."""
        return upload_payments(
            content=content,
            file_name=file_name,
            actor=actor_of(request),
            today=local_today(),
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
class RecordPaymentFile(ApplyFile):
    """Record a checked file."""

    model = PaymentImport
    kind = PAYMENTS
    slug = "record"
    label = "Record"
    confirm_label = "Record the payments"
    permission = "invoicing.add_payment"
    refusals = (ImportNotDone,)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what recording will do now."""
        checked = check_payments(bytes(subject.content), today=local_today())
        if checked.errors:
            return Review(refusal=str(ImportRefused(checked.errors)))
        summary = checked.as_dict()
        return Review(
            sentence=f"{count_text(len(checked.new), 'payment')} of "
            f"{count_text(summary['bill_groups'], 'bill group')}, all or none.",
            template="admin/file_figures.html",
            context={"summary": _with_days(summary)},
            fine_print=tuple(str(total) for total in summary["totals"]),
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
            url=change_url(subject),
            link="See the payments",
            link_url=reverse("admin:invoicing_payment_changelist"),
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
