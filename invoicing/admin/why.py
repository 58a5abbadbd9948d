"""*Why is there no invoice?*: one panel for accounts, bill groups, contracts, lists.

The panel shows what `explain_invoice` says of a bill group and a night: each gate in
order, the day on which an invoice is expected, and the steps that would change it
(G16). A page hands its bill groups to `why_panel` and includes
`admin/invoicing/includes/why_panel.html` with `why` in its context.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from billing.models import BillGroup
from config.adminsite.actions import object_actions
from config.adminsite.model_admin import DateInput
from config.adminsite.refusals import who_may
from config.clock import today_in
from invoicing.domain.eligibility import Gate, Remedy
from invoicing.services.explain import Explanation, explain_invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """What a person can do about a stop: a button, and the permission it needs."""

    label: str
    permission: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A cure for one reader: where to go, or who can where they may not.

    What only hurries is not urgent: time alone would do it.
    """

    label: str
    url: str = ""
    who: str = ""
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """A gate as it is drawn: its state, icon, and the hidden word of its state."""

    gate: Gate
    state: str
    icon: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyPanel:
    """All that the panel shows; `action` is the page that answers its form."""

    explanation: Explanation
    rows: tuple[GateRow, ...]
    steps: tuple[Step, ...]
    form: "WhyForm"
    action: str

    @property
    def drafts(self) -> list[tuple[str, str]]:
        """The drafts that wait for review, each with its address."""
        return [
            (str(draft), reverse("admin:invoicing_invoice_change", args=[draft.pk]))
            for draft in self.explanation.drafts
        ]


GENERATE_NEXT: Final = Cure(
    label="Generate next invoice", permission="invoicing.generate_invoice"
)
CURES: Final = {
    Remedy.SETTINGS: Cure(
        label="Open Settings", permission="billing.change_invoicingsettings"
    ),
    Remedy.ACTIVATE_GROUP: Cure(
        label="Set it to Active", permission="billing.reactivate_billgroup"
    ),
    Remedy.GROUP_MODE: Cure(
        label="Change its invoicing", permission="billing.change_billgroup"
    ),
    Remedy.GENERATE_NEXT: GENERATE_NEXT,
    Remedy.RELEASE: Cure(
        label="Release it", permission="invoicing.release_parkedbillgroup"
    ),
    Remedy.CONTRACTS: Cure(
        label="See its contracts", permission="contracts.view_contract"
    ),
    Remedy.USAGE: Cure(label="Record usage", permission="contracts.add_usagerecord"),
    Remedy.REVIEW: Cure(label="Review the draft", permission="invoicing.issue_invoice"),
}
# Stops past which a person may generate by hand all the same (section 2, last column).
BY_HAND_TOO: Final = frozenset({"G1", "G3"})
ACTIVE_AGAIN: Final = "reactivate"


class WhyForm(forms.Form):
    """Which bill group, on which night."""

    bill_group = forms.ChoiceField(label="Bill group")
    on = forms.DateField(label="Night of", widget=DateInput, required=False)

    def __init__(self, data: Any, *, groups: Sequence[BillGroup]) -> None:
        super().__init__(data, auto_id="why_%s", label_suffix="")
        self.fields["bill_group"] = forms.ChoiceField(
            label="Bill group",
            choices=[(str(group.pk), str(group)) for group in groups],
            widget=forms.Select if len(groups) > 1 else forms.HiddenInput,
        )


def why_panel(
    request: HttpRequest, groups: Sequence[BillGroup], *, action: str = ""
) -> WhyPanel | None:
    """Return the panel for the bill group and night that the address asks for.

    At first it speaks of the first group and of tonight; None without a group. The
    groups need their account and legal entity. Addresses take `bill_group` (an id of
    one of the groups) and `on` (a date); what is neither is passed over.
    """
    if not groups:
        return None
    by_id = {str(group.pk): group for group in groups}
    group = by_id.get(request.GET.get("bill_group", ""), groups[0])
    today = today_in(group.legal_entity.time_zone)
    given = {"bill_group": str(group.pk), "on": request.GET.get("on") or today}
    form = WhyForm(given, groups=groups)
    on: date = (form.cleaned_data.get("on") or today) if form.is_valid() else today
    explanation = explain_invoice(bill_group=group, on=on)
    return WhyPanel(
        explanation=explanation,
        rows=tuple(_row(gate) for gate in explanation.gates),
        steps=tuple(_step(request, cure, explanation) for cure in _cures(explanation)),
        form=form,
        action=action,
    )


def _row(gate: Gate) -> GateRow:
    if gate.passed is None:
        return GateRow(gate=gate, state="open", icon="pause", word="Not reached")
    if gate.passed:
        return GateRow(gate=gate, state="passed", icon="check", word="Passed")
    return GateRow(gate=gate, state="failed", icon="cross", word="Stops here")


def _cures(explanation: Explanation) -> list[Cure]:
    """Return what would change the decision; nothing where only time does.

    Drafts that wait stand before it: they are the invoice that is missed.
    """
    cures = [CURES[Remedy.REVIEW]] if explanation.drafts else []
    if not explanation.will_generate:
        own = CURES.get(explanation.remedy)
        cures += [own] if own and own not in cures else []
        if explanation.rule in BY_HAND_TOO and explanation.assessment:
            cures.append(GENERATE_NEXT)
        if explanation.remedy is Remedy.WAIT and _may_come_early(explanation):
            cures.append(GENERATE_NEXT)
    return cures


def _may_come_early(explanation: Explanation) -> bool:
    """Tell whether it may be generated before its day: nothing in arrears (G9)."""
    assessment = explanation.assessment
    return assessment is not None and not assessment.decision.facts.bills_in_arrears


def _step(request: HttpRequest, cure: Cure, explanation: Explanation) -> Step:
    if request.user.has_perm(cure.permission):
        url = _url(explanation, cure)
        is_urgent = explanation.remedy is not Remedy.WAIT or cure is not GENERATE_NEXT
        return Step(label=cure.label, url=url, is_urgent=is_urgent)
    return Step(label=cure.label, who=who_may(cure.permission))


def _url(explanation: Explanation, cure: Cure) -> str:
    group = explanation.bill_group
    group_url = reverse("admin:billing_billgroup_change", args=[group.pk])
    parked = reverse("admin:invoicing_parkedbillgroup_changelist")
    contracts = reverse("admin:contracts_contract_changelist")
    drafts = explanation.drafts
    urls = {
        Remedy.SETTINGS: reverse("admin:billing_invoicingsettings_changelist"),
        Remedy.ACTIVATE_GROUP: activation_url(group) or group_url,
        Remedy.GROUP_MODE: group_url,
        Remedy.GENERATE_NEXT: reverse(
            "admin:billing_billgroup_generate_next", args=[group.pk]
        ),
        Remedy.RELEASE: f"{parked}?parked=yes",
        Remedy.CONTRACTS: f"{contracts}?q={group.account.number}",
        Remedy.USAGE: reverse("admin:contracts_usagerecord_changelist"),
        Remedy.REVIEW: reverse("admin:invoicing_invoice_change", args=[drafts[0].pk])
        if len(drafts) == 1
        else reverse("admin:invoicing_invoice_changelist")
        + f"?status=DRAFT&bill_group={group.public_id}",
    }
    return next(urls[remedy] for remedy, known in CURES.items() if known is cure)


def activation_url(group: BillGroup) -> str:
    """Return where the group is set back to Active; empty while nothing offers that."""
    for action in object_actions:
        if action.model is BillGroup and action.slug == ACTIVE_AGAIN:
            return action.url(group.pk)
    return ""
