"""How each legal entity invoices (G1, G7, G8, G14, G17)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing.admin.audited import AuditedAdmin
from billing.choices import INVOICING_MODES
from billing.display import badge
from billing.models import InvoicingSettings, LegalEntity


@admin.register(InvoicingSettings)
class InvoicingSettingsAdmin(AuditedAdmin):
    """One row for each legal entity; without one the defaults hold."""

    audit_code = "invoicing_settings"
    list_display = (
        "legal_entity",
        "shown_invoicing",
        "first_invoice",
        "bill_date_offset",
        "review_before_issue",
    )
    list_select_related = ("legal_entity",)
    list_note = "What holds for the nightly run and for activations."
    ordering = ("legal_entity_id",)
    column_classes = {"legal_entity": "m1", "shown_invoicing": "m2"}
    fieldsets = (
        (None, {"fields": ("legal_entity",)}),
        ("When invoices are generated", {"fields": (("invoicing", "first_invoice"),)}),
        ("The nightly run", {"fields": ("bill_date_offset", "review_before_issue")}),
        ("After issue", {"fields": ("address_fixed_once_sent",)}),
        ("Safety", {"fields": (("catch_up_limit", "jump_limit"),)}),
    )

    @admin.display(description="invoicing")
    def shown_invoicing(self, settings: InvoicingSettings) -> SafeString:
        """Show who generates invoices."""
        return badge(INVOICING_MODES.badge(settings.invoicing))

    def get_readonly_fields(
        self, request: HttpRequest, obj: InvoicingSettings | None = None
    ) -> tuple[str, ...]:
        """Settings stay with their legal entity."""
        return () if obj is None else ("legal_entity",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Add settings only where a legal entity has none."""
        return (
            super().has_add_permission(request)
            and LegalEntity.objects.filter(invoicing_settings__isnull=True).exists()
        )

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the legal entities without settings."""
        kwargs["queryset"] = LegalEntity.objects.filter(
            invoicing_settings__isnull=True
        ).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
