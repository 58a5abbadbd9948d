"""Contracts: a draft is a form with its lines; one in force shows its plan."""

from datetime import date
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.admin.audited import AuditedAdmin
from billing.choices import Badge
from billing.display import NOTHING, badge, day_text
from billing.models import BillGroup
from billing.services import audit
from config.adminsite.actor import actor_of
from config.adminsite.model_admin import FinanceStackedInline
from contracts.admin.amendments import amended_rates
from contracts.admin.plan import plan_context
from contracts.admin.plan_preview import check_request, preview_response
from contracts.admin.usage_periods import usage_context
from contracts.choices import CHARGE_TYPES, CONTRACT_STATUSES, TIMINGS
from contracts.domain.terms import ContractStatus
from contracts.forms import (
    FREQUENCY_CHOICES,
    ContractForm,
    ContractLineForm,
    ContractLineFormSet,
)
from contracts.models import Contract, ContractLine
from contracts.queries import search_contracts
from customfields.admin.owner import OwnerAdmin
from customfields.display import shown_values
from customfields.domain.definition import FieldObject


class ContractLineInline(FinanceStackedInline):
    """What was sold."""

    model = ContractLine
    form = ContractLineForm
    formset = ContractLineFormSet
    verbose_name = "line"
    verbose_name_plural = "lines"
    extra = 0
    min_num = 1
    ordering = ("position",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("product", "description"),
                    ("charge_type", "frequency_months", "timing"),
                    ("quantity", "unit_price", "discount_percent"),
                    ("included_quantity", "tiers"),
                    ("start_date", "end_date"),
                    ("proration", "tax_rate"),
                )
            },
        ),
    )


@admin.register(Contract)
class ContractAdmin(OwnerAdmin, AuditedAdmin):
    """What was sold to a bill group."""

    custom_fields_object = FieldObject.CONTRACT
    audit_code = "contract"
    form = ContractForm
    change_form_template = "admin/contracts/contract/change_form.html"
    inlines = (ContractLineInline,)
    list_display = (
        "number",
        "shown_status",
        "shown_account",
        "bill_group",
        "start_date",
        "shown_end",
    )
    list_select_related = ("bill_group__account",)
    list_filter = ("status",)
    list_note = "What was sold, newest first."
    ordering = ("-id",)
    sortable_by = ("number",)
    search_fields = ("number",)
    search_help_text = "Contract number or account"
    column_classes = {
        "number": "m1",
        "shown_status": "m2",
        "shown_account": "m4",
        "bill_group": "w2",
        "start_date": "w1",
        "shown_end": "m5",
    }
    export_columns = (
        ("number", attrgetter("number")),
        ("status", attrgetter("status")),
        ("account_number", attrgetter("bill_group.account.number")),
        ("account_name", attrgetter("bill_group.account.name")),
        ("bill_group", lambda contract: contract.bill_group.public_id),
        ("currency", lambda contract: contract.bill_group.currency),
        ("start_date", lambda contract: contract.start_date.isoformat()),
        ("end_date", lambda contract: iso_day(contract.end_date)),
        ("last_day", lambda contract: iso_day(contract.last_day)),
    )
    fieldsets = (
        (None, {"fields": (("bill_group", "number"),)}),
        (
            "Term",
            {"fields": (("start_date", "end_date"), ("bill_day", "bill_month"))},
        ),
    )

    @admin.display(description="status")
    def shown_status(self, contract: Contract) -> SafeString:
        """Show where the contract stands."""
        return badge(contract_badge(contract))

    @admin.display(description="account")
    def shown_account(self, contract: Contract) -> SafeString:
        """Lead to the Account Overview."""
        account = contract.bill_group.account
        return format_html(
            '<a class="plain" href="{}">{}</a>',
            reverse("admin:billing_account_overview", args=[account.pk]),
            account,
        )

    @admin.display(description="ends")
    def shown_end(self, contract: Contract) -> str:
        """Show the last day, or that it has none."""
        end = contract.last_day or contract.end_date
        return day_text(end) if end else "evergreen"

    def row_class(self, subject: Any) -> str:
        """Draw drafts in pencil."""
        return "pencil" if subject.status == ContractStatus.DRAFT else ""

    def facts(self, subject: Any) -> list[str]:
        """Return whose it is and its term."""
        group = subject.bill_group
        return [str(group.account), group.public_id, group.currency]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the parties with the contract."""
        return (
            super()
            .get_queryset(request)
            .select_related("bill_group__account", "bill_group__legal_entity")
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the preview of the plan while a contract is typed."""
        view = self.admin_site.admin_view(self.preview_plan_view)
        return [
            path("preview/", view, name="contracts_contract_preview"),
            *super().get_urls(),
        ]

    def preview_plan_view(self, request: HttpRequest) -> HttpResponse:
        """Plan what is in a submitted form, and write nothing (P1)."""
        refused = check_request(request)
        if refused is not None:
            return refused
        contract = self._draft_of(request)
        form_class = self.get_form(request, contract, change=contract is not None)
        form = form_class(request.POST, instance=contract)
        form.is_valid()
        formsets, _ = self._create_formsets(  # type: ignore[attr-defined]  # not in the stubs
            request, form.instance, change=contract is not None
        )
        return preview_response(
            request,
            form=form,
            formsets=formsets,
            context=self.admin_site.each_context(request),
        )

    def _draft_of(self, request: HttpRequest) -> Contract | None:
        """Return the draft that the form changes; None where it adds one."""
        given = request.GET.get("contract", "")
        if not given:
            return None
        contract: Contract | None = self.get_object(request, given)
        if contract is None or not self.has_change_permission(request, contract):
            raise PermissionDenied
        return contract

    def _has_form(self, request: HttpRequest, contract: Contract | None) -> bool:
        if contract is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, contract)

    def has_change_permission(
        self, request: HttpRequest, obj: Contract | None = None
    ) -> bool:
        """Only a draft has a form: what is in force is amended."""
        return super().has_change_permission(request, obj) and (
            obj is None or obj.status == ContractStatus.DRAFT
        )

    def has_delete_permission(
        self, request: HttpRequest, obj: Contract | None = None
    ) -> bool:
        """A draft was never in force, so it may go, with its lines."""
        return request.user.has_perm("contracts.delete_contract") and (
            obj is not None and obj.status == ContractStatus.DRAFT
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the lines that go with a draft."""
        lines = ContractLine.objects.filter(contract__in=objs).count()
        return [], {"contract": len(objs), "lines": lines}, set(), []

    def delete_model(self, request: HttpRequest, obj: Contract) -> None:
        """Delete a draft, its lines first."""
        audit.record(
            "contract.removed",
            actor=actor_of(request),
            subject=obj.number,
            account_id=obj.bill_group.account_id,
            bill_group_id=obj.bill_group_id,
            before={"number": obj.number, "lines": obj.lines.count()},
        )
        obj.lines.all().delete()
        obj.delete()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start with the bill group one comes from."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        given = str(initial.get("bill_group", ""))
        group = BillGroup.objects.filter(pk=given).first() if given.isdigit() else None
        return initial | {"bill_group": group}

    def audit_owners(self, subject: Any) -> dict[str, int]:
        """File the change under contract, group and account."""
        return {
            "account_id": subject.bill_group.account_id,
            "bill_group_id": subject.bill_group_id,
            "contract_id": subject.pk,
        }

    def found(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Find contracts by number or account, with indexes only."""
        return search_contracts(rows, text)

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show the lines and the plan of a contract in force, or a preview of it."""
        context: dict[str, Any] = {}
        if self._has_form(request, obj):
            url = reverse("admin:contracts_contract_preview")
            context["preview_url"] = f"{url}?contract={obj.pk}" if obj else url
        if obj is not None and obj.status != ContractStatus.DRAFT:
            context |= {
                "in_force": True,
                "own_fields": shown_values(
                    self.custom_field_definitions(request), obj.custom_fields
                ),
                "contract_lines": line_rows(obj),
                "status_badge": contract_badge(obj),
                "may_release": request.user.has_perm(
                    "contracts.release_scheduledcharge"
                ),
                "may_note": request.user.has_perm("contracts.change_scheduledcharge"),
                "may_record": request.user.has_perm("contracts.add_usagerecord"),
                **plan_context(request, obj),
                **usage_context(obj),
            }
        return context


def iso_day(day: date | None) -> str:
    """Return a date as files hold it; blank for none."""
    return day.isoformat() if day else ""


def contract_badge(contract: Contract) -> Badge:
    """Return the status of a contract; a cancellation that is to come says its day."""
    if contract.status == ContractStatus.ACTIVE and contract.last_day is not None:
        return Badge(f"Cancels on {day_text(contract.last_day)}", "wait")
    return CONTRACT_STATUSES.badge(contract.status)


def line_rows(contract: Contract) -> list[dict[str, Any]]:
    """Return the lines of a contract at their original terms, and what changed them."""
    frequencies = dict(FREQUENCY_CHOICES)
    amended = amended_rates(contract)
    return [
        {
            "line": line,
            "amended": amended.get(line.pk, ()),
            "frequency": frequencies.get(line.frequency_months or "", NOTHING),
            "timing": TIMINGS.badge(line.timing).label,
            "charge_type": CHARGE_TYPES.badge(line.charge_type).label,
            "is_usage": line.charge_type == "USAGE",
        }
        for line in contract.lines.select_related("product", "tax_rate").order_by(
            "position"
        )
    ]
