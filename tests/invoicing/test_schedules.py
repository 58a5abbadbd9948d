"""The list of clocks, brought to the database after each migrate (G12)."""

from datetime import timedelta

import pytest
from croniter import croniter
from django.core.management import call_command
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from invoicing import tasks
from invoicing.schedules import CLOCKS, ensure_schedules

pytestmark = pytest.mark.django_db


def ours() -> list[Schedule]:
    return list(Schedule.objects.filter(func__startswith="invoicing.").order_by("name"))


def test_migrate_brings_every_clock_once() -> None:
    Schedule.objects.all().delete()

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)

    assert [row.name for row in ours()] == sorted(clock.name for clock in CLOCKS)


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: clock.name)
def test_each_clock_names_a_task_and_a_valid_time(clock: object) -> None:
    assert callable(getattr(tasks, clock.task))  # type: ignore[attr-defined]
    assert croniter.is_valid(clock.cron)  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_new_clock_does_not_fire_at_once() -> None:
    Schedule.objects.all().delete()

    ensure_schedules()
    scheduler()

    assert all(row.next_run > timezone.now() for row in ours())
    assert not OrmQ.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_clock_that_is_due_fires_once_and_keeps_no_result_of_the_small_ones() -> None:
    late = timezone.now() - timedelta(days=3)
    Schedule.objects.filter(name="Papers and mails").update(next_run=late)

    scheduler()
    scheduler()

    (queued,) = OrmQ.objects.all()
    assert queued.task["func"] == "invoicing.tasks.work_deliveries"
    assert queued.task["save"] is False
    assert queued.task["args"] == ()
    assert queued.task["kwargs"] == {}


def test_ensuring_again_keeps_the_next_time() -> None:
    due = timezone.now() - timedelta(minutes=1)
    Schedule.objects.filter(name="Nightly runs").update(next_run=due)

    ensure_schedules()

    assert Schedule.objects.get(name="Nightly runs").next_run == due


def test_changed_clock_is_set_right_and_waits_for_its_next_time() -> None:
    Schedule.objects.filter(name="Nightly runs").update(
        cron="0 0 1 1 *", next_run=timezone.now() - timedelta(days=1), repeats=0
    )

    ensure_schedules()

    tick = Schedule.objects.get(name="Nightly runs")
    assert tick.cron == "*/15 * * * *"
    assert tick.repeats == -1
    assert timezone.now() < tick.next_run <= timezone.now() + timedelta(minutes=15)


def test_clocks_of_others_stay_and_ours_that_are_gone_go() -> None:
    Schedule.objects.create(name="Theirs", func="other.tasks.work")
    Schedule.objects.create(name="Nightly runs", func="other.tasks.same_name")
    Schedule.objects.create(name="Old", func="invoicing.tasks.renamed_since")

    ensure_schedules()

    assert not Schedule.objects.filter(name="Old").exists()
    assert Schedule.objects.filter(func__startswith="other.").count() == 2


def test_doubled_clock_becomes_one_again() -> None:
    row = Schedule.objects.get(name="Nightly runs")
    row.pk = None
    row.save()

    ensure_schedules()

    assert Schedule.objects.filter(name="Nightly runs").count() == 1


def test_settings_of_the_workers_never_redeliver_running_work() -> None:
    """DESIGN section 6: the retry clock starts when a task leaves the queue table."""
    assert Conf.RETRY > Conf.TIMEOUT * (1 + Conf.QUEUE_LIMIT / Conf.WORKERS)
    assert Conf.TIMEOUT == 1800
    assert Conf.BULK == 1
    assert Conf.MAX_ATTEMPTS == 1
    assert Conf.ACK_FAILURES is True
    assert Conf.CATCH_UP is False
    assert Conf.SAVE_LIMIT == 0
    assert Conf.ORM == "default"
    assert Conf.TIME_ZONE == "UTC"
