"""*Why is there no invoice?*: the gates, in order, for a bill group and a day (G16)."""

from datetime import date
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from billing.models import BillGroup
from config.adminsite.model_admin import DateInput
from config.clock import today_in
from invoicing.domain.eligibility import Gate, Remedy
from invoicing.services.explain import Explanation, explain_invoice

REMEDIES: Final = {
    Remedy.SETTINGS: "Open Settings",
    Remedy.ACTIVATE_GROUP: "Open the bill group",
    Remedy.GROUP_MODE: "Change its invoicing",
    Remedy.GENERATE_NEXT: "Generate next invoice",
    Remedy.RELEASE: "See why it is parked",
    Remedy.CONTRACTS: "See its contracts",
    Remedy.USAGE: "See its usage",
    Remedy.REVIEW: "Review the draft",
}


class WhyForm(forms.Form):
    """Which bill group, on which day."""

    bill_group = forms.ChoiceField(label="Bill group")
    on = forms.DateField(label="Night of", widget=DateInput, required=False)

    def __init__(self, data: Any, *, groups: list[BillGroup], on: date) -> None:
        super().__init__(data, initial={"on": on}, auto_id="why_%s", label_suffix="")
        choices = [(str(group.pk), str(group)) for group in groups]
        self.fields["bill_group"] = forms.ChoiceField(
            label="Bill group", choices=choices
        )


def why_context(request: HttpRequest, groups: list[BillGroup]) -> dict[str, Any]:
    """Return the explanation that was asked for; at first that of the first group."""
    if not groups:
        return {"why": None}
    by_id = {str(group.pk): group for group in groups}
    group = by_id.get(request.GET.get("bill_group", ""), groups[0])
    today = today_in(group.legal_entity.time_zone)
    given = {"bill_group": str(group.pk), "on": request.GET.get("on") or today}
    form = WhyForm(given, groups=groups, on=today)
    on = (form.cleaned_data.get("on") or today) if form.is_valid() else today
    explanation = explain_invoice(bill_group=group, on=on)
    return {
        "why": explanation,
        "why_form": form,
        "why_gates": [gate_row(gate) for gate in explanation.gates],
        "why_remedy": remedy_link(explanation, request),
        "selected_group": group,
    }


def gate_row(gate: Gate) -> dict[str, Any]:
    """Return a gate with the class and the hidden word of its state."""
    if gate.passed is None:
        state = ("open", "pause", "Not reached")
    elif gate.passed:
        state = ("passed", "check", "Passed")
    else:
        state = ("failed", "cross", "Stops here")
    return {"gate": gate, "state": state[0], "icon": state[1], "word": state[2]}


def remedy_link(explanation: Explanation, request: HttpRequest) -> dict[str, str]:
    """Return what would change the decision, and where; empty where only time does."""
    group = explanation.bill_group
    group_url = reverse("admin:billing_billgroup_change", args=[group.pk])
    urls = {
        Remedy.SETTINGS: reverse("admin:billing_invoicingsettings_changelist"),
        Remedy.ACTIVATE_GROUP: group_url,
        Remedy.GROUP_MODE: group_url,
        Remedy.RELEASE: reverse("admin:invoicing_parkedbillgroup_changelist")
        + "?parked=yes",
        Remedy.CONTRACTS: reverse("admin:contracts_contract_changelist")
        + f"?q={group.account.number}",
        Remedy.USAGE: reverse("admin:contracts_usagerecord_changelist"),
        Remedy.REVIEW: reverse("admin:invoicing_invoice_changelist")
        + f"?status=DRAFT&bill_group={group.public_id}",
    }
    if request.user.has_perm("invoicing.generate_invoice"):
        urls[Remedy.GENERATE_NEXT] = reverse(
            "admin:billing_billgroup_generate_next", args=[group.pk]
        )
    url = urls.get(explanation.remedy, "")
    return {"label": REMEDIES[explanation.remedy], "url": url} if url else {}
