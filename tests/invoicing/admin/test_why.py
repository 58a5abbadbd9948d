"""*Why is there no invoice?*: what stops, who can change it, and where (G16)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import RequestFactory

from billing.models import BillGroup, InvoicingSettings
from invoicing.admin.why import WhyPanel, why_panel
from invoicing.models import ParkedBillGroup
from invoicing.services.generation import run_invoicing
from tests.factories import BillGroupFactory
from tests.staff import active_contract, company, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tenth_of_january() -> Iterator[None]:
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made)
    return made


def panel(group: BillGroup, *, user: User, **query: Any) -> WhyPanel:
    request = RequestFactory().get("/", query)
    request.user = user
    group.refresh_from_db()
    shown = why_panel(request, [group])
    assert shown is not None
    return shown


STOPS = [
    pytest.param({"status": "INACTIVE"}, "Set it to Active", "Support", id="G2"),
    pytest.param(
        {"invoicing": "MANUAL"}, "Change its invoicing", "Finance clerk", id="G3"
    ),
    pytest.param(
        {"awaiting_manual_invoice": True},
        "Generate next invoice",
        "Finance clerk",
        id="G4",
    ),
]


@pytest.mark.parametrize(("change", "label", "role"), STOPS)
def test_step_is_a_link_for_those_who_may(
    group: BillGroup, change: dict[str, Any], label: str, role: str
) -> None:
    """G16."""
    BillGroup.objects.filter(pk=group.pk).update(**change)

    step = panel(group, user=person(role)).steps[0]

    assert step.label == label
    assert step.url
    assert not step.who


@pytest.mark.parametrize(("change", "label", "role"), STOPS)
def test_others_are_told_who_can(
    group: BillGroup, change: dict[str, Any], label: str, role: str
) -> None:
    """G16, section 9."""
    BillGroup.objects.filter(pk=group.pk).update(**change)

    step = panel(group, user=person("Auditor")).steps[0]

    assert step.label == label
    assert not step.url
    assert role in step.who
    assert "Auditor" not in step.who


@pytest.mark.parametrize("rule", ["G1", "G3"])
def test_what_is_manual_may_be_generated_by_hand(group: BillGroup, rule: str) -> None:
    """G1, G3: the last column of the table."""
    if rule == "G1":
        InvoicingSettings.objects.create(
            legal_entity=group.legal_entity, invoicing="MANUAL"
        )
    else:
        BillGroup.objects.filter(pk=group.pk).update(invoicing="MANUAL")

    shown = panel(group, user=person("Finance manager"))

    assert shown.explanation.rule == rule
    assert [step.label for step in shown.steps][1:] == ["Generate next invoice"]


def test_advance_invoice_that_waits_for_its_day_may_come_early(
    group: BillGroup,
) -> None:
    """G9."""
    shown = panel(group, user=person("Finance clerk"))

    assert shown.explanation.rule == "G7"
    assert [step.label for step in shown.steps] == ["Generate next invoice"]


def test_parked_group_is_released_by_a_manager(group: BillGroup) -> None:
    """G13."""
    ParkedBillGroup.objects.create(bill_group=group, reason="It broke.")

    (step,) = panel(group, user=person("Finance clerk")).steps

    assert step.label == "Release it"
    assert step.who == "Finance manager or Administrator"


def test_draft_that_waits_stands_first(group: BillGroup) -> None:
    """G17: the draft is the invoice that is missed."""
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, review_before_issue=True
    )
    with time_machine.travel("2026-02-01T12:00:00Z", tick=False):
        run_invoicing(as_of=date(2026, 2, 1))
        shown = panel(group, user=person("Finance clerk"))

    (draft,) = shown.explanation.drafts
    assert shown.steps[0].label == "Review the draft"
    assert shown.steps[0].url.endswith(f"/invoice/{draft.pk}/change/")


def test_gates_stand_in_order_and_only_one_stops(group: BillGroup) -> None:
    """G16."""
    BillGroup.objects.filter(pk=group.pk).update(invoicing="MANUAL")

    states = [row.state for row in panel(group, user=person("Auditor")).rows]

    assert states[:3] == ["passed", "passed", "failed"]
    assert set(states[3:]) == {"open"}


def test_night_that_makes_one_asks_nothing_of_anybody(group: BillGroup) -> None:
    shown = panel(group, user=person("Auditor"), on="2026-02-01")

    assert shown.explanation.will_generate
    assert shown.steps == ()
