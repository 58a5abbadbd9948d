"""The invoice list: views, chips, totals of what is filtered, and its export."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Account, BillGroup, LegalEntity
from config.adminsite import paginator
from customfields.domain.csv_cells import plain_text
from invoicing.models import Invoice
from invoicing.services.generation import generate_next_invoice
from tests.factories import BillGroupFactory
from tests.staff import ROLES, active_contract, client_of, company

pytestmark = pytest.mark.django_db

LIST = "admin:invoicing_invoice_changelist"
EXPORT = "admin:invoicing_invoice_export"
MOST_BYTES = 100 * 1024
MOST_REQUESTS = 25


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    """A group with an overdue invoice of January and one of this month."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made, today=date(2026, 1, 1))
    generate_next_invoice(bill_group=made, actor=None, today=date(2026, 3, 1))
    return made


def shown(client: Client, **query: Any) -> Any:
    return client.get(reverse(LIST), query)


def exported(client: Client, **query: Any) -> list[dict[str, str]]:
    answer: Any = client.get(reverse(EXPORT), query)
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_overdue_is_counted_and_shows_what_is_late(group: BillGroup) -> None:
    client = client_of("Finance clerk")
    views = {view.label: view for view in shown(client).context["invoice_views"]}
    late = views["Overdue"]

    page = client.get(reverse(LIST) + late.query)

    assert late.count == 1
    assert [row.issue_date for row in page.context["cl"].result_list] == [
        date(2026, 1, 1)
    ]


@pytest.mark.parametrize(
    "label", ["All", "Drafts to review", "Overdue", "Open", "March"]
)
def test_view_that_is_shown_is_marked(group: BillGroup, label: str) -> None:
    client = client_of("Auditor")
    views = {view.label: view for view in shown(client).context["invoice_views"]}

    page = client.get(reverse(LIST) + views[label].query)

    marked = [v.label for v in page.context["invoice_views"] if v.is_current]
    assert marked == [label]


def test_this_month_shows_what_was_issued_in_it(group: BillGroup) -> None:
    client = client_of("Auditor")
    (month,) = [v for v in shown(client).context["invoice_views"] if v.label == "March"]

    page = client.get(reverse(LIST) + month.query)

    assert [row.issue_date for row in page.context["cl"].result_list] == [
        date(2026, 3, 1)
    ]


def test_chip_says_what_it_is_set_to(group: BillGroup) -> None:
    page = shown(
        client_of("Auditor"), status="OPEN", issue_date_after="2026-03-01"
    ).content.decode()

    assert "Status: <b>Open</b>" in page
    assert "Issued: <b>from 1 Mar 2026</b>" in page


def test_totals_are_those_of_the_filtered_set_by_currency(group: BillGroup) -> None:
    yen = BillGroupFactory.create(legal_entity=group.legal_entity, currency="JPY")
    active_contract(yen, today=date(2026, 3, 1))
    client = client_of("Auditor")

    (dollars, yens) = sorted(
        shown(client).context["totals"], key=lambda t: t["currency"], reverse=True
    )
    (march, _) = sorted(
        shown(client, issue_date_after="2026-03-01").context["totals"],
        key=lambda t: t["currency"],
        reverse=True,
    )

    assert (dollars["currency"], dollars["count"], dollars["total"]) == ("USD", 2, 200)
    assert yens["total"] == 100
    assert (march["count"], march["due"]) == (1, Decimal(100))


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"]
)
def test_days_of_a_filter_are_those_of_the_documents(
    group: BillGroup, zone: str
) -> None:
    """Wherever the seller is: both ends are included, and no day more."""
    LegalEntity.objects.update(time_zone=zone)
    client = client_of("Auditor")
    on, before, after = "2026-03-01", "2026-02-28", "2026-03-02"

    def found(**days: str) -> int:
        return int(shown(client, **days).context["cl"].result_count)

    assert found(issue_date_after=on, issue_date_before=on) == 1
    assert found(issue_date_after=after) == 0
    assert found(issue_date_before=before) == 1
    assert len(exported(client, issue_date_after=after)) == 0


def test_a_filter_is_asked_once_for_count_and_totals(
    group: BillGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of custom fields may take as long as all else; many rows are asked twice."""
    client = client_of("Auditor")
    few = filter_statements(client)
    monkeypatch.setattr(paginator, "MOST_KEYS", 1)

    many = filter_statements(client)
    totals = shown(client, status="OPEN").context["totals"]
    monkeypatch.setattr(paginator, "CAP", 1)

    assert (few, many) == (2, 3)
    assert [(one["count"], one["total"]) for one in totals] == [(2, 200)]
    assert shown(client, status="OPEN").context["totals"] == []


def filter_statements(client: Client) -> int:
    """Count the statements that look for what no other part of the page looks for."""
    with CaptureQueriesContext(connection) as asked:
        shown(client, issue_date_after="2026-01-01")
    return sum("'2026-01-01'" in query["sql"] for query in asked.captured_queries)


def test_export_holds_what_the_filters_leave(group: BillGroup) -> None:
    client = client_of("Auditor")

    rows = exported(client, issue_date_after="2026-03-01", status="OPEN")

    (row,) = rows
    invoice = Invoice.objects.get(issue_date=date(2026, 3, 1))
    assert row["number"] == invoice.number
    assert row["bill_group"] == group.public_id
    assert (row["currency"], row["total"]) == ("USD", "100.00")
    assert row["issue_date"] == "2026-03-01"


def test_export_searches_as_the_list_does(group: BillGroup) -> None:
    number = Invoice.objects.earliest("pk").number

    (row,) = exported(client_of("Auditor"), q=number)

    assert row["number"] == number


def test_export_of_yen_has_no_cents(group: BillGroup) -> None:
    """M1."""
    yen = BillGroupFactory.create(legal_entity=group.legal_entity, currency="JPY")
    active_contract(yen, today=date(2026, 3, 1))

    (row,) = exported(client_of("Auditor"), currency="jpy")

    assert row["total"] == "100"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_name_is_a_formula_in_a_spreadsheet(group: BillGroup, name: str) -> None:
    Account.objects.filter(pk=group.account_id).update(name=name)

    rows = exported(client_of("Auditor"))

    assert {row["account_name"] for row in rows} == {plain_text(name)}
    assert plain_text(name).startswith("'")


def test_export_refuses_filters_that_it_cannot_read(group: BillGroup) -> None:
    answer = client_of("Auditor").get(reverse(EXPORT), {"status": "NONSENSE"})

    assert answer.status_code == 400


@pytest.mark.parametrize("role", ROLES)
def test_everybody_of_finance_and_support_may_export(
    group: BillGroup, role: str
) -> None:
    """Section 9: all of them may view."""
    assert len(exported(client_of(role))) == 2


def test_export_needs_the_permission_to_view(group: BillGroup) -> None:
    from tests.factories import UserFactory

    client = Client()
    client.force_login(UserFactory.create(is_staff=True))

    assert client.get(reverse(EXPORT)).status_code == 403


def test_full_list_stays_light(group: BillGroup) -> None:
    """DESIGN section 9: 100 KB of HTML, 25 requests."""
    for _ in range(48):
        active_contract(
            BillGroupFactory.create(legal_entity=group.legal_entity),
            today=date(2026, 3, 1),
        )

    page = shown(client_of("Finance manager"))

    assert len(page.context["cl"].result_list) == 50
    assert len(page.content) < MOST_BYTES
    linked = page.content.count(b"<link ") + page.content.count(b"src=")
    assert linked < MOST_REQUESTS
