"""Products: what contracts sell."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from billing.admin.audited import AuditedAdmin
from contracts.models import Product


@admin.register(Product)
class ProductAdmin(AuditedAdmin):
    """Products. One that contracts use can't be deleted, only taken off sale."""

    audit_code = "product"
    list_display = ("name", "description", "is_active")
    list_filter = ("is_active",)
    list_note = "What contracts sell, under the name that invoices print."
    ordering = ("name",)
    search_fields = ("name__istartswith",)
    column_classes = {"name": "m1", "description": "m4 ell", "is_active": "m5"}
    fieldsets = ((None, {"fields": ("name", "description", "is_active")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A product that nothing names may go."""
        return request.user.has_perm("contracts.delete_product")
