"""The run beside activation and usage, and when its connections are cut (G12)."""

import random
import time
from collections import Counter
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection

from billing.models import BillGroup
from contracts.models import Contract, ContractLine, ScheduledCharge
from contracts.services.usage import UsageRefused, record_usage
from invoicing.models import Invoice, ParkedBillGroup
from invoicing.services.drafts import NotADraft, issue_draft
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import activate_contract
from invoicing.services.parking import release_bill_group
from tests.books import broken_invariants, sold
from tests.factories import ContractFactory, ContractLineFactory
from tests.faults.test_run import assert_all_is_well, expected, made, run, sell
from tests.faults.worker import Job, run_together

pytestmark = pytest.mark.django_db(transaction=True)

JAN_1 = date(2026, 1, 1)
FEB_1 = date(2026, 2, 1)


def activate_everything() -> None:
    """Activate every draft contract, each with its first invoice."""
    for contract in Contract.objects.filter(status="DRAFT").order_by("pk"):
        activate_contract(contract=contract, actor=None, today=FEB_1)


def test_activation_beside_the_run_doubles_and_loses_nothing() -> None:
    sell(20)
    for group in BillGroup.objects.order_by("pk"):
        new = ContractFactory.create(bill_group=group, start_date=FEB_1)
        ContractLineFactory.create(contract=new, position=1)

    codes = run_together(
        *[Job(work=run, batch_size=3)] * 2, Job(work=activate_everything)
    )
    run()

    assert codes == [0, 0, 0]
    assert not ScheduledCharge.objects.filter(
        state="PENDING", bill_date__lte=FEB_1
    ).exists()
    assert Contract.objects.filter(status="DRAFT").count() == 0
    assert broken_invariants() == []


def use() -> None:
    """Record January usage of every line; the run may have been there first."""
    for line in ContractLine.objects.order_by("-pk"):
        with suppress(UsageRefused):
            record_usage(
                line=line,
                usage_date=JAN_1,
                quantity=Decimal(10),
                idempotency_key=f"jan-{line.pk}",
                actor=None,
            )


def test_p9_usage_beside_the_run_is_billed_or_refused_never_lost() -> None:
    usage = {
        "charge_type": "USAGE",
        "timing": "ARREARS",
        "quantity": None,
        "unit_price": Decimal(1),
    }
    for _ in range(20):
        sold(today=JAN_1, lines=[usage])

    assert run_together(Job(work=run, batch_size=1), Job(work=use)) == [0, 0]
    run()

    recorded = set(
        ContractLine.objects.filter(usage__isnull=False).values_list("pk", flat=True)
    )
    billed = set(
        ScheduledCharge.objects.filter(state="INVOICED", amount=10).values_list(
            "contract_line_id", flat=True
        )
    )
    assert billed == recorded
    assert broken_invariants() == []


def test_g17_two_people_issue_the_same_drafts_once() -> None:
    sold(today=JAN_1)
    run_invoicing(as_of=date(2026, 6, 1))
    assert set(Invoice.objects.values_list("status", flat=True)) == {"DRAFT"}

    def issue() -> None:
        for draft in Invoice.objects.order_by("pk"):
            with suppress(NotADraft):
                issue_draft(invoice=draft, actor=None, today=date(2026, 6, 1))

    assert run_together(*[Job(work=issue)] * 3) == [0, 0, 0]

    assert Counter(Invoice.objects.values_list("status", flat=True)) == {"OPEN": 6}
    assert broken_invariants() == []


def cut_connections() -> None:
    """End other sessions of this database now and then, as a restart does."""
    for _ in range(25):
        time.sleep(random.uniform(0.02, 0.15))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def stubborn_run() -> None:
    """Begin again when the connection is gone."""
    for _ in range(30):
        with suppress(DatabaseError):
            run()
            return


def test_a_run_whose_connections_are_cut_is_finished_by_the_next() -> None:
    sell(30)
    wanted = expected()

    run_together(*[Job(work=stubborn_run, batch_size=3)] * 2, Job(work=cut_connections))
    assert set(made().values()) <= {1}
    for parked in ParkedBillGroup.objects.all():
        assert "killed twice" in parked.reason
        release_bill_group(bill_group=parked.bill_group, reason="Cut", actor=None)
    run()

    assert_all_is_well(wanted)
