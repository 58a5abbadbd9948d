"""The database server restarts under a run, at any point of it (G12, M2)."""

import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from invoicing.models import InvoiceRun, ParkedBillGroup, RunBatch
from tests.faults.server import RestartableServer, own_server
from tests.faults.test_run import (
    Bill,
    assert_all_is_well,
    expected,
    made,
    run,
    sell,
)
from tests.faults.worker import Job, exit_codes, start_together

GROUPS = 40
PATIENCE = 30
MODES = ("immediate", "immediate", "fast", "immediate")


@pytest.fixture
def server(django_db_blocker: DjangoDbBlocker) -> Iterator[RestartableServer]:
    with django_db_blocker.unblock(), own_server() as server:
        yield server


def wait_for_batches(wanted: int) -> None:
    """Wait until the run that is under way has done so many batches."""
    give_up_at = time.monotonic() + PATIENCE
    done = RunBatch.objects.filter(run__state="RUNNING", is_open=False)
    while done.count() < wanted or not InvoiceRun.objects.filter(state="RUNNING"):
        assert time.monotonic() < give_up_at, "The run did not come that far."


def test_g12_m2_run_heals_after_the_server_restarts_under_it(
    server: RestartableServer,
) -> None:
    """Each time new bill groups: a run that is cut off, then one that heals."""
    wanted: Counter[Bill] = Counter()
    for mode in MODES:
        sell(GROUPS)
        wanted += expected()
        already = made()
        processes = start_together(*[Job(work=run, batch_size=1)] * 2)
        wait_for_batches(random.randint(1, GROUPS // 3))
        time.sleep(random.uniform(0, 0.01))

        server.restart(mode)

        assert exit_codes(processes) == [1, 1]
        assert already.total() < made().total() < wanted.total()
        assert InvoiceRun.objects.filter(state="RUNNING").count() == 1
        run()
        assert_all_is_well(wanted)
    assert not ParkedBillGroup.objects.exists()
