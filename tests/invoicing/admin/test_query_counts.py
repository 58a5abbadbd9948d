"""Every page costs a number of queries that doesn't grow with its rows."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import BillGroup
from contracts.models import Contract
from invoicing.admin.credit import CreditInvoice
from invoicing.admin.overview import AccountOverview
from invoicing.admin.record_payment import RecordPaymentOfAccount
from invoicing.models import CreditLimit, CreditNote, Invoice, Payment
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import generate_next_invoice, run_invoicing
from invoicing.services.lifecycle import upload_contracts
from invoicing.services.payment_imports import upload_payments
from invoicing.services.payments import record_payment
from tests.factories import BillGroupFactory, ContractLineFactory, usage_line
from tests.staff import active_contract, client_of, company, draft_contract

pytestmark = pytest.mark.django_db

MOST_QUERIES = 40


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


def queries_of(client: Client, url: str) -> int:
    client.get(url, follow=True)  # content types and the like are read once
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url, follow=True)  # the portal worklist opens filtered
    assert answer.status_code == 200, url
    return len(queries)


def a_customer_more(group: BillGroup) -> None:
    """Give the account another group, contract, usage, invoice and import."""
    another = BillGroupFactory.create(
        account=group.account, legal_entity=group.legal_entity
    )
    for of_group in (group, another, BillGroupFactory.create()):
        active_contract(of_group, today=date(2026, 3, 10))
        generate_next_invoice(bill_group=of_group, actor=None, today=date(2026, 3, 10))
    draft_contract(another)
    credit_and_pay(another)
    upload_contracts(
        content=b"nonsense",
        file_name="bad.csv",
        legal_entity=group.legal_entity,
        actor=None,
        today=date(2026, 3, 10),
    )


def credit_and_pay(group: BillGroup) -> None:
    """Credit one of its invoices in part, twice, and leave balance behind."""
    day = date(2026, 3, 10)
    CreditLimit.objects.get_or_create(
        legal_entity=group.legal_entity, currency="USD", defaults={"amount": 5}
    )
    invoice = group.invoices.order_by("pk")[0]
    for amount in (Decimal(4), Decimal(3)):
        credit_invoice(
            invoice=invoice, reason="x", actor=None, today=day, amount=amount
        )
    for amount in (Decimal(30), Decimal(5000)):
        record_payment(
            bill_group=group,
            amount=amount,
            received_on=day,
            reference="",
            actor=None,
            today=day,
        )
    upload_payments(content=b"nonsense", file_name="x.csv", actor=None, today=day)


LISTS = [
    pytest.param(model, id=model._meta.label_lower)
    for model in sorted(admin.site._registry, key=lambda m: m._meta.label_lower)
]


@pytest.mark.parametrize("model", LISTS)
def test_list_reads_its_rows_in_a_constant_number_of_queries(
    model: type[Model],
) -> None:
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    group = BillGroupFactory.create(legal_entity=company())
    client = client_of("Administrator")
    a_customer_more(group)
    run_invoicing(as_of=date(2026, 3, 10))
    before = queries_of(client, url)

    a_customer_more(group)
    client_of("Finance clerk")
    run_invoicing(as_of=date(2026, 3, 10))

    assert queries_of(client, url) == before
    assert before <= MOST_QUERIES


def pages(group: BillGroup, contract: Contract) -> dict[str, str]:
    invoice = Invoice.objects.order_by("pk")[0]
    return {
        "today": reverse("admin:index"),
        "overview": AccountOverview.url(group.account_id),
        "bill_group": reverse("admin:billing_billgroup_change", args=[group.pk]),
        "contract": reverse("admin:contracts_contract_change", args=[contract.pk]),
        "invoice": reverse("admin:invoicing_invoice_change", args=[invoice.pk]),
        "pending": reverse("admin:invoicing_pending"),
        "dry_run": reverse("admin:invoicing_dry_run") + "?legal_entity="
        f"{group.legal_entity_id}&as_of=2026-06-01",
        "search": reverse("admin:search") + "?q=c",
        "why": reverse("admin:invoicing_why") + f"?q={group.account.number}",
        "credit": CreditInvoice.url(Invoice.objects.filter(status="OPEN")[0].pk),
        "credit_note": _page_of(CreditNote),
        "payment": _page_of(Payment),
        "record_payment": RecordPaymentOfAccount.url(group.account_id),
    }


def _page_of(model: type[Model]) -> str:
    first = model._default_manager.order_by("pk")[0]
    name = f"admin:invoicing_{model._meta.model_name}_change"
    return reverse(name, args=[first.pk])


PAGES = (
    "today", "overview", "bill_group", "contract", "invoice", "pending", "dry_run",
    "search", "why", "credit", "credit_note", "payment", "record_payment",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_page_costs_a_constant_number_of_queries(name: str) -> None:
    group = BillGroupFactory.create(legal_entity=company())
    client = client_of("Finance manager")
    a_customer_more(group)
    contract = group.contracts.order_by("pk")[0]
    before = queries_of(client, pages(group, contract)[name])

    a_customer_more(group)

    assert queries_of(client, pages(group, contract)[name]) == before
    assert before <= MOST_QUERIES


def test_draft_with_many_lines_reads_its_choices_once() -> None:
    contract = draft_contract()
    client = client_of("Finance clerk")
    url = reverse("admin:contracts_contract_change", args=[contract.pk])
    before = queries_of(client, url)

    for position in range(2, 8):
        ContractLineFactory.create(contract=contract, position=position)
    usage_line(contract=contract, position=8)

    assert queries_of(client, url) == before
