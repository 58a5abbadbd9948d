"""Imports of files: upload and check, preview, then apply all of it or nothing.

An import declares itself in an `ImportKind`: what a file holds, its columns, how its
deed is named, the template of its figures. The site knows no app: checking and
recording are the app's services, called in `keep`, `review` and `perform`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from config.adminsite.actions import Done, ListAction, ObjectAction, Review
from config.adminsite.model_admin import ReadOnlyAdmin

ERRORS_SHOWN: Final = 500


class ImportColumn(Protocol):
    """A column of a file, as people are told of it."""

    @property
    def name(self) -> str:
        """Its head."""

    @property
    def is_required(self) -> bool:
        """Whether the file must have it."""

    @property
    def meaning(self) -> str:
        """What stands in it."""

    @property
    def example(self) -> str:
        """A cell of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """What a file holds (`contract`), its deed (`import`), its columns and a sample.

    `counted` is the figure of the summary that counts what the file makes.
    """

    noun: str
    counted: str
    deed: str
    row: str
    columns: Sequence[ImportColumn]
    sample: str
    template: str

    @property
    def done(self) -> str:
        """What a file is when it is through: imported, recorded."""
        return f"{self.deed}ed"


class FileForm(forms.Form):
    """A CSV to check."""

    file = forms.FileField(
        label="CSV file",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        help_text="UTF-8 with commas; the columns are listed below. Nothing is written "
        "before you have seen the check.",
    )


class FileImportAdmin(ReadOnlyAdmin):
    """Uploaded files of one kind."""

    kind: ClassVar[ImportKind]
    change_form_template = "admin/file_import.html"
    list_display: tuple[str, ...] = (
        "file_name",
        "shown_state",
        "shown_count",
        "uploaded_at",
        "uploaded_by",
    )
    list_select_related: ClassVar[tuple[str, ...]] = ("uploaded_by",)
    list_filter = ("state",)
    ordering = ("-id",)
    sortable_by = ()
    column_classes: ClassVar[dict[str, str]] = {
        "file_name": "m1",
        "shown_state": "m2",
        "shown_count": "",
        "uploaded_at": "m5",
        "uploaded_by": "m4",
    }

    @property
    def list_note(self) -> str:  # type: ignore[override] # says the kind's own deed
        """Say how a file is taken."""
        return (
            f"A file is checked and previewed first, then {self.kind.done} as a whole."
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the file itself where it is."""
        return super().get_queryset(request).defer("content")

    @admin.display(description="state")
    def shown_state(self, upload: Any) -> SafeString:
        """Show where the file stands."""
        tones = {"REFUSED": "stop", "CHECKED": "pencil"}
        return format_html(
            '<span class="badge {}">{}</span>',
            tones.get(upload.state, "done"),
            capfirst(upload.get_state_display()),
        )

    @admin.display(description="holds")
    def shown_count(self, upload: Any) -> str:
        """Show how much the file makes."""
        count = upload.summary.get(self.kind.counted)
        if count is None:
            return self.get_empty_value_display()
        return f"{count:,} {self.kind.noun}{'' if count == 1 else 's'}"

    def row_class(self, subject: Any) -> str:
        """Draw what is not applied in pencil."""
        return "pencil" if subject.state in {"REFUSED", "CHECKED"} else ""

    def shown_summary(self, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the figures of a preview for its template."""
        return summary

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show the errors, or the figures of the preview."""
        return {
            "kind": self.kind,
            "shown_state": self.shown_state(obj),
            "file_errors": obj.errors[:ERRORS_SHOWN],
            "more_errors": max(len(obj.errors) - ERRORS_SHOWN, 0),
            "summary": self.shown_summary(obj.summary),
        }


class UploadFile(ListAction):
    """Upload a file and check it; its columns are listed, with a sample to download."""

    kind: ClassVar[ImportKind]
    slug = "upload"
    confirm_label = "Upload and check"
    tone = "default"
    form_class = FileForm
    form_heading = "Which file"
    template = "admin/upload.html"

    def keep(
        self,
        request: HttpRequest,
        content: bytes,
        file_name: str,
        answers: Mapping[str, Any],
    ) -> Any:
        """Check a file and keep it, with the app's one service."""
        raise NotImplementedError

    def answer(
        self, owner: "admin.ModelAdmin[Any]", request: HttpRequest, subject: Any
    ) -> HttpResponse:
        """Give the sample, if it is asked for."""
        if "sample" not in request.GET:
            return super().answer(owner, request, subject)
        if not self.is_permitted(request):
            raise PermissionDenied
        name = f"{self.kind.noun}s-sample.csv"
        return HttpResponse(
            self.kind.sample,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Say that nothing is written by uploading."""
        return Review(
            sentence="The file is checked completely. Nothing is "
            f"{self.kind.done} by uploading."
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Check the file and keep it."""
        file = answers["file"]
        upload = self.keep(request, file.read(), file.name, answers)
        url = change_url(upload)
        if upload.errors:
            return Done(
                message=f"{upload} can't be {self.kind.done}. Nothing was written; "
                "see below what to correct.",
                url=url,
                level=messages.WARNING,
            )
        return Done(
            message="The file is in order. See below what will happen when it is "
            f"{self.kind.done}.",
            url=url,
        )


class ApplyFile(ObjectAction):
    """Apply a checked file, once."""

    kind: ClassVar[ImportKind]
    tone = "default"

    def refusal(self, subject: Any) -> str:
        """Only a file that was found in order, once."""
        match subject.state:
            case "CHECKED":
                return ""
            case "REFUSED":
                return (
                    f"{subject} has errors. Correct them in the file and upload it "
                    "again."
                )
        return f"{subject} was {self.kind.done} already."

    def done_just_now(self, request: HttpRequest, subject: Any) -> Done | None:
        """Lead a second click to the file that the first one applied."""
        subject.refresh_from_db(fields=["state"])
        if subject.state in {"REFUSED", "CHECKED"}:
            return None
        return Done(message=f"{subject} is {self.kind.done}.", url=change_url(subject))


def change_url(upload: Model) -> str:
    """Return the page of an uploaded file."""
    meta = upload._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[upload.pk])
