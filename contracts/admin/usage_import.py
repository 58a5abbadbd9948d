"""Usage files: upload and check, then record all of it or nothing (P9)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.display import badge, count_text
from config.adminsite.actions import (
    Done,
    ListAction,
    ObjectAction,
    Review,
    list_action,
    object_action,
)
from config.adminsite.actor import actor_of
from config.adminsite.model_admin import ReadOnlyAdmin
from contracts.forms import UsageFileForm
from contracts.models import UsageImport
from contracts.services.usage_import import (
    UsageFileRefused,
    UsageImportNotDone,
    check_usage_file,
    record_usage_file,
    upload_usage,
)

STATES = {
    UsageImport.State.REFUSED: Badge("Has errors", "stop"),
    UsageImport.State.CHECKED: Badge("Ready to record", "pencil"),
    UsageImport.State.RECORDED: Badge("Recorded", "done"),
}
ERRORS_SHOWN = 500


@admin.register(UsageImport)
class UsageImportAdmin(ReadOnlyAdmin):
    """Uploaded usage files."""

    change_form_template = "admin/contracts/usageimport/change_form.html"
    list_display = (
        "file_name",
        "shown_state",
        "shown_records",
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
        "shown_records": "num m3",
        "uploaded_at": "m5",
        "uploaded_by": "m4",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the file itself where it is."""
        return super().get_queryset(request).defer("content")

    @admin.display(description="state")
    def shown_state(self, upload: UsageImport) -> SafeString:
        """Show where the file stands."""
        return badge(STATES[UsageImport.State(upload.state)])

    @admin.display(description="records")
    def shown_records(self, upload: UsageImport) -> str:
        """Show how many records it makes."""
        return f"{upload.summary.get('records', 0):,}"

    def row_class(self, subject: Any) -> str:
        """Draw what is not recorded in pencil."""
        return "" if subject.state == UsageImport.State.RECORDED else "pencil"

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
            "status_badge": STATES[UsageImport.State(obj.state)],
            "file_errors": obj.errors[:ERRORS_SHOWN],
            "more_errors": max(len(obj.errors) - ERRORS_SHOWN, 0),
            "summary": obj.summary,
        }
        return super().render_change_form(request, context, add, change, form_url, obj)


@list_action
class UploadUsage(ListAction):
    """Upload a usage file and check it."""

    model = UsageImport
    slug = "upload"
    label = "Upload usage"
    confirm_label = "Upload and check"
    permission = "contracts.add_usagerecord"
    tone = "default"
    form_class = UsageFileForm
    form_heading = "Which file"

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
        upload = upload_usage(
            content=file.read(), file_name=file.name, actor=actor_of(request)
        )
        url = reverse("admin:contracts_usageimport_change", args=[upload.pk])
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


@object_action
class RecordUsageFile(ObjectAction):
    """Record a checked file."""

    model = UsageImport
    slug = "record"
    label = "Record"
    confirm_label = "Record the usage"
    permission = "contracts.add_usagerecord"
    tone = "default"
    refusals = (UsageImportNotDone,)

    def refusal(self, subject: Any) -> str:
        """Only a file that was found in order, once."""
        match subject.state:
            case UsageImport.State.CHECKED:
                return ""
            case UsageImport.State.RECORDED:
                return f"{subject} was recorded already."
        return f"{subject} has errors. Correct them in the file and upload it again."

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what recording will do now."""
        checked = check_usage_file(bytes(subject.content))
        if checked.errors:
            return Review(refusal=str(UsageFileRefused(checked.errors)))
        summary = checked.as_dict()
        repeated = (
            f" {count_text(checked.repeated, 'row')} recorded before changes nothing."
            if checked.repeated
            else ""
        )
        return Review(
            sentence=f"{count_text(len(checked.new), 'record')} of "
            f"{count_text(summary['contracts'], 'contract')}. They never change, and "
            f"are rated and billed with their periods.{repeated}",
            template="admin/contracts/usageimport/record.html",
            context={"summary": summary},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Record it."""
        recorded = record_usage_file(upload=subject, actor=actor_of(request))
        return Done(
            message=f"{count_text(len(recorded.new), 'record')} written.",
            url=reverse("admin:contracts_usageimport_change", args=[subject.pk]),
            link="See the usage",
            link_url=reverse("admin:contracts_usagerecord_changelist"),
        )
