"""The Account Overview: all that was, is and will be invoiced to an account."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.models import BillGroup
from invoicing.admin.overview import AccountOverview
from invoicing.models import Invoice, ParkedBillGroup
from invoicing.services.generation import generate_next_invoice
from invoicing.services.lifecycle import activate_contract
from tests.factories import BillGroupFactory, ContractFactory, usage_line
from tests.staff import active_contract, client_of, company

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


def overview(client: Client, group: BillGroup, **query: Any) -> Any:
    return client.get(AccountOverview.url(group.account_id), query)


def test_figures_are_those_of_the_account(group: BillGroup) -> None:
    page = overview(client_of("Support"), group)

    (figures,) = page.context["figures"]
    assert figures.open == Decimal(100)
    assert figures.overdue == 0
    assert figures.invoiced == Decimal(100)
    assert page.context["planned"] == {"USD": Decimal(1100)}


def test_open_invoice_past_its_due_date_is_overdue(group: BillGroup) -> None:
    with time_machine.travel("2026-02-01T12:00:00Z", tick=False):
        page = overview(client_of("Support"), group)

    (figures,) = page.context["figures"]
    assert figures.overdue == Decimal(100)
    assert b"Overdue 1 d" in page.content


def test_pending_invoices_are_listed_with_what_will_happen(group: BillGroup) -> None:
    page = overview(client_of("Support"), group)

    first = page.context["pending"][0]
    assert first["bill_date"] == date(2026, 2, 1)
    assert first["badge"].label == "Night of 1 Feb 2026"
    assert page.context["pending_count"] == 11


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"status": "INACTIVE"}, "Stopped: inactive"),
        ({"invoicing": "MANUAL"}, "By hand only"),
        ({"awaiting_manual_invoice": True}, "Waits for Generate next"),
    ],
    ids=["inactive", "manual", "awaiting"],
)
def test_what_stops_a_group_is_said_of_its_pending_invoices(
    group: BillGroup, change: dict[str, Any], label: str
) -> None:
    BillGroup.objects.filter(pk=group.pk).update(**change)

    page = overview(client_of("Support"), group)

    assert {row["badge"].label for row in page.context["pending"]} == {label}


def test_parked_group_says_so(group: BillGroup) -> None:
    ParkedBillGroup.objects.create(bill_group=group, reason="It broke.")

    page = overview(client_of("Support"), group)

    assert page.context["pending"][0]["badge"].label == "Parked"
    assert b"It broke." in page.content


def test_explanation_is_that_of_the_service_for_group_and_day(group: BillGroup) -> None:
    """G16."""
    page = overview(client_of("Support"), group, bill_group=group.pk, on="2026-02-01")

    why = page.context["why"].explanation
    assert why.will_generate
    assert why.on == date(2026, 2, 1)
    assert b"There will be one." in page.content


def test_explanation_names_the_gate_that_stops_and_links_to_what_mends(
    group: BillGroup,
) -> None:
    """G16, G4."""
    BillGroup.objects.filter(pk=group.pk).update(awaiting_manual_invoice=True)

    page = overview(client_of("Finance clerk"), group)

    why = page.context["why"]
    (failed,) = [row for row in why.rows if row.state == "failed"]
    assert failed.gate.rule == "G4"
    assert why.steps[0].url.endswith(f"{group.pk}/generate-next/")


@pytest.mark.parametrize("on", ["", "nonsense", "2026-13-01", "9999-12-31"])
def test_explanation_takes_any_day_that_is_typed(group: BillGroup, on: str) -> None:
    page = overview(client_of("Support"), group, bill_group=group.pk, on=on)

    assert page.status_code == 200


def test_group_of_another_account_is_not_explained(group: BillGroup) -> None:
    other = BillGroupFactory.create(legal_entity=group.legal_entity)

    page = overview(client_of("Support"), group, bill_group=other.pk)

    assert page.context["why"].explanation.bill_group == group


def test_buttons_are_for_those_who_may_generate(group: BillGroup) -> None:
    url = f"/admin/billing/billgroup/{group.pk}/generate-next/".encode()

    assert url in overview(client_of("Finance clerk"), group).content
    assert url not in overview(client_of("Support"), group).content
    assert url not in overview(client_of("Auditor"), group).content


def test_inactive_group_has_no_button(group: BillGroup) -> None:
    """G2."""
    BillGroup.objects.filter(pk=group.pk).update(status="INACTIVE")

    page = overview(client_of("Finance clerk"), group)

    assert not page.context["groups"][0]["may_generate"]


def test_group_that_cannot_be_worked_out_is_named_and_the_others_are_shown(
    group: BillGroup,
) -> None:
    """G13: the run would park it; the page doesn't break."""
    from billing.models import TaxRate
    from contracts.services.terms import activate
    from tests.factories import ContractLineFactory
    from tests.staff import draft_contract

    broken = BillGroupFactory.create(
        account=group.account, legal_entity=group.legal_entity
    )
    contract = draft_contract(broken)
    ContractLineFactory.create(
        contract=contract, position=2, tax_rate=TaxRate.objects.create(name="Stepless")
    )
    activate(contract=contract, actor=None, today=date(2026, 1, 1))

    page = overview(client_of("Support"), group)

    ((faulty, reason),) = page.context["faults"]
    assert faulty == broken
    assert "Stepless" in reason
    assert page.context["pending_count"] == 11


def test_account_without_groups_says_what_to_do() -> None:
    from tests.factories import AccountFactory

    account = AccountFactory.create()

    page = client_of("Finance clerk").get(AccountOverview.url(account.pk))

    assert b"No bill group yet" in page.content
    assert page.context["why"] is None


def test_drafts_stand_before_issued_invoices(group: BillGroup) -> None:
    assert Invoice.objects.count() == 1

    page = overview(client_of("Support"), group)

    assert [row["invoice"] for row in page.context["invoices"]] == list(
        Invoice.objects.all()
    )


def test_usage_of_a_running_period_is_to_come_and_never_estimated(
    group: BillGroup,
) -> None:
    metered = BillGroupFactory.create(
        account=group.account, legal_entity=group.legal_entity
    )
    contract = ContractFactory.create(bill_group=metered)
    usage_line(contract=contract, position=1)
    activate_contract(contract=contract, actor=None, today=date(2026, 1, 1))

    page = overview(client_of("Support"), group)

    (january, *_) = [row for row in page.context["pending"] if row["group"] == metered]
    assert january["usage_to_come"]
    assert january["total"] == 0
    assert b"usage to come" in page.content
    assert page.context["planned"] == {"USD": Decimal(1100)}


def test_pending_invoices_of_the_year_are_all_shown_when_asked(
    group: BillGroup,
) -> None:
    client = client_of("Support")

    short, full = overview(client, group), overview(client, group, pending="all")

    assert (len(short.context["pending"]), short.context["more_pending"]) == (10, 1)
    assert (len(full.context["pending"]), full.context["more_pending"]) == (11, 0)


def test_invoices_are_filtered_and_added_up_by_currency(group: BillGroup) -> None:
    client = client_of("Support")
    generate_next_invoice(bill_group=group, actor=None, today=date(2026, 1, 10))

    everything = overview(client, group)
    february = overview(client, group, **{"d-issue_date_after": "2026-01-05"})

    (total,) = everything.context["invoice_totals"]
    assert (total["count"], total["total"]) == (2, Decimal(200))
    assert len(february.context["invoices"]) == 1
    assert february.context["invoice_totals"][0]["total"] == Decimal(100)


def test_export_and_list_take_the_filters_of_the_account(group: BillGroup) -> None:
    active_contract(BillGroupFactory.create(legal_entity=group.legal_entity))
    generate_next_invoice(bill_group=group, actor=None, today=date(2026, 1, 10))
    client = client_of("Support")
    page = overview(client, group, **{"d-issue_date_after": "2026-01-05"})
    same = page.context["same_filters"]

    listed = client.get(f"{reverse('admin:invoicing_invoice_changelist')}?{same}")
    answer: Any = client.get(f"{reverse('admin:invoicing_invoice_export')}?{same}")

    shown = [row["invoice"] for row in page.context["invoices"]]
    assert list(listed.context["cl"].result_list) == shown
    assert len(list(answer.streaming_content)) == 1 + len(shown)


def test_filters_that_cannot_be_read_show_nothing(group: BillGroup) -> None:
    page = overview(client_of("Support"), group, **{"d-status": "NONSENSE"})

    assert page.status_code == 200
    assert page.context["invoices"] == []


def test_timeline_names_the_invoice_and_what_it_came_to(group: BillGroup) -> None:
    """M5."""
    page = overview(client_of("Support"), group)

    newest = page.context["history"]["lines"][0].entries[0]
    assert newest.sentence == "Invoice issued for 100.00 USD"
    assert newest.subject == Invoice.objects.get().number
