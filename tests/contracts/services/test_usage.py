from datetime import date
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from billing.models import AuditEvent
from contracts.models import ContractLine, ScheduledCharge, UsageRecord
from contracts.services.terms import activate
from contracts.services.usage import (
    ContractNotActive,
    InvalidUsage,
    UsageKeyReused,
    UsageOutsideTerm,
    UsagePeriodBilledElsewhere,
    UsagePeriodDrafted,
    UsagePeriodInvoiced,
    UsagePeriodSkipped,
    UsageRefused,
    record_usage,
)
from invoicing.models import Invoice, InvoiceLine
from tests.factories import (
    ContractFactory,
    ContractLineFactory,
    UserFactory,
    usage_line,
)
from tests.invoicing.services.printed import draft_invoice

pytestmark = pytest.mark.django_db

JANUARY = date(2026, 1, 15)


def active_line(**fields: Any) -> ContractLine:
    """Make a monthly usage line of an active contract of 2026."""
    line = usage_line(**fields)
    activate(contract=line.contract, actor=None, today=date(2026, 1, 1))
    return line


def record(line: ContractLine, **changes: Any) -> UsageRecord:
    """Record 5 on 15 January with the key k-1, unless said otherwise."""
    values: dict[str, Any] = {
        "usage_date": JANUARY,
        "quantity": Decimal(5),
        "idempotency_key": "k-1",
        "actor": None,
    }
    return record_usage(line=line, **(values | changes))


def set_state(line: ContractLine, **values: Any) -> ScheduledCharge:
    """Give the charge of January another state."""
    charges = ScheduledCharge.objects.filter(
        contract_line=line, period_start=date(2026, 1, 1)
    )
    charges.update(**values)
    return charges.get()


def put_on_invoice(charge: ScheduledCharge) -> Invoice:
    """Put a charge on a draft."""
    invoice = draft_invoice(lines=0)
    InvoiceLine.objects.create(
        invoice=invoice,
        charge=charge,
        position=1,
        contract_number=charge.contract.number,
        product_name="Calls",
        period_start=charge.period_start,
        period_end=charge.period_end,
        quantity=1,
        discount_percent=0,
        amount=1,
        tax_percent=0,
    )
    return invoice


def test_usage_is_recorded_with_who_recorded_it() -> None:
    """P9."""
    actor = UserFactory.create()
    line = active_line()

    recorded = record(line, quantity=Decimal("1.250000"), actor=actor)

    row = UsageRecord.objects.get()
    assert recorded == row
    assert (row.line_id, row.usage_date, row.quantity) == (
        line.pk,
        JANUARY,
        Decimal("1.25"),
    )
    assert (row.idempotency_key, row.recorded_by) == ("k-1", actor)


class TestKeys:
    def test_the_same_record_again_changes_nothing(self) -> None:
        """P9."""
        line = active_line()
        first = record(line)

        again = record(line, quantity=Decimal("5.0"))

        assert again.pk == first.pk
        assert UsageRecord.objects.count() == 1

    def test_a_repeat_is_harmless_also_after_the_period_was_invoiced(self) -> None:
        """P9."""
        line = active_line()
        first = record(line)
        put_on_invoice(set_state(line, state="INVOICED", quantity=5, amount=1))

        assert record(line).pk == first.pk

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"quantity": Decimal(6)}, id="quantity"),
            pytest.param({"usage_date": date(2026, 1, 16)}, id="date"),
        ],
    )
    def test_the_same_key_with_other_data_is_refused(
        self, other: dict[str, Any]
    ) -> None:
        """P9."""
        line = active_line()
        record(line)

        with pytest.raises(UsageKeyReused, match="k-1 was used before, for 5"):
            record(line, **other)

        assert UsageRecord.objects.count() == 1

    def test_the_same_key_on_another_line_is_refused(self) -> None:
        """P9."""
        record(active_line())

        with pytest.raises(UsageKeyReused):
            record(active_line())

    @pytest.mark.parametrize("key", ["", "  ", "x" * 201])
    def test_a_record_needs_a_key_that_fits(self, key: str) -> None:
        with pytest.raises(InvalidUsage, match="1 to 200 characters"):
            record(active_line(), idempotency_key=key)


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        pytest.param("-1", "is negative", id="negative"),
        pytest.param("NaN", "not a number", id="nan"),
        pytest.param("Infinity", "not a number", id="infinite"),
        pytest.param("-Infinity", "not a number", id="minus_infinite"),
        pytest.param("0.0000001", "6 after the decimal", id="seven_decimals"),
        pytest.param("1000000000000", "12 digits before", id="thirteen_digits"),
    ],
)
def test_a_quantity_that_cannot_be_billed_is_refused(
    quantity: str, sentence: str
) -> None:
    """P9, M9."""
    with pytest.raises(InvalidUsage, match=sentence):
        record(active_line(), quantity=Decimal(quantity))

    assert not UsageRecord.objects.exists()


@pytest.mark.parametrize(
    "quantity", ["0", "999999999999.999999", "1E+3", "1.000000000"]
)
def test_a_quantity_within_bounds_is_recorded(quantity: str) -> None:
    record(active_line(), quantity=Decimal(quantity))

    assert UsageRecord.objects.get().quantity == Decimal(quantity)


def test_a_line_that_is_not_billed_by_usage_takes_none() -> None:
    line = ContractLineFactory.create()
    activate(contract=line.contract, actor=None, today=date(2026, 1, 1))

    with pytest.raises(InvalidUsage, match="not billed by usage"):
        record(line)


def test_a_draft_takes_no_usage() -> None:
    line = usage_line()

    with pytest.raises(ContractNotActive, match="Activate it"):
        record(line)


@pytest.mark.parametrize(
    "usage_date",
    [
        pytest.param(date(2025, 12, 31), id="day_before_the_start"),
        pytest.param(date(2026, 7, 1), id="day_after_the_line_ended"),
        pytest.param(date(2027, 1, 1), id="day_after_the_contract_ended"),
    ],
)
def test_a_date_outside_the_lines_term_is_refused(usage_date: date) -> None:
    """P9."""
    line = active_line(end_date=date(2026, 6, 30))

    with pytest.raises(UsageOutsideTerm, match=f"not served on {usage_date}"):
        record(line, usage_date=usage_date)


def test_a_canceled_period_takes_no_usage() -> None:
    """S1: what is not served is not used."""
    line = active_line()
    set_state(line, state="CANCELED")

    with pytest.raises(UsageOutsideTerm):
        record(line)


@pytest.mark.parametrize("usage_date", [date(2026, 1, 1), date(2026, 6, 30)])
def test_the_first_and_the_last_day_of_the_line_take_usage(usage_date: date) -> None:
    line = active_line(end_date=date(2026, 6, 30))

    assert record(line, usage_date=usage_date).usage_date == usage_date


class TestPeriods:
    def test_an_invoiced_period_is_refused_and_names_the_invoice(self) -> None:
        """P9."""
        line = active_line()
        charge = set_state(line, state="INVOICED", quantity=1, amount=1)
        invoice = put_on_invoice(charge)
        Invoice.objects.filter(pk=invoice.pk).update(
            status="OPEN",
            sequence=42,
            number="INV-000042",
            issue_date=date(2026, 3, 1),
            due_date=date(2026, 3, 31),
        )

        with pytest.raises(UsagePeriodInvoiced, match="invoice INV-000042") as refused:
            record(line)

        assert refused.value.charge == charge
        assert not UsageRecord.objects.exists()

    def test_a_period_on_a_draft_is_refused_and_names_the_draft(self) -> None:
        """P9."""
        line = active_line()
        invoice = put_on_invoice(set_state(line, state="DRAFTED"))

        with pytest.raises(UsagePeriodDrafted, match=f"is on Draft {invoice.pk}"):
            record(line)

    def test_a_period_billed_elsewhere_is_refused(self) -> None:
        """P9, I2."""
        line = active_line()
        set_state(line, state="EXTERNAL", external_number="OLD-17")

        with pytest.raises(UsagePeriodBilledElsewhere, match="elsewhere on OLD-17"):
            record(line)

    def test_a_skipped_period_is_refused(self) -> None:
        line = active_line()
        set_state(line, state="SKIPPED")

        with pytest.raises(UsagePeriodSkipped, match="was skipped"):
            record(line)

    def test_other_periods_take_usage_all_the_same(self) -> None:
        line = active_line()
        set_state(line, state="EXTERNAL")

        recorded = record(line, usage_date=date(2026, 2, 1))

        assert recorded.usage_date == date(2026, 2, 1)

    def test_a_period_invoiced_at_zero_takes_usage_and_is_pending_again(self) -> None:
        """P9, G10, M5."""
        line = active_line()
        charge = set_state(line, state="INVOICED", quantity=0, amount=0)

        record(line)

        charge.refresh_from_db()
        assert (charge.state, charge.quantity, charge.amount) == ("PENDING", None, None)
        entry = AuditEvent.objects.get(code="charge.reopened")
        assert entry.contract_id == charge.contract_id

    def test_refused_usage_does_not_reopen_a_period(self) -> None:
        """P9: a key used elsewhere undoes the whole step."""
        record(active_line())
        line = active_line()
        charge = set_state(line, state="INVOICED", quantity=0, amount=0)

        with pytest.raises(UsageKeyReused):
            record(line)

        charge.refresh_from_db()
        assert charge.state == "INVOICED"


def test_every_refusal_is_one_kind_of_error() -> None:
    for refusal in (UsageKeyReused, UsagePeriodInvoiced, ContractNotActive):
        assert issubclass(refusal, UsageRefused)


@pytest.mark.django_db(transaction=True)
def test_two_people_sending_the_same_usage_leave_one_record() -> None:
    """P9: idempotent also at the same moment."""
    lines = [active_line(contract=ContractFactory.create()) for _ in range(2)]
    barrier = Barrier(6)
    outcomes: list[str] = []

    def send(line: ContractLine, quantity: int) -> None:
        barrier.wait(timeout=10)
        try:
            record(line, quantity=Decimal(quantity))
            outcomes.append("recorded")
        except UsageKeyReused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [
        Thread(target=send, args=(line, quantity))
        for line, quantity in [(lines[0], 5)] * 3 + [(lines[1], 7)] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert UsageRecord.objects.count() == 1
    assert sorted(outcomes) == ["recorded"] * 3 + ["refused"] * 3
