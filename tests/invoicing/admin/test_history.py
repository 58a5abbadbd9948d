"""*What happened* on the pages of accounts, groups, contracts and papers (M5)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import BillGroup
from billing.services.audit import record
from billing.services.bill_groups import deactivate_bill_group
from contracts.models import Contract
from invoicing.models import CreditNote, Invoice, Payment
from invoicing.queries.history import ENTRIES_READ, LINES_SHOWN
from invoicing.services.credits import credit_invoice
from invoicing.services.payments import record_payment
from invoicing.services.payments_taken_back import take_back_payment
from tests.factories import BillGroupFactory, UserFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 10)


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    """A group with an invoice that dora credited and that was paid."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made, today=TODAY)
    dora = UserFactory.create(username="dora")
    credit_invoice(
        invoice=Invoice.objects.get(),
        reason="One seat too many",
        actor=dora,
        today=TODAY,
        amount=Decimal(20),
    )
    payment = record_payment(
        bill_group=made,
        amount=Decimal(80),
        received_on=TODAY,
        reference="ACH 7",
        actor=dora,
        today=TODAY,
    )
    take_back_payment(payment=payment, reason="Bounced", actor=dora, today=TODAY)
    return made


def pages(group: BillGroup) -> dict[str, str]:
    rows = {
        "billing_account_overview": group.account_id,
        "billing_billgroup_change": group.pk,
        "contracts_contract_change": Contract.objects.get(bill_group=group).pk,
        "invoicing_invoice_change": Invoice.objects.get(bill_group=group).pk,
        "invoicing_creditnote_change": CreditNote.objects.get().pk,
        "invoicing_payment_change": Payment.objects.get().pk,
    }
    return {name: reverse(f"admin:{name}", args=[pk]) for name, pk in rows.items()}


TOLD = {
    "billing_account_overview": ["Contract activated", "Payment taken back"],
    "billing_billgroup_change": ["Credit note issued for 20.00", "Payment recorded"],
    "contracts_contract_change": ["Contract activated"],
    "invoicing_invoice_change": ["Invoice issued for 100.00", "Credit note issued"],
    "invoicing_creditnote_change": ["Credit note issued for 20.00", "One seat too"],
    "invoicing_payment_change": ["Payment recorded for 80.00", "Bounced"],
}


def told(client: Client, url: str, **asked: str) -> str:
    text = client.get(url, asked).content.decode()
    start = text.index('id="history"')
    return text[start : text.index("</section>", start)]


@pytest.mark.parametrize("page", TOLD)
def test_m5_page_tells_its_own_history_in_sentences(
    group: BillGroup, page: str
) -> None:
    said = told(client_of("Auditor"), pages(group)[page])

    for sentence in TOLD[page]:
        assert sentence in said
    assert "{" not in said


def test_m5_credit_and_payment_tell_nothing_of_others(group: BillGroup) -> None:
    client = client_of("Auditor")

    assert "Payment" not in told(client, pages(group)["invoicing_creditnote_change"])
    assert "Credit" not in told(client, pages(group)["invoicing_payment_change"])


def test_m5_mails_of_a_credit_note_are_told_as_its_own(group: BillGroup) -> None:
    note = CreditNote.objects.select_related("invoice").get()
    for document in (note, note.invoice):
        record(
            "delivery.sent_again",
            actor=None,
            subject=str(document),
            account_id=group.account_id,
            bill_group_id=group.pk,
            invoice_id=note.invoice_id,
            after={"recipient": f"{document}@halden.example"},
            reason="Lost",
        )
    client = client_of("Auditor")

    of_invoice = told(client, pages(group)["invoicing_invoice_change"])
    of_note = told(client, pages(group)["invoicing_creditnote_change"])

    assert f"Queued to be mailed again</b> {note.number}" in of_invoice
    assert f"{note.number}@halden.example" in of_note
    assert f"{note.invoice.number}@halden.example" not in of_note


def test_m5_before_after_why_and_who_are_told(group: BillGroup) -> None:
    dora = User.objects.get(username="dora")
    deactivate_bill_group(bill_group=group, reason="They move", actor=dora, today=TODAY)

    said = told(client_of("Auditor"), pages(group)["billing_billgroup_change"])

    assert "Bill group deactivated" in said
    assert "</span>Active</del>" in said
    assert "</span>Inactive</ins>" in said
    assert "<q>They move</q>" in said
    assert "dora" in said


def test_m5_history_survives_the_deletion_of_a_user(group: BillGroup) -> None:
    User.objects.get(username="dora").delete()

    for page, url in pages(group).items():
        if page != "contracts_contract_change":
            assert "dora" in told(client_of("Auditor"), url), page


def mails(group: BillGroup, count: int) -> None:
    for _ in range(count):
        record(
            "delivery.sent",
            actor=None,
            subject="INV-1",
            account_id=group.account_id,
            bill_group_id=group.pk,
        )


def test_flood_of_mails_is_one_line(group: BillGroup) -> None:
    mails(group, 30)

    said = told(client_of("Auditor"), pages(group)["billing_account_overview"])

    assert "30 mails sent" in said
    assert "Payment taken back" in said


def test_kind_is_shown_alone(group: BillGroup) -> None:
    client = client_of("Auditor")
    url = pages(group)["billing_account_overview"]

    money = told(client, url, kind="money")
    terms = told(client, url, kind="terms")
    people = told(client, url, kind="people")

    assert "Payment recorded" in money
    assert "Contract activated" not in money
    assert "Contract activated" in terms
    assert "Nothing of this kind was recorded." in people


def test_long_history_goes_on_page_by_page(group: BillGroup) -> None:
    for number in range(LINES_SHOWN + 5):
        record(
            "account.changed",
            actor=None,
            subject=f"Change {number:02d}.",
            account_id=group.account_id,
        )
    client = client_of("Auditor")
    url = pages(group)["billing_account_overview"]

    first = client.get(url, {"pending": "all"})
    panel = first.context["history"]
    second = client.get(url + panel["older"].partition("#")[0])

    assert len(panel["lines"]) == LINES_SHOWN
    assert "pending=all" in panel["older"]
    seen = [line.entries[0].event.pk for line in panel["lines"]]
    then = [line.entries[0].event.pk for line in second.context["history"]["lines"]]
    assert seen + then == sorted({*seen, *then}, reverse=True)
    assert "Change 00." in second.content.decode()
    assert second.context["history"]["newest"]


def test_flood_longer_than_a_page_goes_on(group: BillGroup) -> None:
    mails(group, ENTRIES_READ + 1)

    answer = client_of("Auditor").get(pages(group)["billing_account_overview"])

    panel = answer.context["history"]
    assert [line.summary for line in panel["lines"]] == [f"{ENTRIES_READ} mails sent"]
    assert panel["older"]


@pytest.mark.parametrize(
    "asked",
    [{"kind": "nonsense"}, {"before": "x"}, {"before": "9" * 40}, {"before": "\uff11"}],
)
def test_what_is_no_page_shows_the_newest(
    group: BillGroup, asked: dict[str, str]
) -> None:
    said = told(client_of("Auditor"), pages(group)["billing_account_overview"], **asked)

    assert "Payment taken back" in said


def test_whoever_may_not_see_the_trail_has_no_panel(group: BillGroup) -> None:
    user = UserFactory.create(is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__startswith="view_",
        ).exclude(codename="view_auditevent")
    )
    client = Client()
    client.force_login(user)

    for url in pages(group).values():
        answer = client.get(url)
        assert answer.status_code == 200
        assert 'id="history"' not in answer.content.decode()


def test_history_costs_two_queries_however_long(group: BillGroup) -> None:
    client = client_of("Auditor")

    def count(url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        return len(queries)

    for url in pages(group).values():
        before = count(url)
        mails(group, 3)
        more: Any = Invoice.objects.get(bill_group=group)
        record(
            "invoice.discarded",
            actor=None,
            subject="x",
            account_id=group.account_id,
            bill_group_id=group.pk,
            invoice_id=more.pk,
        )
        assert count(url) == before
