"""Many workers, clicks beside the run, and workers that die at any step (G12, G13)."""

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection

from billing.models import BillGroup, LegalEntity
from invoicing.models import Invoice, InvoiceRun, ParkedBillGroup
from invoicing.queries.pending import due_bill_groups
from invoicing.services import batches
from invoicing.services.generation import (
    NotGenerated,
    generate_next_invoice,
    run_invoicing,
)
from invoicing.services.parking import release_bill_group
from invoicing.services.rehearsal import dry_run_invoicing
from tests.books import broken_invariants, sold
from tests.factories import tax_rate
from tests.faults.worker import KILLED, Death, Job, run_together

pytestmark = pytest.mark.django_db(transaction=True)

JAN_1 = date(2026, 1, 1)
FEB_1 = date(2026, 2, 1)
Bill = tuple[int, date, Decimal]


def sell(groups: int) -> None:
    """Sell to so many bill groups, with tax, arrears and two bill dates due."""
    rate = tax_rate("19")
    for number in range(groups):
        sold(
            today=JAN_1,
            lines=[
                {"unit_price": Decimal(number + 50), "tax_rate": rate},
                {"timing": "ARREARS"},
            ],
            end_date=date(2026, 3, 31),
        )


def run() -> None:
    """Run as the night of 1 Feb does."""
    run_invoicing(as_of=FEB_1)


def click() -> None:
    """Generate the next invoice of every bill group by hand."""
    for group in BillGroup.objects.order_by("pk"):
        with suppress(NotGenerated):
            generate_next_invoice(bill_group=group, actor=None, today=FEB_1)


def expected(as_of: date = FEB_1) -> Counter[Bill]:
    """Return what an undisturbed run makes, worked out before it."""
    (legal_entity,) = LegalEntity.objects.all()
    return Counter(
        (a.group.bill_group_id, a.bill_date, a.document.totals.total)
        for a in dry_run_invoicing(as_of=as_of, legal_entity=legal_entity).assessments
        if a.decision.generate
    )


def made() -> Counter[Bill]:
    """Return what was invoiced."""
    rows: Iterable[Bill] = Invoice.objects.exclude(status="VOID").values_list(
        "bill_group_id", "bill_date", "total"
    )
    return Counter(rows)


def assert_all_is_well(wanted: Counter[Bill]) -> None:
    """No invoice twice, none lost, no number lost, the runs finished."""
    assert made() == wanted
    sequences = Invoice.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(sequences) == list(range(1, wanted.total() + 1))
    assert set(InvoiceRun.objects.values_list("state", flat=True)) <= {"FINISHED"}
    assert broken_invariants() == []


def test_eight_workers_on_one_date_make_every_invoice_once() -> None:
    sell(60)
    wanted = expected()

    codes = run_together(*[Job(work=run, batch_size=4)] * 8)

    assert codes == [0] * 8
    assert wanted.total() == 120
    assert InvoiceRun.objects.count() <= 8
    assert_all_is_well(wanted)


def test_clicks_beside_the_run_make_no_invoice_twice() -> None:
    sell(30)
    wanted = expected()

    codes = run_together(*[Job(work=run, batch_size=3)] * 2, *[Job(work=click)] * 2)

    assert codes == [0] * 4
    assert set(wanted) <= set(made())
    assert max(made().values()) == 1
    assert broken_invariants() == []


def open_slowly() -> None:
    """Run, and take much longer to open it than this session waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")

    def find_slowly(*args: Any, **kwargs: Any) -> list[int]:
        time.sleep(1)
        return due_bill_groups(*args, **kwargs)

    with patch.object(batches, "due_bill_groups", find_slowly):
        run()


def test_worker_that_comes_while_a_run_is_opened_waits_and_joins_it() -> None:
    """G12: a million bill groups take longer to cut than any lock is waited for."""
    sell(6)
    wanted = expected()

    codes = run_together(*[Job(work=open_slowly, batch_size=2)] * 2)

    assert codes == [0, 0]
    assert_all_is_well(wanted)


STEPS = (
    "invoicing.services.generation:extend_contracts",
    "invoicing.services.generation:join_run",
    "invoicing.services.batches:due_bill_groups",
    "invoicing.services.generation:claim_batch",
    "invoicing.services.batches:lock_open_books",
    "invoicing.services.batches:lock_bill_groups",
    "invoicing.services.batches:assess_due",
    "invoicing.services.writing:_marked",
    "invoicing.services.writing:copy_lines",
    "invoicing.services.writing:copy_audit",
    "invoicing.services.writing:copy_deliveries",
    "invoicing.services.writing:copy_decisions",
    "invoicing.services.batches:_close",
    "invoicing.services.papers:take_numbers",
    "invoicing.services.writing:copy_invoices",
    "invoicing.services.batches:_invoice_batch",
    "invoicing.services.generation:finish_run",
)


def test_a_run_killed_at_any_step_loses_and_doubles_nothing() -> None:
    """For each step new bill groups: a run that dies there, then one that heals."""
    wanted: Counter[Bill] = Counter()
    for step in STEPS:
        for after in (False, True):
            sell(4)
            wanted += expected()
            death = Death(at=step, after=after)

            assert run_together(Job(work=run, batch_size=2, death=death)) == [KILLED]
            assert set(made().values()) <= {1}
            run()

            assert_all_is_well(wanted)
    assert not ParkedBillGroup.objects.exists()


def test_g13_a_group_that_kills_its_worker_twice_is_parked() -> None:
    sell(9)
    wanted = expected()
    poison = BillGroup.objects.order_by("pk")[4]
    job = Job(work=run, batch_size=3, poison=poison.pk)

    assert run_together(job) == [KILLED]
    assert run_together(job) == [KILLED]
    assert run_together(job) == [0]

    parked = ParkedBillGroup.objects.get()
    assert parked.bill_group == poison
    assert "killed twice" in parked.reason
    without = Counter(bill for bill in wanted if bill[0] != poison.pk)
    assert_all_is_well(without)

    release_bill_group(bill_group=poison, reason="More memory", actor=None)
    run()
    assert_all_is_well(wanted)
