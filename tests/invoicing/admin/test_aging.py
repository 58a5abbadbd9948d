"""What is overdue and superseded, known in lists, on accounts and in the report."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import BillGroup
from invoicing.models import CreditNote, Invoice, NumberSeries
from invoicing.services.corrections import reissue_invoice
from invoicing.services.credits import credit_invoice
from invoicing.services.payments import record_payment
from tests.factories import BillGroupFactory, LegalEntityFactory
from tests.staff import active_contract, client_of, company, person

pytestmark = pytest.mark.django_db

ISSUED, DUE = date(2026, 1, 1), date(2026, 1, 31)
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def group() -> BillGroup:
    """A group that owes 100.00 USD since 31 January."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made, today=ISSUED)
    return made


@pytest.fixture
def first_of_february() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def listed(client: Client, **filters: str) -> Any:
    return client.get(reverse("admin:invoicing_invoice_changelist"), filters)


def found(client: Client, **filters: str) -> list[int]:
    return [invoice.pk for invoice in listed(client, **filters).context["cl"].queryset]


@pytest.mark.parametrize(
    ("zone", "at", "is_overdue"),
    [
        ("Europe/Berlin", datetime(2026, 1, 31, 22, 59, tzinfo=UTC), False),
        ("Europe/Berlin", datetime(2026, 1, 31, 23, 0, tzinfo=UTC), True),
        ("America/New_York", datetime(2026, 2, 1, 4, 59, tzinfo=UTC), False),
        ("America/New_York", datetime(2026, 2, 1, 5, 0, tzinfo=UTC), True),
    ],
)
def test_overdue_begins_with_the_day_after_where_the_seller_is(
    zone: str, at: datetime, *, is_overdue: bool
) -> None:
    company()
    entity = LegalEntityFactory.create(name="Seller", time_zone=zone)
    NumberSeries.objects.create(legal_entity=entity, kind="INVOICE", prefix="S-")
    active_contract(BillGroupFactory.create(legal_entity=entity), today=ISSUED)
    client = client_of("Auditor")

    with time_machine.travel(at, tick=False):
        page = listed(client, overdue="yes")

    assert page.context["cl"].queryset.exists() is is_overdue
    assert (b"Overdue 1 d" in page.content) is is_overdue


@pytest.mark.usefixtures("first_of_february")
def test_what_is_paid_is_not_overdue(group: BillGroup) -> None:
    client = client_of("Auditor")
    assert len(found(client, overdue="yes")) == 1

    record_payment(
        bill_group=group,
        amount=Decimal(100),
        received_on=DUE,
        reference="",
        actor=None,
        today=date(2026, 2, 1),
    )

    assert found(client, overdue="yes") == []


@pytest.mark.usefixtures("first_of_february")
def test_a3_superseded_is_a_mark_beside_the_status_and_a_filter(
    group: BillGroup,
) -> None:
    other = BillGroupFactory.create(legal_entity=group.legal_entity)
    active_contract(other, today=ISSUED)
    old = Invoice.objects.get(bill_group=group)
    reissue_invoice(invoice=old, reason="New PO", actor=None, today=date(2026, 2, 1))
    client = client_of("Auditor")
    overview = reverse("admin:billing_account_overview", args=[group.account_id])
    own = reverse("admin:invoicing_invoice_change", args=[old.pk])

    assert found(client, superseded="yes") == [old.pk]
    assert found(client, superseded="to_credit") == [old.pk]
    for url in (reverse("admin:invoicing_invoice_changelist"), overview, own):
        text = client.get(url).content.decode()
        assert text.count('<span class="badge wait">Superseded</span>') == 1, url

    credit_invoice(
        invoice=old, reason="x", actor=None, today=date(2026, 2, 1), with_paid=True
    )

    assert found(client, superseded="yes") == [old.pk]
    assert found(client, superseded="to_credit") == []
    page = client.get(own).content.decode()
    assert '<span class="badge past">Superseded</span>' in page


def report(client: Client, **asked: str) -> Any:
    return client.get(reverse("admin:invoicing_aging"), asked)


@pytest.mark.usefixtures("first_of_february")
def test_report_has_each_account_by_age_and_the_totals(group: BillGroup) -> None:
    yen = BillGroupFactory.create(
        account=group.account, legal_entity=group.legal_entity, currency="JPY"
    )
    active_contract(yen, today=date(2026, 1, 20))

    page = report(client_of("Auditor"))

    rows = [
        (item["row"].currency, item["row"].amounts, item["row"].overdue)
        for item in page.context["rows"]
    ]
    assert rows == [
        ("USD", (0, 100, 0, 0, 0), 100),
        ("JPY", (100, 0, 0, 0, 0), 0),
    ]
    totals = {one["row"].currency: one["row"].total for one in page.context["totals"]}
    assert totals == {"JPY": 100, "USD": 100}
    linked = page.context["rows"][0]["cells"][1][1]
    cl = client_of("Auditor").get(linked).context["cl"]
    assert [one.currency for one in cl.queryset] == ["USD"]


@pytest.mark.usefixtures("first_of_february")
@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 2),
        ({"only": "overdue"}, 1),
        ({"currency": "usd"}, 2),
        ({"currency": "EUR"}, 0),
        ({"account": "ACC-HALDEN"}, 1),
        ({"account": "nobody"}, 0),
        ({"legal_entity": "999999"}, 0),
        ({"only": "nonsense"}, 0),
        ({"page": "99"}, 2),
    ],
)
def test_report_shows_what_was_asked_for(
    group: BillGroup, asked: dict[str, str], count: int
) -> None:
    halden = BillGroupFactory.create(
        legal_entity=group.legal_entity, account__number="ACC-HALDEN"
    )
    active_contract(halden, today=date(2026, 1, 20))

    page = report(client_of("Auditor"), **asked)

    assert len(page.context["rows"]) == count


@pytest.mark.usefixtures("first_of_february")
def test_report_as_csv(group: BillGroup) -> None:
    account = group.account
    account.name = "=cmd()"
    account.save()
    url = reverse("admin:invoicing_aging_export")

    answer: Any = client_of("Auditor").get(url)

    text = b"".join(answer.streaming_content).decode()
    (row,) = csv.DictReader(text.splitlines())
    assert row["account_name"] == "'=cmd()"
    assert (row["days_1_30"], row["overdue"], row["total"]) == (
        "100.00",
        "100.00",
        "100.00",
    )


@pytest.mark.parametrize("name", ["invoicing_aging", "invoicing_aging_export"])
def test_report_is_refused_to_whoever_may_not_see_invoices(name: str) -> None:
    client = Client()
    client.force_login(User.objects.create(username="new", is_staff=True))

    assert client.get(reverse(f"admin:{name}")).status_code == 403


@pytest.mark.usefixtures("first_of_february")
def test_report_and_account_cost_a_constant_number_of_queries(
    group: BillGroup,
) -> None:
    client = client_of("Auditor")
    urls = [
        reverse("admin:invoicing_aging"),
        reverse("admin:billing_account_overview", args=[group.account_id]),
        reverse("admin:invoicing_invoice_changelist") + "?superseded=yes&overdue=yes",
    ]
    money_of(group)

    def counts() -> list[int]:
        found = []
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            found.append(len(queries))
        return found

    a_group_more(group)
    before = counts()
    for _ in range(3):
        a_group_more(group)

    assert counts() == before


def a_group_more(group: BillGroup) -> None:
    """Give its account another group with money, and the company another customer."""
    day = date(2026, 2, 1)
    another = BillGroupFactory.create(
        account=group.account, legal_entity=group.legal_entity
    )
    active_contract(another, today=day)
    money_of(another)
    active_contract(BillGroupFactory.create(legal_entity=group.legal_entity), today=day)


def money_of(group: BillGroup) -> None:
    """Pay and credit a part of its invoice."""
    day = date(2026, 2, 1)
    record_payment(
        bill_group=group,
        amount=Decimal(5),
        received_on=day,
        reference="",
        actor=None,
        today=day,
    )
    invoice = Invoice.objects.get(bill_group=group)
    credit_invoice(
        invoice=invoice, reason="x", actor=None, today=day, amount=Decimal(7)
    )


@pytest.mark.usefixtures("first_of_february")
def test_account_shows_ages_payments_and_credits(group: BillGroup) -> None:
    money_of(group)
    overview = reverse("admin:billing_account_overview", args=[group.account_id])
    client = Client()
    client.force_login(person("Auditor"))

    page = client.get(overview)

    (ages,) = page.context["ages"]
    assert [age.amount for age, _ in ages["cells"]] == [0, 88, 0, 0, 0]
    text = page.content.decode()
    assert (
        reverse("admin:invoicing_creditnote_change", args=[CreditNote.objects.get().pk])
        in text
    )
    assert 'id="pay"' in text
