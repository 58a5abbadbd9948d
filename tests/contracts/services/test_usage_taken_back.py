"""Usage that was recorded wrongly is taken back, and the sums are right again (P9)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import AuditEvent
from billing.services.reasons import ReasonMissing
from contracts.models import ContractLine, ScheduledCharge, UsageRecord
from contracts.services.late_usage import record_late_usage
from contracts.services.usage import UsagePeriodDrafted, record_usage
from contracts.services.usage_taken_back import UsageStays, take_back_usage
from invoicing.models import Invoice
from invoicing.services.books import check_books
from invoicing.services.corrections import reissue_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import activate_contract
from tests.factories import UserFactory, usage_line

pytestmark = pytest.mark.django_db

JAN_1, FEB_1 = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
def line() -> ContractLine:
    """Return a line at 0.10 a unit whose January is not invoiced yet."""
    line = usage_line()
    activate_contract(contract=line.contract, actor=None, today=JAN_1)
    return line


def used(line: ContractLine, quantity: int, key: str = "a") -> UsageRecord:
    return record_usage(
        line=line,
        usage_date=date(2026, 1, 15),
        quantity=Decimal(quantity),
        idempotency_key=key,
        actor=None,
    )


def take_back(record: UsageRecord, **given: Any) -> UsageRecord:
    values: dict[str, Any] = {"reason": "Typed a zero too many", "actor": None}
    return take_back_usage(record=record, **(values | given))


def test_p9_what_is_left_is_billed(line: ContractLine) -> None:
    wrong = used(line, 1000)
    used(line, 100, "b")

    taking = take_back(wrong)
    run_invoicing(as_of=FEB_1)

    assert taking.quantity == -1000
    assert taking.usage_date == wrong.usage_date
    assert Invoice.objects.get().total == Decimal(10)
    assert check_books() == ()


def test_m5_it_says_who_why_and_how_much(line: ContractLine) -> None:
    person = UserFactory.create()

    taking = take_back(used(line, 1000), actor=person)

    event = AuditEvent.objects.get(code="usage.taken_back")
    assert taking.recorded_by == person
    assert (event.reason, event.before["quantity"]) == (
        "Typed a zero too many",
        "1000",
    )
    assert event.contract_id == line.contract_id


def test_it_needs_a_reason(line: ContractLine) -> None:
    record = used(line, 1000)

    with pytest.raises(ReasonMissing):
        take_back(record, reason=" ")


def test_it_is_done_once_and_not_turned_round(line: ContractLine) -> None:
    record = used(line, 1000)
    taking = take_back(record)

    with pytest.raises(UsageStays, match="already"):
        take_back(record)
    with pytest.raises(UsageStays, match="takes usage back"):
        take_back(taking)


def test_its_key_stays_used_and_a_repeat_changes_nothing(line: ContractLine) -> None:
    record = used(line, 1000)
    take_back(record)

    assert used(line, 1000) == record
    assert UsageRecord.objects.count() == 2


def test_a12_a_reissued_invoice_has_its_usage_rated_anew(line: ContractLine) -> None:
    record = used(line, 1000)
    used(line, 100, "b")
    run_invoicing(as_of=FEB_1)
    invoice = Invoice.objects.get()

    take_back(record)
    replaced = reissue_invoice(
        invoice=invoice, reason="Usage was wrong", actor=None, today=FEB_1
    )

    invoice.refresh_from_db()
    assert replaced.draft is not None
    assert (invoice.total, replaced.draft.total) == (Decimal(110), Decimal(10))
    assert check_books() == ()


def test_on_a_draft_it_waits_for_the_draft(line: ContractLine) -> None:
    record = used(line, 1000)
    ScheduledCharge.objects.filter(period_start=JAN_1).update(state="DRAFTED")

    with pytest.raises(UsagePeriodDrafted, match="Discard the draft first"):
        take_back(record)


def test_beside_late_usage_the_invoice_is_credited(line: ContractLine) -> None:
    record = used(line, 1000)
    run_invoicing(as_of=FEB_1)
    record_late_usage(
        line=line,
        usage_date=date(2026, 1, 20),
        quantity=Decimal(5),
        idempotency_key="late",
        actor=None,
        today=FEB_1,
    )

    with pytest.raises(UsageStays, match="Credit what was too much"):
        take_back(record)
