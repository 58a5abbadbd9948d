"""*Why is there no invoice?* on a page of its own, and beside groups and contracts.

The page finds the bill group by what is at hand (G16).
"""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from billing.models import Account, BillGroup
from billing.queries import bill_group_by_public_id, search_accounts
from config.adminsite import registry
from config.adminsite.model_admin import DateInput
from config.adminsite.pages import SitePage, site_page
from config.adminsite.registry import Panel
from contracts.domain.terms import ContractStatus
from contracts.models import Contract
from contracts.queries import contracts_by_number
from invoicing.admin.why import why_panel

MOST_GROUPS: Final = 20


class WhyPageForm(forms.Form):
    """What is at hand, and the night."""

    q = forms.CharField(
        label="Bill group, contract or account",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "BG-000123"}),
    )
    on = forms.DateField(label="Night of", widget=DateInput, required=False)


@site_page
class WhyPage(SitePage):
    """Why there is no invoice, for a BG id, a contract number or an account."""

    route = "invoicing/why/"
    name = "invoicing_why"
    permission = "invoicing.view_invoice"
    title = "Why is there no invoice?"
    template = "admin/invoicing/why.html"

    def context(self, request: HttpRequest) -> Mapping[str, Any]:
        """Find the bill groups that were meant and explain one of them."""
        asked = request.GET.get("q") or request.GET.get("bill_group", "")
        text = asked.strip()[:100]
        groups = bill_groups_meant(text) if text else []
        form = WhyPageForm(
            {"q": text, "on": request.GET.get("on", "")}, label_suffix=""
        )
        form.is_valid()
        return {
            "form": form,
            "text": text,
            "groups": groups,
            "why": why_panel(request, groups, action=reverse("admin:invoicing_why")),
        }


def bill_groups_meant(text: str) -> list[BillGroup]:
    """Return the bill groups with this BG id, of this contract, or of the accounts.

    The first of the three that finds anything decides; at most `MOST_GROUPS`.
    """
    group = bill_group_by_public_id(text)
    if group is not None:
        return [group]
    contracts = contracts_by_number(Contract.objects.all(), text)
    of_contracts = contracts.values_list("bill_group_id", flat=True)[:MOST_GROUPS]
    accounts = search_accounts(Account.objects.all(), text)
    of_accounts = accounts.values_list("pk", flat=True)[:MOST_GROUPS]
    return _groups(Q(pk__in=list(of_contracts))) or _groups(
        Q(account__in=list(of_accounts))
    )


def _groups(condition: Q) -> list[BillGroup]:
    groups = BillGroup.objects.filter(condition).select_related(
        "account", "legal_entity"
    )
    return list(groups.order_by("pk")[:MOST_GROUPS])


def bill_group_panel(request: HttpRequest, subject: Any) -> Panel | None:
    """Explain a bill group on its own page."""
    if not request.user.has_perm(WhyPage.permission):
        return None
    return Panel(
        template="admin/invoicing/includes/why_panel.html",
        context={"why": why_panel(request, [subject])},
    )


def contract_panel(request: HttpRequest, subject: Any) -> Panel | None:
    """Explain the bill group that a contract in force is billed through."""
    if subject.status == ContractStatus.DRAFT:
        return None
    return bill_group_panel(request, subject.bill_group)


registry.object_panels.setdefault(BillGroup, []).insert(0, bill_group_panel)
registry.object_panels.setdefault(Contract, []).insert(0, contract_panel)
