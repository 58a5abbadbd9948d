"""The statement of an account as page, PDF and CSV (M4)."""

import csv
from collections.abc import Iterator
from datetime import date
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
from invoicing.admin.statement import StatementPage
from invoicing.services import statement_papers
from invoicing.services.payments import record_payment
from invoicing.services.rendering import PangoMissing
from invoicing.services.statement_papers import statement_html
from invoicing.services.statements import account_statements
from tests.factories import BillGroupFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    """A group that was invoiced 100.00 USD on 10 March and has paid 130.00."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made, today=date(2026, 3, 10))
    pay(made, reference="=1+1")
    return made


def pay(group: BillGroup, reference: str) -> None:
    record_payment(
        bill_group=group,
        amount=Decimal(130),
        received_on=date(2026, 3, 9),
        reference=reference,
        actor=None,
        today=date(2026, 3, 10),
    )


def page(group: BillGroup, client: Client, **asked: str) -> Any:
    return client.get(StatementPage.url(group.account_id), asked)


def file(group: BillGroup, client: Client, kind: str, **asked: str) -> Any:
    url = reverse(f"admin:billing_account_statement-{kind}", args=[group.account_id])
    return client.get(url, asked)


@pytest.mark.parametrize("role", ["Auditor", "Finance clerk", "Support"])
def test_m4_page_tells_what_was_booked(group: BillGroup, role: str) -> None:
    answer = page(group, client_of(role))

    said = answer.content.decode()
    assert "Balance before 1 Feb 2026" in said
    assert "Payment =1+1" in said
    assert "received 9 Mar 2026" in said
    assert "100.00\N{NO-BREAK SPACE}USD off what was due" in said
    assert answer.context["ledgers"][0]["drawn"].closing.balance == Decimal(-30)


def test_account_overview_leads_to_it(group: BillGroup) -> None:
    overview = reverse("admin:billing_account_overview", args=[group.account_id])

    said = client_of("Auditor").get(overview).content.decode()

    assert StatementPage.url(group.account_id) in said


@pytest.mark.parametrize("kind", ["", "pdf", "csv"])
def test_whoever_may_not_see_invoices_is_refused(group: BillGroup, kind: str) -> None:
    client = Client()
    client.force_login(User.objects.create(username="new", is_staff=True))

    answer = file(group, client, kind) if kind else page(group, client)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"first": "2026-03-02", "last": "2026-03-01"}, "before it begins"),
        ({"last": "2026-03-11"}, "has not come yet"),
        ({"first": "nonsense"}, "Enter a valid date"),
        ({"first": "0000-01-01"}, "Enter a valid date"),
        ({"last": "9999-12-31"}, "has not come yet"),
        ({"last": "10000-01-01"}, "Enter a valid date"),
        ({"first": "2026-02-30"}, "Enter a valid date"),
        ({"bill_group": "999999"}, "Select a valid choice"),
        ({"bill_group": "x' OR 1=1"}, "Select a valid choice"),
    ],
)
def test_what_can_not_be_drawn_is_said_on_the_page(
    group: BillGroup, asked: dict[str, str], sentence: str
) -> None:
    client = client_of("Auditor")

    assert sentence in page(group, client, **asked).content.decode()
    for kind in ("pdf", "csv"):
        answer = file(group, client, kind, **asked)
        assert answer.url.startswith(StatementPage.url(group.account_id))


def test_first_days_of_all_are_no_fault(group: BillGroup) -> None:
    answer = page(group, client_of("Auditor"), first="0001-01-01", last="0001-01-01")

    assert answer.context["ledgers"][0]["drawn"].movements == ()


def test_bill_group_of_another_account_is_none_of_it(group: BillGroup) -> None:
    other = BillGroupFactory.create()

    answer = page(group, client_of("Auditor"), bill_group=str(other.pk))

    assert "Select a valid choice" in answer.content.decode()


def test_csv_has_every_figure_and_no_formula(group: BillGroup) -> None:
    answer = file(group, client_of("Auditor"), "csv")

    text = b"".join(answer.streaming_content).decode()
    opening, invoice, payment, closing = csv.DictReader(text.splitlines())
    assert (opening["kind"], opening["account_balance"]) == ("OPENING", "0.00")
    assert (invoice["due_change"], invoice["due"]) == ("100.00", "100.00")
    assert (payment["due_change"], payment["balance_held_change"]) == (
        "-100.00",
        "30.00",
    )
    assert payment["document"] == "'=1+1"
    assert (closing["kind"], closing["account_balance"]) == ("CLOSING", "-30.00")


def test_pdf_is_in_the_language_of_the_account(group: BillGroup) -> None:
    account = group.account
    account.language = "de"
    account.save()
    drawn = account_statements(
        account=account,
        first=date(2026, 3, 1),
        last=date(2026, 3, 10),
        today=date(2026, 3, 10),
        bill_group=group,
    )

    said = statement_html(drawn)

    assert "Kontoauszug" in said
    assert "Saldo am 10. März 2026" in said
    assert "Ihr Guthaben" in said
    assert group.public_id in said


def test_pdf_is_sent(group: BillGroup) -> None:
    answer = file(group, client_of("Auditor"), "pdf")

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert "statement_2026-02-01_2026-03-10.pdf" in answer["Content-Disposition"]


def test_what_hinders_the_pdf_is_said_on_the_page(
    group: BillGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of("Auditor")
    monkeypatch.setattr(statement_papers, "MOST_PRINTED", 1)

    too_long = file(group, client, "pdf")

    said = client.get(too_long.url).content.decode()
    assert "The range has 2 rows, and a PDF has at most 1." in said

    def no_pango(html: str) -> bytes:
        raise PangoMissing

    monkeypatch.setattr(statement_papers, "MOST_PRINTED", 9)
    monkeypatch.setattr(statement_papers, "render", no_pango)
    answer = client.get(file(group, client, "pdf").url)
    assert "Pango libraries are missing" in answer.content.decode()


def test_page_costs_a_constant_number_of_queries(group: BillGroup) -> None:
    client = client_of("Auditor")

    def count() -> int:
        page(group, client)
        with CaptureQueriesContext(connection) as queries:
            assert page(group, client).status_code == 200
        return len(queries)

    before = count()
    for number in range(3):
        another = BillGroupFactory.create(
            account=group.account, legal_entity=group.legal_entity
        )
        active_contract(another, today=date(2026, 3, 10))
        pay(another, f"ACH {number}")

    assert count() == before <= 40
