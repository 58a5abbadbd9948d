"""Contract imports: what was uploaded, what the check found, what an import will do.

Uploading and importing are actions of `invoicing.admin.imports`: importing invoices.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from billing.choices import Badge
from billing.display import badge
from config.adminsite.model_admin import ReadOnlyAdmin
from contracts.models import ContractImport

STATES = {
    ContractImport.State.REFUSED: Badge("Has errors", "stop"),
    ContractImport.State.CHECKED: Badge("Ready to import", "pencil"),
    ContractImport.State.IMPORTED: Badge("Imported", "done"),
}
ERRORS_SHOWN = 500


@admin.register(ContractImport)
class ContractImportAdmin(ReadOnlyAdmin):
    """Uploaded contract files; each is imported once, as a whole (I1)."""

    change_form_template = "admin/contracts/contractimport/change_form.html"
    list_display = (
        "file_name",
        "shown_state",
        "legal_entity",
        "uploaded_at",
        "uploaded_by",
        "import_date",
    )
    list_select_related = ("legal_entity", "uploaded_by")
    list_filter = ("state",)
    list_note = "A file is checked and previewed first, then imported as a whole."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "file_name": "m1",
        "shown_state": "m2",
        "legal_entity": "w2",
        "uploaded_at": "m5",
        "uploaded_by": "m4",
        "import_date": "w1",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the file itself, and its errors, where they are."""
        return super().get_queryset(request).defer("content")

    @admin.display(description="state")
    def shown_state(self, upload: ContractImport) -> SafeString:
        """Show where the file stands."""
        return badge(STATES[ContractImport.State(upload.state)])

    def row_class(self, subject: Any) -> str:
        """Draw what is not imported in pencil."""
        return "" if subject.state == ContractImport.State.IMPORTED else "pencil"

    def render_change_form(  # noqa: PLR0917 Django's signature
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 Django's signature
        change: bool = False,  # noqa: FBT001, FBT002 Django's signature
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show the errors, or the figures of the preview."""
        context |= {
            "status_badge": STATES[ContractImport.State(obj.state)],
            "file_errors": obj.errors[:ERRORS_SHOWN],
            "more_errors": max(len(obj.errors) - ERRORS_SHOWN, 0),
            "summary": shown_summary(obj.summary),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)


def shown_summary(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a preview for `contractimport/summary.html`."""
    first = summary.get("first_invoices", {})
    documents = first.get("documents", [])
    return {
        **summary,
        "past_invoices": _with_days(summary.get("past_invoices", [])),
        "first_documents": _with_days(documents),
        "more_first": first.get("invoices", 0)
        + first.get("drafts", 0)
        - len(documents),
    }


def _with_days(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "bill_date": date.fromisoformat(row["bill_date"])} for row in rows]
