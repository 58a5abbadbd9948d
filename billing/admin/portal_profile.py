"""Settings > Portals: where customers want their invoices uploaded, and how (F3)."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.admin.audited import AuditedAdmin
from billing.display import NOTHING, count_text
from billing.domain.portal_files import PLACEHOLDERS, SOURCES
from billing.models import PortalProfile
from billing.portal_forms import PortalProfileForm, custom_sources
from billing.queries import demands_of


@admin.register(PortalProfile)
class PortalProfileAdmin(AuditedAdmin):
    """Portals such as Ariba and Coupa; bill groups name theirs."""

    form = PortalProfileForm
    audit_code = "portal_profile"
    change_form_template = "admin/billing/portalprofile/change_form.html"
    list_display = ("name", "shown_address", "shown_demands", "shown_groups")
    list_note = "What each portal asks for, and what its bundle is like."
    ordering = ("name", "id")
    sortable_by = ()
    column_classes = {
        "name": "m1",
        "shown_address": "m4 ell",
        "shown_demands": "m5",
        "shown_groups": "num m3",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the bill groups of each."""
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(groups=Count("bill_groups"))
        return counted

    @admin.display(description="address")
    def shown_address(self, profile: PortalProfile) -> SafeString | str:
        """Lead to the portal."""
        return portal_link(profile) if profile.address else NOTHING

    @admin.display(description="asks for")
    def shown_demands(self, profile: PortalProfile) -> str:
        """Say what it asks for, custom fields by their number."""
        asked = {
            "PO number": profile.po_number_required,
            "customer's tax id": profile.customer_tax_id_required,
            "seller's tax id": profile.seller_tax_id_required,
        }
        said = [what for what, is_asked in asked.items() if is_asked]
        if count := len(profile.required_fields):
            said.append(count_text(count, "custom field"))
        return ", ".join(said) or "nothing"

    @admin.display(description="bill groups")
    def shown_groups(self, profile: Any) -> str:
        """Count the bill groups that are delivered there."""
        return f"{profile.groups:,}"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for custom fields where there are some."""
        custom = custom_sources()
        demands: list[Any] = [
            ("po_number_required", "customer_tax_id_required", "seller_tax_id_required")
        ]
        if custom or (obj is not None and obj.required_fields):
            demands.append("required_fields")
        return (
            (None, {"fields": (("name", "address"),)}),
            (
                "What it asks for",
                {
                    "fields": demands,
                    "description": "What is missing is shown on the bill group and in "
                    "the worklist, before anything is uploaded.",
                },
            ),
            (
                "Its bundle",
                {
                    "fields": ("file_pattern", "columns"),
                    "description": "A ZIP with the PDFs and index.csv.",
                },
            ),
        )

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """List below the form what can stand in file names and columns."""
        placeholders = [(f"{{{name}}}", text) for name, text in PLACEHOLDERS.items()]
        sources = [*SOURCES.items(), *custom_sources().items()]
        return {
            "legends": (
                ("placeholders", "Placeholders of file names", placeholders),
                ("sources", "Sources of columns", sources),
            )
        }

    def facts(self, subject: PortalProfile) -> list[str]:
        """Say who is delivered there, and what it asks for by name."""
        groups = subject.bill_groups.count()
        fields = demands_of([subject])[subject.pk].fields
        named = [f"asks for {field.label}" for field in fields]
        return [f"{count_text(groups, 'bill group')} delivered there", *named]


def portal_link(profile: PortalProfile) -> SafeString:
    """Return a link to a portal; only a sound web address was stored."""
    return format_html(
        '<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>',
        profile.address,
        profile.address.partition("://")[2].partition("/")[0],
    )
