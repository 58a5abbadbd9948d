"""Usage files: upload and check, then record all of it or nothing (P9)."""

from collections.abc import Mapping
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
from contracts.domain.usage_csv import USAGE_FILE
from contracts.models import UsageImport
from contracts.services.uploads import ImportNotDone, ImportRefused
from contracts.services.usage_import import (
    check_usage_file,
    record_usage_file,
    upload_usage,
)

USAGE: Final = ImportKind(
    noun="record",
    counted="records",
    deed="record",
    row="quantity that was used on a day",
    columns=USAGE_FILE,
    sample=sample_csv(USAGE_FILE),
    template="admin/contracts/usageimport/summary.html",
)


@admin.register(UsageImport)
class UsageImportAdmin(FileImportAdmin):
    """Uploaded usage files."""

    kind = USAGE


@list_action
class UploadUsage(UploadFile):
    """Upload a usage file and check it."""

    model = UsageImport
    kind = USAGE
    label = "Upload usage"
    permission = "contracts.add_usagerecord"

    def keep(
        self,
        request: HttpRequest,
        content: bytes,
        file_name: str,
        answers: Mapping[str, Any],
    ) -> UsageImport:
        """Check the usage against the contracts."""
        return upload_usage(
            content=content, file_name=file_name, actor=actor_of(request)
        )


@object_action
class RecordUsageFile(ApplyFile):
    """Record a checked file."""

    model = UsageImport
    kind = USAGE
    slug = "record"
    label = "Record"
    confirm_label = "Record the usage"
    permission = "contracts.add_usagerecord"
    refusals = (ImportNotDone,)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what recording will do now."""
        checked = check_usage_file(bytes(subject.content))
        if checked.errors:
            return Review(refusal=str(ImportRefused(checked.errors)))
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
            template="admin/file_figures.html",
            context={"summary": summary},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Record it."""
        recorded = record_usage_file(upload=subject, actor=actor_of(request))
        return Done(
            message=f"{count_text(len(recorded.new), 'record')} written.",
            url=change_url(subject),
            link="See the usage",
            link_url=reverse("admin:contracts_usagerecord_changelist"),
        )
