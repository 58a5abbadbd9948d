"""All clocks of Duebook: which task runs when. There is no other list.

Times are UTC, and no clock here depends on a local time: the tick asks each legal
entity's own clock. The list is brought to the database after every migrate. A schedule
that is new, or whose clock changed, first fires at its next time, never at once; one
that is gone from the list is removed; those of others are left alone.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django_q.models import Schedule

OURS: Final = "invoicing.tasks."
LOCK: Final = 4152  # of pg_advisory_xact_lock, against two migrates at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A task of `invoicing.tasks` and when it runs; `keeps` its results or not."""

    name: str
    task: str
    cron: str
    keeps: bool


CLOCKS: Final = (
    Clock(name="Nightly runs", task="tick", cron="*/15 * * * *", keeps=False),
    Clock(
        name="Papers and mails", task="work_deliveries", cron="* * * * *", keeps=False
    ),
    Clock(
        name="Check of the books",
        task="check_books_task",
        cron="37 5 * * *",
        keeps=True,
    ),
)


def ensure_schedules(**_signal: Any) -> None:
    """Bring the list of clocks to the database (a `post_migrate` receiver)."""
    if Schedule._meta.db_table not in connection.introspection.table_names():
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        gone = Schedule.objects.filter(func__startswith=OURS)
        gone.exclude(name__in=[clock.name for clock in CLOCKS]).delete()
        for clock in CLOCKS:
            _ensure(clock)


def _ensure(clock: Clock) -> None:
    wanted = {
        "func": OURS + clock.task,
        "schedule_type": Schedule.CRON,
        "cron": clock.cron,
        "kwargs": None if clock.keeps else "{'q_options': {'save': False}}",
        "repeats": -1,
    }
    there = Schedule.objects.filter(name=clock.name, func__startswith=OURS)
    schedule = there.order_by("pk").first() or Schedule(name=clock.name, next_run=None)
    there.exclude(pk=schedule.pk).delete()
    is_new_clock = schedule.next_run is None or schedule.cron != clock.cron
    for field, value in wanted.items():
        setattr(schedule, field, value)
    if is_new_clock:
        schedule.next_run = schedule.calculate_next_run()
    schedule.save()
