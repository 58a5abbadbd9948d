"""Bill groups: list and form. Their status changes by actions only."""

from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing.admin.account import ADDRESS, ADDRESS_COLUMNS
from billing.admin.audited import AuditedAdmin
from billing.choices import (
    BILL_GROUP_AWAITING,
    BILL_GROUP_STATUSES,
    DELIVERY_METHODS,
    INVOICING_MODES,
)
from billing.display import NOTHING, badge
from billing.forms import BillGroupForm
from billing.models import Account, BillGroup, LegalEntity
from billing.queries import search_bill_groups
from customfields.admin.owner import OwnerAdmin
from customfields.domain.definition import FieldObject


@admin.register(BillGroup)
class BillGroupAdmin(OwnerAdmin, AuditedAdmin):
    """Who gets one invoice, where and how."""

    custom_fields_object = FieldObject.BILL_GROUP
    fields_in_sight = 3
    audit_code = "bill_group"
    form = BillGroupForm
    list_display = (
        "name",
        "shown_id",
        "account",
        "shown_status",
        "shown_invoicing",
        "currency",
        "shown_delivery",
    )
    list_select_related = ("account", "portal")
    list_filter = (
        "status",
        "invoicing",
        "delivery",
        "portal",
        "awaiting_manual_invoice",
    )
    list_note = "One invoice goes to one bill group."
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("name",)
    search_help_text = "BG id, account or PO number"
    column_classes = {
        "name": "m1",
        "shown_id": "w2 nowrap",
        "account": "m4",
        "shown_status": "m2",
        "shown_invoicing": "",
        "currency": "m3",
        "shown_delivery": "w1",
    }
    export_columns = (
        ("id", attrgetter("public_id")),
        ("account_number", lambda group: group.account.number),
        ("account_name", lambda group: group.account.name),
        ("name", attrgetter("name")),
        ("status", attrgetter("status")),
        ("currency", attrgetter("currency")),
        ("invoicing", attrgetter("invoicing")),
        ("net_terms", lambda group: str(group.net_terms)),
        ("po_number", attrgetter("po_number")),
        ("delivery", attrgetter("delivery")),
        ("bill_to", attrgetter("bill_to")),
        ("email", attrgetter("email")),
        *((name, attrgetter(name)) for name in ADDRESS_COLUMNS),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("account", "legal_entity"),
                    ("name", "currency"),
                    ("shown_id", "shown_status"),
                )
            },
        ),
        (
            "Invoicing",
            {
                "fields": (
                    ("invoicing", "net_terms"),
                    ("po_number", "delivery"),
                    "portal",
                )
            },
        ),
        (
            "Bill to",
            {
                "fields": (("bill_to", "email"), *ADDRESS),
                "description": "Without an address, the account's is used. "
                "A change affects new invoices only.",
            },
        ),
    )

    @admin.display(description="id", ordering="id")
    def shown_id(self, group: BillGroup) -> str:
        """Show the public id, which comes with saving."""
        return NOTHING if group._state.adding else group.public_id

    @admin.display(description="status")
    def shown_status(self, group: BillGroup) -> SafeString:
        """Show whether anything is generated for it."""
        if group.status == "ACTIVE" and group.awaiting_manual_invoice:
            return badge(BILL_GROUP_AWAITING)
        return badge(BILL_GROUP_STATUSES.badge(group.status))

    @admin.display(description="invoicing")
    def shown_invoicing(self, group: BillGroup) -> SafeString:
        """Show who generates its invoices."""
        return badge(INVOICING_MODES.badge(group.invoicing))

    @admin.display(description="delivery")
    def shown_delivery(self, group: BillGroup) -> str:
        """Show how its invoices are sent."""
        label = DELIVERY_METHODS.badge(group.delivery).label
        return f"{label}: {group.portal}" if group.is_by_portal else label

    def get_readonly_fields(
        self, request: HttpRequest, obj: BillGroup | None = None
    ) -> tuple[str, ...]:
        """Whose it is, and its currency, stay as they were."""
        shown = ("shown_id", "shown_status")
        if obj is None:
            return shown
        return (*shown, "account", "legal_entity", "currency")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start with the account one comes from and the first legal entity."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        first = LegalEntity.objects.order_by("pk").first()
        given = str(initial.get("account", ""))
        account = Account.objects.filter(pk=given).first() if given.isdigit() else None
        return initial | {
            "legal_entity": first.pk if first else None,
            "account": account.pk if account else None,
        }

    def facts(self, subject: Any) -> list[str]:
        """Return id and account."""
        return [subject.public_id, str(subject.account), subject.currency]

    def audit_subject(self, subject: Any) -> str:
        """Name the group by its public id."""
        return str(subject.public_id)

    def audit_owners(self, subject: Any) -> dict[str, int]:
        """File the change under group and account."""
        return {"account_id": subject.account_id, "bill_group_id": subject.pk}

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find groups by id, PO number or account, with indexes only."""
        return search_bill_groups(rows, text)
