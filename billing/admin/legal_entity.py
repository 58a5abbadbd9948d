"""Legal entities: who issues the invoices."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from billing.admin.account import ADDRESS
from billing.admin.audited import AuditedAdmin
from billing.forms import LegalEntityForm
from billing.models import LegalEntity
from billing.services.logos import keep_logo


@admin.register(LegalEntity)
class LegalEntityAdmin(AuditedAdmin):
    """The companies that issue invoices."""

    form = LegalEntityForm
    audit_code = "legal_entity"
    list_display = ("name", "city", "country", "time_zone")
    ordering = ("id",)
    column_classes = {"name": "m1", "city": "m4", "time_zone": "m5"}
    fieldsets = (
        (None, {"fields": (("name", "tax_id"), ("email", "time_zone"), "logo")}),
        ("Address", {"fields": ADDRESS}),
        (
            "Payment",
            {
                "fields": (("iban", "bic"), "payment_instructions"),
                "description": "Printed on new invoices.",
            },
        ),
    )

    def save_model(
        self,
        request: HttpRequest,
        obj: LegalEntity,
        form: "ModelForm[Any]",
        change: bool,  # noqa: FBT001 Django's signature
    ) -> None:
        """Keep the logo that the form drew, then save the company that prints it."""
        if obj.logo is not None:
            keep_logo(obj.logo)
        super().save_model(request, obj, form, change)
