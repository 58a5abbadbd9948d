"""Usage of an invoiced period: the difference is a line of the next invoice (P9)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import AuditEvent
from contracts.domain.terms import ChargeState
from contracts.models import ContractLine, ScheduledCharge, UsageRecord
from contracts.services.late_usage import (
    LateUsage,
    LateUsageDecreases,
    NotLate,
    record_late_usage,
)
from contracts.services.schedule import reconcile_contracts
from contracts.services.usage import (
    InvalidUsage,
    UsageKeyReused,
    UsagePeriodInvoiced,
    record_usage,
)
from invoicing.models import Invoice
from invoicing.services.books import check_books
from invoicing.services.explain import explain_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import activate_contract
from invoicing.services.rehearsal import DryRun
from tests.factories import ContractLineFactory, usage_line
from tests.staff import company

pytestmark = pytest.mark.django_db

JANUARY = date(2026, 1, 15)


@pytest.fixture
def billed() -> ContractLine:
    """Return a line of 0.50 a unit whose January is invoiced with 100 units."""
    return billed_line(unit_price=Decimal("0.50"))


def billed_line(**fields: Any) -> ContractLine:
    entity = company()
    line = usage_line(contract__bill_group__legal_entity=entity, **fields)
    activate_contract(contract=line.contract, actor=None, today=date(2026, 1, 1))
    record_usage(
        line=line,
        usage_date=JANUARY,
        quantity=Decimal(100),
        idempotency_key="on-time",
        actor=None,
    )
    run_invoicing(as_of=date(2026, 2, 1))
    return line


def record_late(line: ContractLine, **changes: Any) -> LateUsage:
    values: dict[str, Any] = {
        "usage_date": JANUARY,
        "quantity": Decimal(10),
        "idempotency_key": "late",
        "actor": None,
        "today": date(2026, 2, 10),
    }
    return record_late_usage(line=line, **(values | changes))


def late_charges(line: ContractLine) -> list[ScheduledCharge]:
    return list(line.charges.filter(late_for__isnull=False).order_by("pk"))


def test_late_usage_bills_the_difference_with_the_next_invoice(
    billed: ContractLine,
) -> None:
    """P9: with its true dates."""
    late = record_late(billed)

    [charge] = late_charges(billed)
    assert late.charge == charge
    assert late.difference == Decimal("5.00")
    assert (charge.quantity, charge.amount) == (Decimal(10), Decimal(5))
    assert (charge.period_start, charge.period_end, charge.bill_date) == (
        date(2026, 1, 1),
        date(2026, 1, 31),
        date(2026, 3, 1),
    )
    assert AuditEvent.objects.get(code="usage.recorded_late").contract_id == (
        billed.contract_id
    )


def test_late_usage_is_invoiced_once_as_a_line_of_its_own(
    billed: ContractLine,
) -> None:
    """P9, G12."""
    record_late(billed)
    record_usage(
        line=billed,
        usage_date=date(2026, 2, 5),
        quantity=Decimal(20),
        idempotency_key="february",
        actor=None,
    )

    run_invoicing(as_of=date(2026, 3, 1))
    run_invoicing(as_of=date(2026, 3, 1))

    invoice = Invoice.objects.get(bill_date=date(2026, 3, 1))
    lines = invoice.lines.order_by("position").values_list(
        "description", "period_start", "period_end", "quantity", "amount"
    )
    assert list(lines) == [
        ("Late usage", date(2026, 1, 1), date(2026, 1, 31), Decimal(10), Decimal(5)),
        ("", date(2026, 2, 1), date(2026, 2, 28), Decimal(20), Decimal(10)),
    ]
    assert check_books() == ()


def test_dry_run_and_explanation_carry_late_usage(billed: ContractLine) -> None:
    """P9, G15, G16."""
    record_late(billed)
    group = billed.contract.bill_group

    [rehearsed] = run_invoicing(as_of=date(2026, 3, 1), dry_run=True)
    assert isinstance(rehearsed, DryRun)
    explained = explain_invoice(bill_group=group, on=date(2026, 3, 1))

    [assessment] = rehearsed.assessments
    assert [line.charge.description for line in assessment.document.lines] == [
        "Late usage"
    ]
    assert explained.will_generate


def test_several_late_records_of_a_period_are_one_charge(billed: ContractLine) -> None:
    """P9."""
    record_late(billed)
    record_late(billed, idempotency_key="later", quantity=Decimal(4))

    [charge] = late_charges(billed)

    assert (charge.quantity, charge.amount) == (Decimal(14), Decimal(7))


def test_what_comes_after_late_usage_was_invoiced_is_a_charge_again(
    billed: ContractLine,
) -> None:
    """P9."""
    record_late(billed)
    run_invoicing(as_of=date(2026, 3, 1))

    record_late(
        billed,
        idempotency_key="later",
        quantity=Decimal(4),
        today=date(2026, 3, 2),
    )

    [first, second] = late_charges(billed)
    assert first.state == ChargeState.INVOICED
    assert (second.amount, second.bill_date) == (Decimal("2.00"), date(2026, 4, 1))
    assert check_books() == ()


def test_the_period_is_rated_anew_over_all_its_tiers() -> None:
    """P9: 100 units at 1.00; the next 10 lie in the tier of 0.20."""
    line = billed_line(unit_price=None, tiers="graduated 100:1;*:0.2")

    assert record_late(line).difference == Decimal("2.00")


def test_usage_within_the_included_quantity_is_recorded_and_bills_nothing() -> None:
    """P9."""
    line = billed_line(unit_price=None, tiers="graduated 100:1;*:0")

    late = record_late(line)

    assert late.charge is None
    assert late.difference == 0
    assert UsageRecord.objects.filter(idempotency_key="late").exists()


def test_decrease_is_refused_and_names_the_invoice_to_reissue() -> None:
    """P9: volume tiers can make a period cheaper."""
    line = billed_line(unit_price=None, tiers="volume 100:1;*:0.5")

    with pytest.raises(LateUsageDecreases, match="reissue INV"):
        record_late(line)

    assert not UsageRecord.objects.filter(idempotency_key="late").exists()


def test_without_anything_pending_it_is_billed_on_the_day_of_recording() -> None:
    """P9."""
    entity = company()
    line = usage_line(
        contract__bill_group__legal_entity=entity,
        contract__end_date=date(2026, 1, 31),
    )
    activate_contract(contract=line.contract, actor=None, today=date(2026, 1, 1))
    record_usage(
        line=line,
        usage_date=JANUARY,
        quantity=Decimal(1),
        idempotency_key="on-time",
        actor=None,
    )
    run_invoicing(as_of=date(2026, 2, 1))

    late = record_late(line)

    assert late.charge is not None
    assert late.charge.bill_date == date(2026, 2, 10)


def test_same_key_again_changes_nothing_and_other_data_is_refused(
    billed: ContractLine,
) -> None:
    """P9."""
    first = record_late(billed)

    again = record_late(billed)

    assert (again.record, again.charge) == (first.record, first.charge)
    assert again.difference == 0
    with pytest.raises(UsageKeyReused):
        record_late(billed, quantity=Decimal(11))


def test_open_periods_take_no_late_usage(billed: ContractLine) -> None:
    """P9."""
    with pytest.raises(NotLate, match="Record it as usual"):
        record_late(billed, usage_date=date(2026, 2, 5))
    with pytest.raises(InvalidUsage, match="zero"):
        record_late(billed, quantity=Decimal(0))
    with pytest.raises(UsagePeriodInvoiced):
        record_usage(
            line=billed,
            usage_date=JANUARY,
            quantity=Decimal(1),
            idempotency_key="k",
            actor=None,
        )


def test_planning_again_leaves_late_usage_alone(billed: ContractLine) -> None:
    """P7."""
    record_late(billed)

    planned = reconcile_contracts(
        contract_ids=[billed.contract_id], today=date(2026, 2, 10)
    )

    assert planned[billed.contract_id].changes_nothing
    assert late_charges(billed)[0].state == ChargeState.PENDING


class TestGuards:
    """The database refuses late usage that is none, whoever writes (P8, P9)."""

    def test_late_charge_needs_an_invoiced_period(self, billed: ContractLine) -> None:
        pending = billed.charges.get(period_start=date(2026, 2, 1))

        with pytest.raises(IntegrityError, match="not of an invoiced period"):
            self.copy_of(pending, late_for=pending)

    def test_late_charge_is_of_its_own_line(self, billed: ContractLine) -> None:
        other = ContractLineFactory.create()
        invoiced = billed.charges.get(state=ChargeState.INVOICED)

        with pytest.raises(IntegrityError, match="not of an invoiced period"):
            self.copy_of(invoiced, late_for=invoiced, contract_line=other)

    @pytest.mark.parametrize("changes", [{"amount": 0}, {"quantity": 0}])
    def test_late_charge_bills_more(
        self, billed: ContractLine, changes: dict[str, Any]
    ) -> None:
        invoiced = billed.charges.get(state=ChargeState.INVOICED)

        with pytest.raises(IntegrityError, match="late_usage_bills_more"):
            self.copy_of(invoiced, late_for=invoiced, **changes)

    def test_late_charge_stays_what_it_is(self, billed: ContractLine) -> None:
        record_late(billed)
        [charge] = late_charges(billed)

        charge.late_for = None
        with pytest.raises(IntegrityError, match="stays late usage"):
            charge.save()

    def test_plain_charge_still_shares_no_day(self, billed: ContractLine) -> None:
        invoiced = billed.charges.get(state=ChargeState.INVOICED)

        with pytest.raises(IntegrityError, match="charged twice"):
            self.copy_of(invoiced)

    def copy_of(self, charge: ScheduledCharge, **changes: Any) -> None:
        values: dict[str, Any] = {
            "contract_line": charge.contract_line,
            "contract": charge.contract,
            "bill_group": charge.bill_group,
            "period_start": charge.period_start,
            "period_end": charge.period_end,
            "bill_date": charge.bill_date,
            "in_advance": False,
            "quantity": 1,
            "amount": 1,
        }
        with transaction.atomic():
            ScheduledCharge.objects.create(**(values | changes))


def test_books_notice_late_usage_of_a_period_that_is_not_invoiced(
    billed: ContractLine,
) -> None:
    """P9."""
    record_late(billed)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contracts_scheduledcharge SET state = 'SUPERSEDED' "
            "WHERE id IN (SELECT late_for_id FROM contracts_scheduledcharge)"
        )

    broken = {breach.invariant.name for breach in check_books()}

    assert "late_usage_has_its_period" in broken
