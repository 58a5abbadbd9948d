"""Usage by late form and by file, and what a contract's page says of it (P9)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from contracts.admin.late_usage import RecordLateUsage
from contracts.admin.usage_import import RecordUsageFile, UploadUsage
from contracts.admin.usage_taken_back import TakeBackUsage
from contracts.forms import UsageForm
from contracts.models import ContractLine, ScheduledCharge, UsageImport, UsageRecord
from contracts.services.usage import record_usage
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import activate_contract
from tests.factories import usage_line
from tests.staff import client_of, company

pytestmark = pytest.mark.django_db

HEAD = "contract_number,line,usage_date,quantity,idempotency_key"


@pytest.fixture(autouse=True)
def in_february() -> Iterator[None]:
    with time_machine.travel("2026-02-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def billed() -> ContractLine:
    """Return line 1 of C-1 at 0.50 a unit, whose January is invoiced with 100."""
    line = usage_line(
        contract__number="C-1",
        contract__bill_group__legal_entity=company(),
        position=1,
        unit_price=Decimal("0.50"),
        included_quantity=Decimal(20),
    )
    activate_contract(contract=line.contract, actor=None, today=date(2026, 1, 1))
    record_usage(
        line=line,
        usage_date=date(2026, 1, 15),
        quantity=Decimal(100),
        idempotency_key="on-time",
        actor=None,
    )
    run_invoicing(as_of=date(2026, 2, 1))
    return line


def upload(client: Client, *rows: str) -> UsageImport:
    data = "\n".join([HEAD, *rows]).encode()
    review = client.get(UploadUsage.url()).context["review"]
    client.post(
        UploadUsage.url(),
        {
            "_confirm": "1",
            "_reviewed": review.fingerprint,
            "file": SimpleUploadedFile("usage.csv", data),
        },
    )
    return UsageImport.objects.latest("pk")


def record_late(client: Client) -> Any:
    given = {
        "contract": "C-1",
        "line": "1",
        "usage_date": "2026-01-20",
        "quantity": "10",
        "idempotency_key": "late",
    }
    answer = client.post(RecordLateUsage.url(), given)
    if answer.status_code != 200:
        return answer
    review = answer.context["review"]
    assert review.figures[2].value == "5.00 USD"
    assert not UsageRecord.objects.filter(idempotency_key="late").exists()
    fields = {"_confirm": "1", "_reviewed": review.fingerprint}
    return client.post(RecordLateUsage.url(), given | fields, follow=True)


def test_late_usage_is_reviewed_then_billed_next(billed: ContractLine) -> None:
    """P9."""
    done = record_late(client_of("Finance manager"))

    assert b"The difference of 5.00 USD for 1 Jan to 31 Jan 2026" in done.content
    assert ScheduledCharge.objects.get(late_for__isnull=False).amount == Decimal(5)


@pytest.mark.parametrize("role", ["Finance clerk", "Support", "Auditor"])
def test_late_usage_needs_its_permission(billed: ContractLine, role: str) -> None:
    """P9."""
    assert record_late(client_of(role)).status_code == 403


def test_file_is_uploaded_reviewed_and_recorded(billed: ContractLine) -> None:
    """P9."""
    client = client_of("Finance clerk")

    uploaded = upload(client, "C-1,1,2026-02-05,7,a", "C-1,1,2026-02-06,8,b")
    page = client.get(reverse("admin:contracts_usageimport_change", args=[uploaded.pk]))
    review = client.get(RecordUsageFile.url(uploaded.pk)).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint}
    client.post(RecordUsageFile.url(uploaded.pk), fields)
    again = client.get(RecordUsageFile.url(uploaded.pk))

    assert b"Ready to record" in page.content
    assert UsageRecord.objects.filter(usage_date__month=2).count() == 2
    assert again.status_code == 409


def test_file_with_errors_shows_its_rows_and_is_not_offered(
    billed: ContractLine,
) -> None:
    """P9."""
    client = client_of("Finance clerk")

    uploaded = upload(client, "C-1,1,2026-01-05,7,a", "C-1,1,2026-02-30,8,b")
    page = client.get(reverse("admin:contracts_usageimport_change", args=[uploaded.pk]))

    assert [error["line"] for error in page.context["file_errors"]] == [2, 3]
    assert b"INV-000001" in page.content
    assert client.get(RecordUsageFile.url(uploaded.pk)).status_code == 409
    assert UsageRecord.objects.count() == 1


@pytest.mark.parametrize("role", ["Support", "Auditor"])
def test_only_finance_uploads_usage(role: str) -> None:
    assert client_of(role).get(UploadUsage.url()).status_code == 403


def test_contract_shows_usage_by_line_and_period(billed: ContractLine) -> None:
    """P9."""
    record_late(client_of("Finance manager"))
    record_usage(
        line=billed,
        usage_date=date(2026, 2, 3),
        quantity=Decimal(30),
        idempotency_key="feb",
        actor=None,
    )
    url = reverse("admin:contracts_contract_change", args=[billed.contract_id])

    periods = [
        row["period"] for row in client_of("Auditor").get(url).context["usage_periods"]
    ]

    shown = [
        (p.period_start.month, p.records, p.recorded, p.included, p.amount, p.late)
        for p in periods
    ]
    assert shown == [
        (2, 1, Decimal(30), Decimal(20), Decimal(5), Decimal(0)),
        (1, 2, Decimal(110), Decimal(20), Decimal(40), Decimal(5)),
    ]


def test_contract_is_found_by_its_customer_and_its_only_usage_line(
    billed: ContractLine,
) -> None:
    """P9."""
    account = billed.contract.bill_group.account

    form = UsageForm(
        {
            "contract": account.name,
            "usage_date": "2026-02-05",
            "quantity": "7",
            "idempotency_key": "k",
        }
    )

    assert form.is_valid(), form.errors
    assert form.cleaned_data["contract_line"] == billed


def test_suggestions_know_contracts_by_their_customer(billed: ContractLine) -> None:
    name = billed.contract.bill_group.account.name

    answer = client_of("Finance clerk").get(
        "/admin/suggest/", {"source": "contracts.contract", "q": name}
    )

    assert ["C-1", name] in answer.json()["suggestions"]


def take_back(client: Client, record: UsageRecord) -> Any:
    url = TakeBackUsage.url(record.pk)
    page = client.get(url)
    if page.status_code != 200:
        return page
    fields = {
        "_confirm": "1",
        "_reviewed": page.context["review"].fingerprint,
        "reason": "Typed a zero too many",
    }
    return client.post(url, fields, follow=True)


def test_usage_is_taken_back_with_what_is_left_seen_before(
    billed: ContractLine,
) -> None:
    """P9."""
    client = client_of("Finance manager")
    record = record_usage(
        line=billed,
        usage_date=date(2026, 2, 3),
        quantity=Decimal(1000),
        idempotency_key="wrong",
        actor=None,
    )

    review = client.get(TakeBackUsage.url(record.pk)).context["review"]
    page = take_back(client, record)

    assert review.sentence == "Its period is billed with what is left."
    assert [(f.value, f.note) for f in review.figures] == [
        ("Platform", "C-1"),
        ("1,000", "used on 3 Feb 2026"),
        ("0", "now 1,000"),
    ]
    assert b"1,000 of 3 Feb 2026 taken back." in page.content
    assert b"Taken back</span>" in page.content
    assert take_back(client, record).status_code == 409


def test_what_is_invoiced_says_which_invoice_to_reissue(billed: ContractLine) -> None:
    """P9, A12."""
    client = client_of("Finance manager")
    record = UsageRecord.objects.get()

    page = take_back(client, record)

    assert b"INV-000001 stays as it is. Reissue it" in page.content
    taking = reverse(
        "admin:contracts_usagerecord_change", args=[record.taken_back_by.pk]
    )
    assert b"Takes back</span>" in client.get(taking).content


@pytest.mark.parametrize("role", ["Finance clerk", "Support", "Auditor"])
def test_taking_usage_back_needs_its_permission(
    billed: ContractLine, role: str
) -> None:
    """P9."""
    assert take_back(client_of(role), UsageRecord.objects.get()).status_code == 403
    assert UsageRecord.objects.count() == 1
