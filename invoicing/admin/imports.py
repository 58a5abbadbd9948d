"""Upload and import contract files: check, preview, then all of it or nothing (I1)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.models import LegalEntity
from config.adminsite.actions import Done, Review, list_action, object_action
from config.adminsite.actor import actor_of
from config.adminsite.file_import import ApplyFile, UploadFile, change_url
from config.clock import today_in
from contracts.admin.contract_import import CONTRACTS, shown_summary
from contracts.forms import ContractFileForm
from contracts.models import ContractImport
from contracts.services.imports import ImportDateInFuture
from contracts.services.uploads import ImportNotDone, ImportRefused
from invoicing.domain.document import NotBillable
from invoicing.forms import ImportDateForm
from invoicing.services.import_preview import preview_import
from invoicing.services.lifecycle import import_contracts, upload_contracts
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly


@list_action
class UploadContracts(UploadFile):
    """Upload a contract file and check it."""

    model = ContractImport
    kind = CONTRACTS
    label = "Upload contracts"
    permission = "contracts.add_contractimport"
    form_class = ContractFileForm

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Start with the first legal entity."""
        return {"initial": {"legal_entity": LegalEntity.objects.order_by("pk").first()}}

    def keep(
        self,
        request: HttpRequest,
        content: bytes,
        file_name: str,
        answers: Mapping[str, Any],
    ) -> ContractImport:
        """Check the contracts against what is stored."""
        entity = answers["legal_entity"]
        return upload_contracts(
            content=content,
            file_name=file_name,
            legal_entity=entity,
            actor=actor_of(request),
            today=today_in(entity.time_zone),
        )


@object_action
class ImportContracts(ApplyFile):
    """Import a checked file."""

    model = ContractImport
    kind = CONTRACTS
    slug = "import"
    label = "Import"
    confirm_label = "Import the contracts"
    permission = "contracts.apply_contractimport"
    form_class = ImportDateForm
    form_heading = "As of when"
    recalculates = True
    refusals = (
        ImportNotDone,
        PeriodClosed,
        IssueDateTooEarly,
        NotBillable,
    )

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
            template="admin/file_figures.html",
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
            url=change_url(subject),
            link="See the contracts",
            link_url=reverse("admin:contracts_contract_changelist"),
        )
