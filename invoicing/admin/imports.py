"""Upload and import contract files: check, preview, then all of it or nothing (I1)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.models import LegalEntity
from config.adminsite.actions import (
    Done,
    ListAction,
    ObjectAction,
    Review,
    list_action,
    object_action,
)
from config.adminsite.actor import actor_of
from config.clock import today_in
from contracts.admin.contract_import import shown_summary
from contracts.forms import ContractFileForm
from contracts.models import ContractImport
from contracts.services.imports import (
    ImportDateInFuture,
    ImportNotDone,
    ImportRefused,
)
from invoicing.domain.document import TaxPercentMissing
from invoicing.forms import ImportDateForm
from invoicing.services.import_preview import preview_import
from invoicing.services.lifecycle import import_contracts, upload_contracts
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly


@list_action
class UploadContracts(ListAction):
    """Upload a contract file and check it."""

    model = ContractImport
    slug = "upload"
    label = "Upload contracts"
    confirm_label = "Upload and check"
    permission = "contracts.add_contractimport"
    tone = "default"
    form_class = ContractFileForm
    form_heading = "Which file"

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Start with the first legal entity."""
        return {"initial": {"legal_entity": LegalEntity.objects.order_by("pk").first()}}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Say that nothing is imported by uploading."""
        return Review(
            sentence="The file is checked completely. Nothing is imported by uploading."
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Check the file and keep it."""
        entity, file = answers["legal_entity"], answers["file"]
        upload = upload_contracts(
            content=file.read(),
            file_name=file.name,
            legal_entity=entity,
            actor=actor_of(request),
            today=today_in(entity.time_zone),
        )
        url = reverse("admin:contracts_contractimport_change", args=[upload.pk])
        if upload.errors:
            rows = len({error["line"] for error in upload.errors})
            return Done(
                message=f"{count_text(rows, 'row')} of the file can't be imported. "
                "Nothing was written.",
                url=url,
                level=30,
            )
        return Done(
            message="The file is in order. See below what importing it will do.",
            url=url,
        )


@object_action
class ImportContracts(ObjectAction):
    """Import a checked file."""

    model = ContractImport
    slug = "import"
    label = "Import"
    confirm_label = "Import the contracts"
    permission = "contracts.apply_contractimport"
    tone = "default"
    form_class = ImportDateForm
    form_heading = "As of when"
    refusals = (
        ImportNotDone,
        PeriodClosed,
        IssueDateTooEarly,
        TaxPercentMissing,
    )

    def refusal(self, subject: Any) -> str:
        """Only a file that was found in order, once."""
        match subject.state:
            case ContractImport.State.CHECKED:
                return ""
            case ContractImport.State.IMPORTED:
                day = day_text(subject.import_date)
                return f"{subject} was imported already, as of {day}."
        return f"{subject} has errors. Correct them in the file and upload it again."

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Import as of today, unless said otherwise."""
        return {"initial": {"import_date": today_in(subject.legal_entity.time_zone)}}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show what importing will do as of the date."""
        today = today_in(subject.legal_entity.time_zone)
        import_date = answers.get("import_date") or today
        if import_date > today:
            return Review(refusal=str(ImportDateInFuture(import_date, today)))
        preview = preview_import(upload=subject, import_date=import_date)
        if preview.checked.errors:
            return Review(refusal=str(ImportRefused(preview.checked.errors)))
        if preview.refusal:
            return Review(refusal=preview.refusal)
        summary = preview.as_dict()
        first = summary["first_invoices"]
        made = ", ".join(
            f"{money_text(Decimal(t['total']), t['currency'])} {t['currency']}"
            for t in first["totals"]
        )
        return Review(
            sentence=f"As of {day_text(import_date)}: "
            f"{count_text(summary['contracts'], 'contract')} activated, "
            f"{count_text(first['invoices'], 'invoice')} made at once"
            f"{f' ({made})' if made else ''}, "
            f"{count_text(summary['charges_past'], 'charge')} taken as billed "
            "elsewhere.",
            template="admin/contracts/contractimport/import.html",
            context={"summary": shown_summary(summary)},
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Import it."""
        imported = import_contracts(
            upload=subject,
            actor=actor_of(request),
            import_date=answers["import_date"],
            today=today_in(subject.legal_entity.time_zone),
        )
        return Done(
            message=f"{count_text(len(imported.contracts), 'contract')} imported, "
            f"{count_text(len(imported.invoices), 'invoice')} made.",
            url=reverse("admin:contracts_contractimport_change", args=[subject.pk]),
            link="See the contracts",
            link_url=reverse("admin:contracts_contract_changelist"),
        )
