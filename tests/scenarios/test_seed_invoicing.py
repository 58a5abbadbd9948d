"""When an invoice is generated: each sentence of the FAQ, through the admin (G1-G6)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from billing.models import BillGroup, InvoicingSettings
from contracts.models import Contract, ContractImport, ScheduledCharge
from invoicing.admin.activation import ActivateContract
from invoicing.admin.canceling import CancelContract
from invoicing.admin.generate import GenerateNextInvoice
from invoicing.admin.imports import ImportContracts, UploadContracts
from invoicing.admin.reactivation import ReactivateBillGroup
from invoicing.models import Invoice
from invoicing.services.generation import run_invoicing
from tests.books import broken_invariants
from tests.contracts.sheet import sheet
from tests.factories import ContractLineFactory, usage_line
from tests.scenarios.clicks import confirm, refusal
from tests.staff import active_contract, client_of, company, draft_contract

pytestmark = pytest.mark.django_db

JAN_1, FEB_1 = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture(autouse=True)
def new_year() -> Iterator[None]:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        yield
    assert broken_invariants() == []


def activate(contract: Contract) -> None:
    confirm(client_of("Finance clerk"), ActivateContract.url(contract.pk))


def generate_by_hand(contract: Contract) -> None:
    """Click the button of the Account Overview."""
    client = client_of("Finance clerk")
    url = GenerateNextInvoice.url(contract.bill_group_id)
    account = contract.bill_group.account_id
    overview = client.get(reverse("admin:billing_account_overview", args=[account]))
    assert url in overview.content.decode()
    confirm(client, url)


def bill_dates() -> list[date]:
    return list(
        Invoice.objects.order_by("bill_date").values_list("bill_date", flat=True)
    )


def test_g1_manual_in_settings_the_next_invoice_is_made_on_the_account() -> None:
    contract = draft_contract()
    InvoicingSettings.objects.create(
        legal_entity=contract.bill_group.legal_entity, invoicing="MANUAL"
    )

    activate(contract)
    run_invoicing(as_of=FEB_1)
    assert bill_dates() == []

    generate_by_hand(contract)
    assert bill_dates() == [JAN_1]


def test_g2_a_canceled_group_is_refused_by_hand() -> None:
    contract = draft_contract()
    BillGroup.objects.update(status="CANCELED")

    said = refusal(
        client_of("Finance clerk"), GenerateNextInvoice.url(contract.bill_group_id)
    )

    assert "Active" in said


def test_g2_an_inactive_group_is_set_to_active_and_invoiced_by_hand() -> None:
    contract = draft_contract()
    group = contract.bill_group
    BillGroup.objects.filter(pk=group.pk).update(status="INACTIVE")

    activate(contract)
    run_invoicing(as_of=FEB_1)
    said = refusal(client_of("Finance clerk"), GenerateNextInvoice.url(group.pk))
    assert "Active" in said
    assert bill_dates() == []

    confirm(client_of("Support"), ReactivateBillGroup.url(group.pk))
    run_invoicing(as_of=FEB_1)
    assert bill_dates() == []  # G4: its next invoice is made by hand

    generate_by_hand(contract)
    run_invoicing(as_of=FEB_1)
    assert bill_dates() == [JAN_1, FEB_1]


def test_g3_s5_a_manual_group_is_only_invoiced_by_hand() -> None:
    contract = draft_contract()
    BillGroup.objects.update(invoicing="MANUAL")

    activate(contract)
    run_invoicing(as_of=FEB_1)
    assert bill_dates() == []

    generate_by_hand(contract)
    assert bill_dates() == [JAN_1]


@pytest.mark.parametrize("kind", ["arrears", "usage"])
def test_g5_with_arrears_or_usage_the_first_invoice_waits_for_the_night(
    kind: str,
) -> None:
    contract = draft_contract()
    if kind == "usage":
        usage_line(contract=contract, position=2)
    else:
        ContractLineFactory.create(contract=contract, position=2, timing="ARREARS")

    activate(contract)
    assert bill_dates() == []

    run_invoicing(as_of=JAN_1)
    assert bill_dates() == [JAN_1]


def test_g6_else_the_first_is_made_at_once_and_the_next_at_night() -> None:
    activate(draft_contract())
    assert bill_dates() == [JAN_1]

    run_invoicing(as_of=FEB_1)
    assert bill_dates() == [JAN_1, FEB_1]


def test_i2_past_charges_of_a_file_are_billed_elsewhere_whatever_the_mode() -> None:
    company()
    client = client_of("Finance clerk")
    content = sheet({"start_date": "2025-11-01", "end_date": "2026-02-28"})
    file = SimpleUploadedFile("contracts.csv", content, "text/csv")
    page: Any = client.get(UploadContracts.url())
    fingerprint = page.context["review"].fingerprint
    client.post(
        UploadContracts.url(),
        {
            "legal_entity": company().pk,
            "file": file,
            "_confirm": "1",
            "_reviewed": fingerprint,
        },
    )
    upload = ContractImport.objects.get()
    confirm(client, ImportContracts.url(upload.pk), import_date="2026-01-01")

    run_invoicing(as_of=JAN_1)
    states = ScheduledCharge.objects.order_by("bill_date")

    assert list(states.values_list("state", flat=True)) == [
        *("EXTERNAL", "EXTERNAL", "INVOICED", "PENDING")
    ]
    assert bill_dates() == [JAN_1]
    assert BillGroup.objects.get().invoicing == "AUTOMATIC"


def test_s2_a_canceled_contracts_group_stops_after_its_last_day() -> None:
    contract = active_contract(price=31)
    client = client_of("Finance manager")
    confirm(
        client,
        CancelContract.url(contract.pk),
        last_day="2026-02-14",
        unused="NOTHING",
        reason="Left",
    )

    run_invoicing(as_of=date(2026, 12, 31))

    contract.refresh_from_db()
    assert bill_dates() == [JAN_1, FEB_1]
    assert Invoice.objects.order_by("-bill_date")[0].total == Decimal("15.50")
    assert contract.status == "CANCELED"
