"""The panel on pages: found by what is at hand, beside bill groups and contracts."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.models import BillGroup
from tests.factories import BillGroupFactory
from tests.staff import ROLES, active_contract, client_of, company, draft_contract

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


def why_page(client: Client, **query: Any) -> Any:
    return client.get(reverse("admin:invoicing_why"), query)


def test_group_is_found_by_id_contract_and_account(group: BillGroup) -> None:
    """G16."""
    client = client_of("Support")
    contract = group.contracts.get()

    for text in (group.public_id, contract.number, group.account.number):
        page = why_page(client, q=text)
        assert page.context["why"].explanation.bill_group == group, text


def test_form_of_the_panel_keeps_the_group(group: BillGroup) -> None:
    page = why_page(client_of("Support"), bill_group=group.pk, on="2026-02-01")

    assert page.context["why"].explanation.bill_group == group
    assert page.context["why"].explanation.will_generate


def test_what_is_not_found_says_what_to_type() -> None:
    page = why_page(client_of("Support"), q="nobody's")

    assert page.context["why"] is None
    assert b"Type a BG id" in page.content


@pytest.mark.parametrize("role", ROLES)
def test_panel_stands_beside_the_bill_group(group: BillGroup, role: str) -> None:
    """G16, section 9: everybody may ask."""
    page = client_of(role).get(
        reverse("admin:billing_billgroup_change", args=[group.pk])
    )

    (panel,) = (p for p in page.context["object_panels"] if "why" in p.context)
    assert panel.context["why"].explanation.bill_group == group
    assert b"Why is there no invoice?" in page.content


def test_contract_hands_over_the_panel_of_its_group(group: BillGroup) -> None:
    """G16."""
    contract = group.contracts.get()
    client = client_of("Support")

    page = client.get(reverse("admin:contracts_contract_change", args=[contract.pk]))

    panel, _history = page.context["object_panels"]
    assert panel.context["why"].explanation.bill_group == group


def test_draft_contract_has_nothing_to_explain() -> None:
    contract = draft_contract()
    client = client_of("Finance clerk")

    page = client.get(reverse("admin:contracts_contract_change", args=[contract.pk]))

    panels = page.context["object_panels"]
    assert not [panel for panel in panels if "why" in panel.context]
