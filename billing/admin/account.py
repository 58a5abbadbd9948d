"""Accounts: list and form. The Account Overview is a page of invoicing's."""

from operator import attrgetter
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from billing.admin.audited import AuditedAdmin
from billing.display import country_name
from billing.models import Account
from billing.queries import search_accounts
from customfields.admin.owner import OwnerAdmin
from customfields.domain.definition import FieldObject
from invoicing.services.languages import languages

ADDRESS = (
    "address_line1",
    "address_line2",
    ("postal_code", "city"),
    ("region", "country"),
)

ADDRESS_COLUMNS = (
    "address_line1",
    "address_line2",
    "city",
    "region",
    "postal_code",
    "country",
)


@admin.register(Account)
class AccountAdmin(OwnerAdmin, AuditedAdmin):
    """Customers. Rows lead to the Account Overview."""

    custom_fields_object = FieldObject.ACCOUNT
    audit_code = "account"
    list_display = ("name", "number", "place", "email")
    list_note = "Customers, by name. Open one to see what was and will be invoiced."
    ordering = ("name", "id")
    sortable_by = ("name", "number")
    search_fields = ("number",)
    search_help_text = "Name or number"
    column_classes = {"name": "m1", "number": "m5 id-col", "place": "m4", "email": "w1"}
    export_columns = (
        ("number", attrgetter("number")),
        ("name", attrgetter("name")),
        ("email", attrgetter("email")),
        ("tax_id", attrgetter("tax_id")),
        ("language", attrgetter("language")),
        *((name, attrgetter(name)) for name in ADDRESS_COLUMNS),
    )
    fieldsets = (
        (None, {"fields": (("name", "number"), ("email", "tax_id"), "language")}),
        (
            "Address",
            {
                "fields": ADDRESS,
                "description": "Serves the bill groups that have none of their own. "
                "A change affects new invoices only.",
            },
        ),
    )

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the languages that papers can be written in."""
        if db_field.name == "language":
            return forms.ChoiceField(
                choices=tuple(languages().items()),
                help_text="Of invoices and the mails that bring them.",
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="place")
    def place(self, account: Account) -> str:
        """Show where the account is."""
        parts = (account.city, country_name(account.country))
        return ", ".join(part for part in parts if part)

    def row_url(self, subject: Any) -> str:
        """Lead to the Account Overview."""
        return reverse("admin:billing_account_overview", args=[subject.pk])

    def facts(self, subject: Any) -> list[str]:
        """Return number and place."""
        return [subject.number, self.place(subject)]

    def audit_owners(self, subject: Any) -> dict[str, int]:
        """File the change under the account."""
        return {"account_id": subject.pk}

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find accounts by words of name and number, with the index made for it."""
        return search_accounts(rows, text)
