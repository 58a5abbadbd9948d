"""Contract imports: what was uploaded, what the check found, what an import will do.

Uploading and importing are actions of `invoicing.admin.imports`: importing invoices.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.contrib import admin

from config.adminsite.file_import import FileImportAdmin, ImportKind
from contracts.domain.contract_guide import CONTRACT_FILE
from contracts.domain.csv_guide import sample_csv
from contracts.models import ContractImport

CONTRACTS: Final = ImportKind(
    noun="contract",
    counted="contracts",
    deed="import",
    row="contract line; rows of one contract share its number",
    columns=CONTRACT_FILE,
    sample=sample_csv(CONTRACT_FILE),
    template="admin/contracts/contractimport/summary.html",
)


@admin.register(ContractImport)
class ContractImportAdmin(FileImportAdmin):
    """Uploaded contract files; each is imported once, as a whole (I1)."""

    kind = CONTRACTS
    list_display = (*FileImportAdmin.list_display, "legal_entity", "import_date")
    list_select_related = ("uploaded_by", "legal_entity")
    column_classes = FileImportAdmin.column_classes | {
        "legal_entity": "w2",
        "import_date": "w1",
    }

    def shown_summary(self, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        """Show dates as dates."""
        return shown_summary(summary)


def shown_summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a preview for `contractimport/summary.html`."""
    first = summary.get("first_invoices", {})
    documents = first.get("documents", [])
    through = summary.get("last_bill_date")
    return {
        **summary,
        "last_bill_date": through and date.fromisoformat(through),
        "past_invoices": _with_days(summary.get("past_invoices", [])),
        "first_documents": _with_days(documents),
        "more_first": first.get("invoices", 0)
        + first.get("drafts", 0)
        - len(documents),
    }


def _with_days(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "bill_date": date.fromisoformat(row["bill_date"])} for row in rows]
