"""Contracts: a draft is a form, what is in force shows its plan."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from billing.models import AuditEvent
from contracts.admin.charge import NoteOutsideNumber, ReleaseCharge
from contracts.models import Contract, ContractLine, ScheduledCharge
from tests.factories import BillGroupFactory, ProductFactory, tax_rate
from tests.staff import active_contract, client_of, company, draft_contract

pytestmark = pytest.mark.django_db

ADD = "/admin/contracts/contract/add/"


@pytest.fixture(autouse=True)
def new_year() -> Iterator[None]:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        yield


def line(number: int, **fields: Any) -> dict[str, Any]:
    values = {
        "product": ProductFactory.create().pk,
        "description": "",
        "charge_type": "RECURRING",
        "frequency_months": "1",
        "timing": "ADVANCE",
        "quantity": "1",
        "unit_price": "100",
        "discount_percent": "0",
        "included_quantity": "0",
        "tiers": "",
        "start_date": "",
        "end_date": "",
        "proration": "DAILY",
        "tax_rate": "",
    } | fields
    return {f"lines-{number}-{name}": value for name, value in values.items()}


def form(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "number": "C-2026-0001",
        "start_date": "2026-01-01",
        "end_date": "2026-12-31",
        "bill_day": "",
        "bill_month": "",
        "lines-TOTAL_FORMS": len(lines),
        "lines-INITIAL_FORMS": 0,
        "lines-MIN_NUM_FORMS": 1,
        "lines-MAX_NUM_FORMS": 1000,
    }
    for row in lines:
        values |= row
    return values | fields


def test_draft_is_saved_with_its_lines_in_order() -> None:
    group = BillGroupFactory.create(legal_entity=company())
    rate = tax_rate("19")

    answer = client_of("Finance clerk").post(
        ADD,
        form(
            line(0, tax_rate=rate.pk),
            line(1, charge_type="ONE_TIME", unit_price="4800"),
            line(
                2,
                charge_type="USAGE",
                quantity="",
                unit_price="",
                tiers="graduated 100.0:0.50; *:0.30",
            ),
            bill_group=group.public_id,
        ),
    )

    assert answer.status_code == 302, answer.context["errors"]
    contract = Contract.objects.get()
    monthly, once, usage = contract.lines.order_by("position")
    assert contract.status == "DRAFT"
    assert (monthly.position, once.position, usage.position) == (1, 2, 3)
    assert monthly.tax_rate == rate
    assert once.frequency_months is None
    assert (usage.timing, usage.quantity) == ("ARREARS", None)
    assert usage.tiers == "graduated 100:0.5;*:0.3"
    assert AuditEvent.objects.get(code="contract.added").contract_id == contract.pk


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"bill_group": "BG-999999"},
            "There is no bill group with this id, PO number or customer.",
        ),
        (
            {"bill_group": "nonsense"},
            "There is no bill group with this id, PO number or customer.",
        ),
        ({"end_date": "2025-12-31"}, "The end date lies before the start date."),
        ({"bill_day": "32"}, "less than or equal to 31"),
        ({"start_date": "31.01.2026"}, "Enter a valid date."),
    ],
    ids=["unknown_group", "no_group", "ends_before_start", "bill_day", "date"],
)
def test_what_is_wrong_with_a_draft_is_said_in_place(
    fields: dict[str, str], sentence: str
) -> None:
    group = BillGroupFactory.create(legal_entity=company())

    page = client_of("Finance clerk").post(
        ADD, form(line(0), **{"bill_group": group.public_id, **fields})
    )

    assert page.status_code == 200
    assert sentence in page.content.decode()
    assert not Contract.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"quantity": ""}, "A recurring or one-time line has a quantity"),
        ({"quantity": "-1"}, "greater than or equal to 0"),
        (
            {"charge_type": "USAGE", "tiers": "graduated 100"},
            "“100” is not a tier",
        ),
    ],
    ids=["no_quantity", "negative", "tiers"],
)
def test_what_is_wrong_with_a_line_is_said_in_place(
    fields: dict[str, str], sentence: str
) -> None:
    group = BillGroupFactory.create(legal_entity=company())

    page = client_of("Finance clerk").post(
        ADD, form(line(0, **fields), bill_group=group.public_id)
    )

    assert page.status_code == 200
    assert sentence.split("“", maxsplit=1)[0] in page.content.decode()
    assert not ContractLine.objects.exists()


def test_contract_without_lines_is_refused() -> None:
    group = BillGroupFactory.create(legal_entity=company())

    page = client_of("Finance clerk").post(ADD, form(bill_group=group.public_id))

    assert page.status_code == 200
    assert b"Add at least one." in page.content
    assert not Contract.objects.exists()


def test_contract_in_force_shows_its_plan_and_no_form() -> None:
    contract = active_contract()
    url = reverse("admin:contracts_contract_change", args=[contract.pk])
    client = client_of("Finance manager")

    page = client.get(url)
    pending = client.get(url, {"show": "pending"})

    assert b'id="contract_form"' not in page.content
    assert len(page.context["plan"]) == 12
    assert page.context["plan"][0].rows[0].invoice == "INV-000001"
    assert len(pending.context["plan"]) == 11
    assert client.post(url, {"number": "C-9"}).status_code == 403


def test_contract_in_force_cannot_be_deleted() -> None:
    contract = active_contract()
    url = reverse("admin:contracts_contract_delete", args=[contract.pk])

    assert client_of("Administrator").post(url, {"post": "yes"}).status_code == 403


def test_draft_may_be_deleted_with_its_lines() -> None:
    contract = draft_contract()
    client = client_of("Finance clerk")
    url = reverse("admin:contracts_contract_delete", args=[contract.pk])

    assert b"Lines: 1" in client.get(url).content
    client.post(url, {"post": "yes"})

    assert not Contract.objects.exists()
    assert AuditEvent.objects.filter(code="contract.removed").count() == 1


@pytest.fixture
def external() -> ScheduledCharge:
    contract = active_contract()
    charge = contract.charges.order_by("bill_date")[3]
    ScheduledCharge.objects.filter(pk=charge.pk).update(state="EXTERNAL")
    charge.refresh_from_db()
    return charge


def test_charge_billed_elsewhere_is_released_with_a_reason(
    external: ScheduledCharge,
) -> None:
    """I2."""
    client = client_of("Finance manager")
    url = ReleaseCharge.url(external.pk)
    review = client.get(url).context["review"]
    fields = {"_confirm": "1", "_reviewed": review.fingerprint}

    without = client.post(url, fields)
    client.post(url, {**fields, "reason": "The other system never billed it."})

    external.refresh_from_db()
    assert without.status_code == 200
    assert external.state == "PENDING"
    event = AuditEvent.objects.get(code="charge.released")
    assert event.reason == "The other system never billed it."


def test_charge_billed_elsewhere_takes_the_outside_number(
    external: ScheduledCharge,
) -> None:
    """I2."""
    client = client_of("Finance clerk")
    url = NoteOutsideNumber.url(external.pk)
    review = client.get(url).context["review"]

    client.post(
        url,
        {"_confirm": "1", "_reviewed": review.fingerprint, "number": "OLD-77"},
    )

    external.refresh_from_db()
    assert external.external_number == "OLD-77"
    assert ReleaseCharge().refusal(external)


def test_pending_charge_offers_neither(external: ScheduledCharge) -> None:
    ScheduledCharge.objects.filter(pk=external.pk).update(state="PENDING")
    client = client_of("Finance manager")

    assert client.get(ReleaseCharge.url(external.pk)).status_code == 409


def test_usage_is_recorded_by_form() -> None:
    """P9."""
    from contracts.models import UsageRecord
    from contracts.services.terms import activate
    from tests.factories import usage_line

    contract = draft_contract()
    usage_line(contract=contract, position=2)
    activate(contract=contract, actor=None, today=date(2026, 1, 1))
    client = client_of("Finance clerk")
    url = "/admin/contracts/usagerecord/record/"
    given = {
        "contract": contract.number,
        "line": "2",
        "usage_date": "2026-01-15",
        "quantity": "120.5",
        "idempotency_key": "meter-1",
    }

    review = client.post(url, given).context["review"]
    client.post(url, {**given, "_confirm": "1", "_reviewed": review.fingerprint})
    again = client.post(
        url,
        {**given, "quantity": "7", "_confirm": "1", "_reviewed": "x"},
    )
    other = client.post(url, {**given, "quantity": "7"}).context["review"]
    refused = client.post(
        url,
        {
            **given,
            "quantity": "7",
            "_confirm": "1",
            "_reviewed": other.fingerprint,
        },
    )

    record = UsageRecord.objects.get()
    assert record.quantity == Decimal("120.5")
    assert again.status_code == 200
    assert refused.status_code == 409
    assert b"was used before" in refused.content
