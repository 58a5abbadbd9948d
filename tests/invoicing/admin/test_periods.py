"""Closing and reopening months through the admin (M6)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import AccountingPeriod, BillGroup, InvoicingSettings
from billing.queries import closed_through
from billing.services.bill_groups import deactivate_bill_group
from contracts.models import ScheduledCharge
from invoicing.admin.periods import CloseMonth, ReopenMonth
from invoicing.models import Invoice
from invoicing.services.generation import run_invoicing
from tests.factories import BillGroupFactory
from tests.staff import ROLES, active_contract, client_of, company

pytestmark = pytest.mark.django_db

FEB_1, FEB_28 = date(2026, 2, 1), date(2026, 2, 28)
PERIODS = "/admin/invoicing/periods/"


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    """One invoice of January; February and March are due, 100.00 each."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made)
    return made


def confirm(client: Client, url: str, **answers: Any) -> Any:
    review = client.get(url).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint, **answers}
    return client.post(url, fields, follow=True)


def close(group: BillGroup, month: str = "2026-02") -> str:
    return f"{CloseMonth.url(group.legal_entity_id)}?month={month}"


def stop(group: BillGroup) -> None:
    deactivate_bill_group(
        bill_group=group, reason="Fraud?", actor=None, today=date(2026, 3, 1)
    )


def test_m6_checklist_names_and_links_what_is_in_the_way(group: BillGroup) -> None:
    InvoicingSettings.objects.create(
        legal_entity=group.legal_entity, review_before_issue=True
    )
    run_invoicing(as_of=FEB_1)
    draft = Invoice.objects.get(status="DRAFT")
    issued = Invoice.objects.exclude(status="DRAFT").get()
    ScheduledCharge.objects.filter(state="INVOICED").update(state="SUPERSEDED")
    other: BillGroup = BillGroupFactory.create(legal_entity=group.legal_entity)
    active_contract(other)
    client = client_of("Finance manager")

    page = client.get(close(group))

    text = page.content.decode()
    review = page.context["review"]
    assert "Settle what is in the way: 1 draft, 1 pending invoice, 1 superseded" in (
        review.refusal
    )
    for invoice in (draft, issued):
        assert reverse("admin:invoicing_invoice_change", args=[invoice.pk]) in text
    assert f"overview/?bill_group={other.pk}" in text
    assert "_confirm" not in text
    assert client.post(close(group), {"_confirm": "1"}).status_code == 200
    assert closed_through(group.legal_entity) is None


def test_m6_superseded_row_shows_what_is_left_to_credit(group: BillGroup) -> None:
    run_invoicing(as_of=FEB_1)
    ScheduledCharge.objects.filter(bill_date=FEB_1).update(state="SUPERSEDED")

    page = client_of("Finance manager").get(close(group))

    (row,) = next(
        section["rows"]
        for section in page.context["details"]["sections"]
        if section["kind"] == "SUPERSEDED"
    )
    assert row.amount == 100


def test_m6_month_without_anything_in_the_way_is_closed(group: BillGroup) -> None:
    run_invoicing(as_of=FEB_1)

    page = confirm(client_of("Finance manager"), close(group))

    assert closed_through(group.legal_entity) == FEB_28
    assert b"February 2026 is closed for" in page.content


def test_m6_what_people_stopped_is_listed_and_confirmed(group: BillGroup) -> None:
    stop(group)
    client = client_of("Finance manager")

    review = client.get(close(group))
    confirm(client, close(group))
    assert closed_through(group.legal_entity) is None
    confirm(client, close(group), seen="on")

    figures = {f.label: (f.value, f.note) for f in review.context["review"].figures}
    assert figures["Stopped by people"] == ("1 pending invoice", "100.00 USD")
    assert group.public_id.encode() in review.content
    assert closed_through(group.legal_entity) == FEB_28
    assert ScheduledCharge.objects.get(bill_date=FEB_1).state == "PENDING"


@pytest.mark.parametrize(
    ("month", "sentence"),
    [("2026-03", "has not ended yet"), ("2025-12", "the next one is February 2026")],
)
def test_m6_months_are_closed_in_order_after_they_ended(
    group: BillGroup, month: str, sentence: str
) -> None:
    run_invoicing(as_of=FEB_1)
    AccountingPeriod.objects.create(
        legal_entity=group.legal_entity, month=date(2026, 1, 1), state="CLOSED"
    )

    page = client_of("Finance manager").post(
        close(group, month), {"_confirm": "1", "_reviewed": "x"}
    )

    assert sentence in page.context["review"].refusal
    assert closed_through(group.legal_entity) == date(2026, 1, 31)


def test_m6_last_closed_month_is_reopened_with_a_reason(group: BillGroup) -> None:
    run_invoicing(as_of=FEB_1)
    client = client_of("Finance manager")
    confirm(client, close(group))
    url = ReopenMonth.url(group.legal_entity_id)

    confirm(client, url)
    assert closed_through(group.legal_entity) == FEB_28
    page = confirm(client, url, reason="A bill came late")

    assert closed_through(group.legal_entity) is None
    assert b"February 2026 is open again" in page.content
    assert client.get(url).status_code == 409


def test_m6_list_shows_each_month_with_what_can_be_done(group: BillGroup) -> None:
    run_invoicing(as_of=FEB_1)
    AccountingPeriod.objects.create(
        legal_entity=group.legal_entity, month=date(2026, 1, 1), state="CLOSED"
    )

    page = client_of("Finance manager").get(PERIODS)

    (entity,) = page.context["entities"]
    rows = {row["month"]: row for row in entity["rows"]}
    states = {month: row["badge"].label for month, row in rows.items()}
    assert states[date(2025, 12, 1)] == states[date(2026, 1, 1)] == "Closed"
    assert (states[FEB_1], states[date(2026, 3, 1)]) == ("Open", "Not ended")
    assert [m for m, row in rows.items() if row["close_url"]] == [FEB_1]
    assert [m for m, row in rows.items() if row["reopen_url"]] == [date(2026, 1, 1)]
    assert list(rows) == sorted(rows, reverse=True)


def test_m6_every_ended_month_can_be_the_first_to_be_closed(group: BillGroup) -> None:
    page = client_of("Finance manager").get(PERIODS)

    (entity,) = page.context["entities"]
    closable = [row["month"] for row in entity["rows"] if row["close_url"]]
    assert (max(closable), min(closable)) == (FEB_1, date(2025, 3, 1))


@pytest.mark.parametrize("role", ROLES)
def test_server_refuses_those_who_may_not_close_or_reopen(
    group: BillGroup, role: str
) -> None:
    run_invoicing(as_of=FEB_1)
    client = client_of(role)

    listed = client.get(PERIODS)
    answer = client.post(close(group), {"_confirm": "1"})

    assert listed.status_code == 200
    may = role == "Finance manager"
    assert answer.status_code == (200 if may else 403)
    assert (CloseMonth.url(group.legal_entity_id).encode() in listed.content) is may


def test_month_that_is_no_month_is_the_next_one(group: BillGroup) -> None:
    page = client_of("Finance manager").get(close(group, "nonsense"))

    assert page.context["review"].figures[0].value == "February 2026"


@pytest.mark.parametrize("page", ["periods", "close"])
def test_page_costs_a_constant_number_of_queries(group: BillGroup, page: str) -> None:
    client = client_of("Finance manager")
    url = PERIODS if page == "periods" else close(group)

    def queries() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as counted:
            client.get(url)
        return len(counted)

    before = queries()
    for _ in range(3):
        other: BillGroup = BillGroupFactory.create(legal_entity=group.legal_entity)
        active_contract(other)
    stop(other)

    assert queries() == before
