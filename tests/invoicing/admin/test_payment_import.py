"""Files of payments on the screen: check, preview, record whole or nothing (M4)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing.models import BillGroup
from invoicing.admin.payment_import import RecordPaymentFile, UploadPaymentFile
from invoicing.models import Invoice, Payment, PaymentImport
from tests.books import broken_invariants
from tests.factories import BillGroupFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db

HEAD = "bill_group,amount,currency,received_on,reference\n"


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    """One open invoice of 100.00 USD."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made, today=date(2026, 1, 1))
    return made


def confirm(client: Client, url: str, **fields: Any) -> Any:
    review = client.get(url).context["review"]
    given = {"_confirm": "1", "_reviewed": review.fingerprint, **fields}
    return client.post(url, given, follow=True)


def upload(client: Client, text: str) -> Any:
    file = SimpleUploadedFile("bank.csv", text.encode(), content_type="text/csv")
    return confirm(client, UploadPaymentFile.url(), file=file)


def test_m4_a_file_is_checked_previewed_and_recorded(group: BillGroup) -> None:
    client = client_of("Finance clerk")

    page = upload(client, f"{HEAD}{group.public_id},130,USD,2026-03-09,S 1\n")
    assert b"The file is in order." in page.content
    assert not Payment.objects.exists()

    made = PaymentImport.objects.get()
    review = client.get(RecordPaymentFile.url(made.pk))
    assert b"100.00 USD pays invoices, 30.00 USD to the balance" in review.content

    page = confirm(client, RecordPaymentFile.url(made.pk))
    assert b"1 payment recorded." in page.content
    assert Invoice.objects.get().status == "PAID"
    assert Payment.objects.get().amount == Decimal(130)
    assert broken_invariants() == []


def test_m4_a_bad_row_is_named_and_nothing_is_recorded(group: BillGroup) -> None:
    page = upload(
        client_of("Finance clerk"),
        f"{HEAD}{group.public_id},1,USD,2026-03-09,S 1\nBG-9,x,EUR,never,S 2\n",
    )

    made = PaymentImport.objects.get()
    assert made.state == "REFUSED"
    assert {(e["line"], e["column"]) for e in made.errors} == {
        (3, "bill_group"),
        (3, "amount"),
        (3, "received_on"),
    }
    assert b"Write the public id of the bill group" in page.content


def test_m4_the_same_file_twice_is_refused(group: BillGroup) -> None:
    client = client_of("Finance clerk")
    text = f"{HEAD}{group.public_id},10,USD,2026-03-09,S 1\n"
    upload(client, text)
    confirm(client, RecordPaymentFile.url(PaymentImport.objects.get().pk))

    page = upload(client, text)

    assert page.status_code == 409
    assert b"This file was recorded already" in page.content
    assert Payment.objects.count() == 1


def test_a_double_click_records_once_and_lands_on_the_file(group: BillGroup) -> None:
    client = client_of("Finance clerk")
    upload(client, f"{HEAD}{group.public_id},10,USD,2026-03-09,S 1\n")
    url = RecordPaymentFile.url(PaymentImport.objects.get().pk)
    review = client.get(url).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint}

    first, second = (client.post(url, fields) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("role", ["Support", "Auditor"])
def test_others_may_not(group: BillGroup, role: str) -> None:
    assert client_of(role).get(UploadPaymentFile.url()).status_code == 403
