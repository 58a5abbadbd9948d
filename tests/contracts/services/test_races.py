"""Two people at once: each waits for the other, then sees what the other did."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection, transaction

from billing.models import BillGroup
from contracts.models import Contract, ScheduledCharge, UsageRecord
from contracts.services.external import NotBilledElsewhere, release_external_charge
from contracts.services.terms import BillGroupIsCanceled, ContractNotDraft, activate
from contracts.services.uploads import ImportRefused
from contracts.services.usage import UsagePeriodBilledElsewhere, record_usage
from tests.contracts.imported import apply
from tests.contracts.services.test_external import external_charge
from tests.contracts.services.test_usage import active_line
from tests.factories import ContractLineFactory

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = date(2026, 1, 10)


@contextmanager
def meanwhile(job: Callable[[], object]) -> Iterator[list[str]]:
    """Start a job in a transaction that holds what it needs; it ends after it.

    Gives a list that holds, in the end, what the job raised, or 'done'.
    """
    outcome: list[str] = []

    def run() -> None:
        try:
            job()
            outcome.append("done")
        except ValueError as refused:
            outcome.append(type(refused).__name__)
        finally:
            connection.close()

    thread = Thread(target=run)
    with transaction.atomic():
        yield outcome
        thread.start()
        thread.join(timeout=0.5)
        assert thread.is_alive(), f"It did not wait: {outcome}"
    thread.join(timeout=20)


def lock_bill_group() -> None:
    """Lock the only bill group, as the run does."""
    BillGroup.objects.select_for_update(no_key=True).get()


def test_usage_waits_for_the_run_and_sees_what_it_billed() -> None:
    """P9: usage is in before its period is rated, or it is refused."""
    line = active_line()

    with meanwhile(
        lambda: record_usage(
            line=line,
            usage_date=date(2026, 1, 15),
            quantity=Decimal(5),
            idempotency_key="k-1",
            actor=None,
        )
    ) as outcome:
        lock_bill_group()
        ScheduledCharge.objects.filter(period_start=date(2026, 1, 1)).update(
            state="EXTERNAL"
        )

    assert outcome == [UsagePeriodBilledElsewhere.__name__]
    assert not UsageRecord.objects.exists()


def test_of_two_activations_one_plans_and_the_other_is_told() -> None:
    """P8."""
    contract = ContractLineFactory.create().contract

    with meanwhile(
        lambda: activate(contract=contract, actor=None, today=TODAY)
    ) as outcome:
        activate(contract=contract, actor=None, today=TODAY)

    assert outcome == [ContractNotDraft.__name__]
    assert ScheduledCharge.objects.count() == 12


def test_activating_waits_for_the_bill_group_and_sees_that_it_was_canceled() -> None:
    contract = ContractLineFactory.create().contract

    with meanwhile(
        lambda: activate(contract=contract, actor=None, today=TODAY)
    ) as outcome:
        lock_bill_group()
        BillGroup.objects.update(status="CANCELED")

    assert outcome == [BillGroupIsCanceled.__name__]
    assert Contract.objects.get().status == "DRAFT"


def test_of_two_releases_of_a_charge_one_is_told() -> None:
    """I2."""
    row = external_charge()

    with meanwhile(
        lambda: release_external_charge(charge=row, reason="Again", actor=None)
    ) as outcome:
        release_external_charge(charge=row, reason="Never billed there", actor=None)

    assert outcome == [NotBilledElsewhere.__name__]


def test_an_import_waits_for_a_known_bill_group_and_reads_it_again() -> None:
    """I5: what changed while it waited counts."""
    apply({})

    Contract.objects.update(status="CANCELED")

    with meanwhile(lambda: apply({"contract_number": "C-2"})) as outcome:
        lock_bill_group()
        BillGroup.objects.update(status="CANCELED")

    assert outcome == [ImportRefused.__name__]
    assert Contract.objects.count() == 1
