"""What a night's own extension of plans adds is seen before that night (G15, P1)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.models import BillGroup, LegalEntity
from contracts.models import Contract, ContractLine, ScheduledCharge, UsageRecord
from invoicing.models import Invoice, InvoiceRun
from invoicing.services.assessment import Assessment
from invoicing.services.explain import explain_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.rehearsal import bill_groups_of_night, dry_run_invoicing
from tests.books import sold
from tests.factories import BillGroupFactory, ProductFactory, tax_rate

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
JUN_1_2027 = date(2027, 6, 1)
USAGE = {
    "charge_type": "USAGE",
    "timing": "ARREARS",
    "quantity": None,
    "unit_price": Decimal(1),
}


def rehearsed(night: date) -> list[Assessment]:
    dry_run = dry_run_invoicing(as_of=night, legal_entity=LegalEntity.objects.get())
    assessments = list(dry_run.assessments)
    assert dry_run.failures == {}
    return assessments


def lines_of(assessments: list[Assessment]) -> list[tuple[object, ...]]:
    return [
        (
            assessment.bill_date,
            line.charge.contract_number,
            line.charge.product_name,
            line.charge.period_start,
            line.amount,
            line.tax_percent,
        )
        for assessment in assessments
        for line in assessment.document.lines
    ]


def line_of_usage(number: str) -> ContractLine:
    return ContractLine.objects.get(contract__number=number, charge_type="USAGE")


def lines_made() -> list[tuple[object, ...]]:
    return [
        (
            invoice.bill_date,
            line.contract_number,
            line.product_name,
            line.period_start,
            line.amount,
            line.tax_percent,
        )
        for invoice in Invoice.objects.order_by("bill_group_id", "bill_date", "pk")
        for line in invoice.lines.order_by("position")
    ]


def test_g15_night_beyond_the_plan_is_rehearsed_line_by_line() -> None:
    group = BillGroupFactory.create()
    rate = tax_rate("19")
    for number in ("C-2", "C-1"):
        sold(
            today=JAN_1,
            bill_group=group,
            number=number,
            end_date=None,
            lines=[
                {"frequency_months": 12, "product": ProductFactory.create(name="Year")},
                {"tax_rate": rate},
                {"timing": "ARREARS", "frequency_months": 3},
                USAGE,
            ],
        )

    UsageRecord.objects.bulk_create(
        UsageRecord(
            line=line_of_usage(number),
            usage_date=day,
            quantity=Decimal(7),
            idempotency_key=f"{number}-{day}",
        )
        for number in ("C-1", "C-2")
        for day in (date(2027, 4, 1), date(2027, 4, 30), date(2027, 5, 1))
    )

    said = lines_of(rehearsed(JUN_1_2027))
    run_invoicing(as_of=JUN_1_2027)

    assert said == lines_made()
    assert (JUN_1_2027, "C-1", "Platform", JUN_1_2027, 100, 19) in said
    usage = [line for line in said if line[3] == date(2027, 4, 1) and line[4] == 14]
    assert [line[:2] for line in usage] == [
        (date(2027, 5, 1), "C-1"),
        (date(2027, 5, 1), "C-2"),
    ]


def test_g15_g16_group_with_nothing_left_of_its_plan_is_looked_at() -> None:
    contract = sold(today=JAN_1, end_date=None)
    ScheduledCharge.objects.update(state="SKIPPED")

    bill_dates = [assessment.bill_date for assessment in rehearsed(JUN_1_2027)]
    explained = explain_invoice(bill_group=contract.bill_group, on=JUN_1_2027)

    assert bill_dates == [date(2027, month, 1) for month in (3, 4, 5, 6)]
    assert explained.will_generate
    assert explained.assessment is not None
    assert explained.assessment.bill_date == date(2027, 3, 1)


def test_g16_explanation_names_the_next_date_of_an_extended_plan() -> None:
    """Nothing is due that night, and what is pending then is not stored yet."""
    contract = sold(today=JAN_1, end_date=None, bill_day=20)
    ScheduledCharge.objects.update(state="SKIPPED")

    explained = explain_invoice(bill_group=contract.bill_group, on=date(2027, 2, 10))

    assert not explained.will_generate
    assert explained.rule == "G7"
    assert explained.expected_date == date(2027, 2, 20)


@contextmanager
def unchanged() -> Iterator[None]:
    def rows() -> list[object]:
        models = (Contract, ScheduledCharge, Invoice, InvoiceRun)
        return [list(model.objects.order_by("pk").values()) for model in models]

    before = rows()
    yield
    assert rows() == before


def test_g15_rehearsing_beyond_the_plan_writes_and_locks_nothing() -> None:
    """Not even in a transaction: the database would refuse both in a read-only one."""
    group: BillGroup = sold(today=JAN_1, end_date=None).bill_group

    with unchanged(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before_reading")
        cursor.execute("SET TRANSACTION READ ONLY")
        assert len(rehearsed(JUN_1_2027)) == 18
        explain_invoice(bill_group=group, on=JUN_1_2027)
        cursor.execute("ROLLBACK TO SAVEPOINT before_reading")


@pytest.mark.parametrize(
    ("night", "is_behind"),
    [(date(2027, 2, 1), False), (date(2027, 2, 28), False), (date(2027, 3, 1), True)],
    ids=["planned", "day_before", "first_date_beyond"],
)
def test_g15_only_a_night_beyond_the_plan_looks_at_extensions(
    night: date, *, is_behind: bool
) -> None:
    """P1: 13 months from 1 Jan 2026 are planned; the usual night asks once."""
    sold(today=JAN_1, end_date=None)
    entity = LegalEntity.objects.get()

    _, behind = bill_groups_of_night(as_of=night, legal_entity=entity)
    with CaptureQueriesContext(connection) as queries:
        rehearsed(night)

    assert bool(behind) is is_behind
    asked = [q["sql"] for q in queries if "extend_on" in q["sql"]]
    assert len(asked) == 1 + is_behind


def test_g15_a_mistyped_year_is_not_planned_for_centuries() -> None:
    sold(today=JAN_1, end_date=None)

    last = rehearsed(date(9998, 1, 1))[-1]

    assert last.bill_date < date(2035, 1, 1)
