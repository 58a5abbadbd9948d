"""Legal entities: who issues the invoices."""

from django.contrib import admin

from billing.admin.account import ADDRESS
from billing.admin.audited import AuditedAdmin
from billing.models import LegalEntity


@admin.register(LegalEntity)
class LegalEntityAdmin(AuditedAdmin):
    """The companies that issue invoices."""

    audit_code = "legal_entity"
    list_display = ("name", "city", "country", "time_zone")
    ordering = ("id",)
    column_classes = {"name": "m1", "city": "m4", "time_zone": "m5"}
    fieldsets = (
        (None, {"fields": (("name", "tax_id"), ("email", "time_zone"))}),
        ("Address", {"fields": ADDRESS}),
        (
            "Payment",
            {
                "fields": (("iban", "bic"), "payment_instructions"),
                "description": "Printed on new invoices.",
            },
        ),
    )
