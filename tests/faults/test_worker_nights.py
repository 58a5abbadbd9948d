"""The nightly run on real django-q2 workers, killed and delivered again (G12, G13)."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.tasks import async_task

from billing.models import LegalEntity
from config.clock import today_in
from invoicing import tasks
from invoicing.models import Delivery, Invoice, InvoiceRevision, InvoiceRun, RunBatch
from invoicing.schedules import ensure_schedules
from tests.books import broken_invariants, sold
from tests.factories import BillGroupFactory, LegalEntityFactory
from tests.faults.cluster import (
    deliver_again,
    queue_is_empty,
    running_cluster,
    wait_until,
    zone_at_noon,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def legal_entity() -> LegalEntity:
    entity: LegalEntity = LegalEntityFactory.create(time_zone=zone_at_noon())
    return entity


def sell(groups: int, legal_entity: LegalEntity) -> date:
    """Sell to so many bill groups something that is due today; return today."""
    today = today_in(legal_entity.time_zone)
    for number in range(1, groups + 1):
        sold(
            today=today,
            bill_group=BillGroupFactory.create(legal_entity=legal_entity),
            start_date=today,
            end_date=today + timedelta(days=400),
            lines=[{"unit_price": Decimal(number), "frequency_months": 12}],
        )
    return today


def assert_billed_once(groups: int) -> None:
    totals = Counter(Invoice.objects.values_list("total", flat=True))
    assert totals == Counter(Decimal(n) for n in range(1, groups + 1))
    numbers = Invoice.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(numbers) == list(range(1, groups + 1))
    assert broken_invariants() == []


def test_night_whose_worker_is_killed_is_finished_by_the_next_tick(
    tmp_path: Path, legal_entity: LegalEntity
) -> None:
    today = sell(12, legal_entity)

    with running_cluster(tmp_path) as cluster:
        async_task("tests.faults.tasks.lead_and_die", legal_entity.pk, 3)
        wait_until(lambda: cluster.deaths() == 1)
        assert InvoiceRun.objects.get().state == "RUNNING"
        assert Invoice.objects.count() == 6

        tasks.tick()
        wait_until(lambda: InvoiceRun.objects.get().state == "FINISHED")

        assert InvoiceRun.objects.get().as_of == today
        assert_billed_once(12)

        # The killed task was never acknowledged: django-q2 hands it out again.
        assert OrmQ.objects.filter(lock__gt=timezone.now()).exists()
        deliver_again()
        wait_until(queue_is_empty)

    assert cluster.deaths() == 1
    assert InvoiceRun.objects.count() == 1
    assert_billed_once(12)


def test_ticks_delivered_many_times_run_the_night_once(
    tmp_path: Path, legal_entity: LegalEntity
) -> None:
    sell(8, legal_entity)
    for _ in range(5):
        tasks.tick()

    with running_cluster(tmp_path, workers=4):
        wait_until(queue_is_empty)

    assert InvoiceRun.objects.get().state == "FINISHED"
    assert_billed_once(8)


def test_workers_share_a_night(tmp_path: Path, legal_entity: LegalEntity) -> None:
    """The leader is held up in its first batch: the helper does all the others."""
    sell(9, legal_entity)

    with running_cluster(tmp_path):
        async_task("tests.faults.tasks.lead_slowly", legal_entity.pk, 1)
        wait_until(lambda: RunBatch.objects.count() == 9)
        async_task("invoicing.tasks.invoice_night", legal_entity.pk)
        wait_until(lambda: RunBatch.objects.filter(is_open=False).count() == 8)
        assert InvoiceRun.objects.get().state == "RUNNING"
        LegalEntity.objects.update(email="go@on.example")
        wait_until(queue_is_empty)

    assert InvoiceRun.objects.get().state == "FINISHED"
    assert_billed_once(9)


def test_from_the_clock_to_the_paper(tmp_path: Path, legal_entity: LegalEntity) -> None:
    """G12, M7, G11: schedule, tick, run, PDF and mail on real workers."""
    sell(3, legal_entity)

    with running_cluster(tmp_path) as cluster:
        ensure_schedules()
        Schedule.objects.filter(name="Nightly runs").update(next_run=timezone.now())
        scheduler()
        wait_until(lambda: InvoiceRun.objects.filter(state="FINISHED").exists())
        Schedule.objects.filter(name="Papers and mails").update(next_run=timezone.now())
        scheduler()
        wait_until(lambda: len(cluster.mail_texts()) == 3)
        Schedule.objects.all().delete()
        wait_until(queue_is_empty)

    assert_billed_once(3)
    assert InvoiceRevision.objects.count() == 3
    assert Counter(Delivery.objects.values_list("kind", "state")) == Counter(
        {("PDF", "SENT"): 3, ("EMAIL", "SENT"): 3}
    )
    assert all("application/pdf" in text for text in cluster.mail_texts())
