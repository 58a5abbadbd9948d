"""The filters that lists of documents and payments share, on each of these lists."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import BillGroup
from invoicing.services.credits import credit_invoice
from invoicing.services.payments import record_payment
from tests.portal import portal_group, portal_invoice
from tests.staff import client_of

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 1)
LISTS = ("invoice", "creditnote", "payment", "portalsubmission")
OF_MONEY = ("invoice", "creditnote", "payment")


@pytest.fixture
def halden() -> BillGroup:
    """Return one of two customers who each have one of everything."""
    groups = [
        portal_group(
            account__number=f"ACC-{name.upper()}",
            account__name=f"{name} Ltd",
            currency=currency,
        )
        for name, currency in (("Halden", "EUR"), ("Other", "USD"))
    ]
    for group in groups:
        invoice = portal_invoice(group, today=TODAY)
        credit_invoice(
            invoice=invoice, reason="x", actor=None, today=TODAY, amount=Decimal(10)
        )
        record_payment(
            bill_group=group,
            amount=Decimal(10),
            received_on=TODAY,
            reference="",
            actor=None,
            today=TODAY,
        )
    return groups[0]


def found(listed: str, query: dict[str, str]) -> int:
    """Count what a list shows for a query."""
    url = reverse(f"admin:invoicing_{listed}_changelist")
    page = client_of("Auditor").get(url, query)
    assert page.status_code == 200
    count: int = page.context["cl"].result_count
    return count


@pytest.mark.parametrize("listed", LISTS)
@pytest.mark.parametrize("typed", ["ACC-HALDEN", "acc-halden", "hal", " Halden "])
@pytest.mark.usefixtures("halden")
def test_by_account(listed: str, typed: str) -> None:
    both = 4 if listed == "portalsubmission" else 2

    assert found(listed, {"account": " "}) == both
    assert found(listed, {"account": typed}) == both / 2
    assert found(listed, {"account": "nobody"}) == 0


@pytest.mark.parametrize("listed", LISTS)
def test_by_bill_group(listed: str, halden: BillGroup) -> None:
    both = 4 if listed == "portalsubmission" else 2

    assert found(listed, {"bill_group": " "}) == both
    assert found(listed, {"bill_group": halden.public_id}) == both / 2
    assert found(listed, {"bill_group": "BG-999999"}) == 0


@pytest.mark.parametrize("listed", OF_MONEY)
@pytest.mark.usefixtures("halden")
def test_by_currency(listed: str) -> None:
    assert found(listed, {"currency": " "}) == 2
    assert found(listed, {"currency": "eur"}) == 1
    assert found(listed, {"currency": "GBP"}) == 0


def test_an_account_of_that_number_hides_those_that_begin_so() -> None:
    for number in ("ACC-1", "ACC-12"):
        portal_invoice(portal_group(account__number=number), today=TODAY)

    assert found("invoice", {"account": "ACC-1"}) == 1
    assert found("invoice", {"account": "ACC"}) == 2
