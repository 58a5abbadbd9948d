"""The tasks of the workers: which nights are due, on every clock (G12)."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
import time_machine
from django.db import connection
from django.test import override_settings

from billing.models import LegalEntity
from invoicing import tasks
from invoicing.models import Delivery, Invoice, InvoiceRun
from invoicing.queries.nights import due_nights, night_of
from invoicing.services import documents, nights
from invoicing.services.batches import RunStopped, join_run
from invoicing.services.generation import generate_next_invoice
from tests.books import sold
from tests.factories import LegalEntityFactory
from tests.invoicing.services.printed import issued_invoice, paper_delivery

pytestmark = pytest.mark.django_db

CHANGES = [
    pytest.param("Europe/Berlin", date(2026, 3, 29), id="berlin_spring_2_to_3"),
    pytest.param("Europe/Berlin", date(2026, 10, 25), id="berlin_autumn_3_to_2"),
    pytest.param("America/Santiago", date(2026, 9, 6), id="santiago_spring_0_to_1"),
    pytest.param("America/Santiago", date(2026, 4, 5), id="santiago_autumn_24_to_23"),
    pytest.param("Africa/Cairo", date(2026, 4, 24), id="cairo_spring_0_to_1"),
    pytest.param("Africa/Cairo", date(2026, 10, 30), id="cairo_autumn_24_to_23"),
    pytest.param(
        "Australia/Lord_Howe", date(2026, 10, 4), id="lord_howe_spring_half_an_hour"
    ),
    pytest.param(
        "Australia/Lord_Howe", date(2026, 4, 5), id="lord_howe_autumn_half_an_hour"
    ),
]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run what is enqueued on the spot, and note it."""
    noted: list[str] = []

    def run(task: Callable[..., str], *args: int) -> None:
        noted.append(task.__name__)
        task(*args)

    monkeypatch.setattr(tasks, "_enqueue", run)
    return noted


def ticks(first: date, last: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the local instants of ticks, late by seconds like those of a scheduler.

    Those before noon will do: nothing changes after it.
    """
    instant = datetime.combine(first, time(), zone).astimezone(UTC)
    late = 0
    while (local := instant.astimezone(zone)).date() <= last:
        if local.hour < 12:
            yield local + timedelta(seconds=late)
        instant += timedelta(minutes=15)
        late = (late + 7) % 30


@pytest.mark.parametrize(("time_zone", "changes_on"), CHANGES)
def test_every_date_has_exactly_one_run_across_clock_changes(
    time_zone: str, changes_on: date, at_once: list[str]
) -> None:
    """G12."""
    LegalEntityFactory.create(time_zone=time_zone)
    zone = ZoneInfo(time_zone)
    first, last = changes_on - timedelta(days=1), changes_on + timedelta(days=1)
    began: dict[date, datetime] = {}

    with time_machine.travel(0, tick=False) as clock:
        for local in ticks(first, last, zone):
            clock.move_to(local)
            before = InvoiceRun.objects.count()
            tasks.tick()
            if InvoiceRun.objects.count() > before:
                began[local.date()] = local

    runs = list(InvoiceRun.objects.order_by("pk").values_list("as_of", flat=True))
    dates = [first, changes_on, last]
    assert runs == dates
    assert list(began) == dates
    for local in began.values():
        assert time(4, 15) <= local.time() < time(4, 31)


def test_every_zone_has_a_night_on_every_date_that_its_clock_shows() -> None:
    """G12: from 04:15 on every date of every zone goes on, on each day of 2026."""
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for day in range(1, 366):
            on = date(2026, 1, 1) + timedelta(days=day - 1)
            early = datetime.combine(on, time(4, 15), zone).astimezone(UTC)
            assert night_of(early + timedelta(minutes=20), name) == on, (name, on)


@pytest.mark.parametrize(
    ("now", "night"),
    [
        pytest.param("2026-03-01T03:14:59Z", None, id="a_second_before"),
        pytest.param("2026-03-01T03:15:00Z", date(2026, 3, 1), id="on_the_minute"),
        pytest.param("2026-03-01T22:59:59Z", date(2026, 3, 1), id="late_in_the_day"),
        pytest.param("2026-03-01T23:00:00Z", None, id="after_midnight"),
    ],
)
def test_night_begins_at_quarter_past_four_local_time(
    now: str, night: date | None
) -> None:
    """G12."""
    assert night_of(datetime.fromisoformat(now), "Europe/Berlin") == night


def test_each_legal_entity_has_its_own_clock(at_once: list[str]) -> None:
    tokyo = LegalEntityFactory.create(name="Tokyo KK", time_zone="Asia/Tokyo")
    LegalEntityFactory.create(name="Berlin GmbH", time_zone="Europe/Berlin")

    with time_machine.travel("2026-03-01T18:00:00Z", tick=False):
        tasks.tick()
    with time_machine.travel("2026-03-02T02:00:00Z", tick=False):
        tasks.tick()

    runs = InvoiceRun.objects.order_by("pk").values_list("legal_entity__name", "as_of")
    assert list(runs) == [
        ("Berlin GmbH", date(2026, 3, 1)),
        (tokyo.name, date(2026, 3, 2)),
    ]


def test_days_without_workers_are_one_run(at_once: list[str]) -> None:
    """G7: the missed nights heal themselves in the next one."""
    LegalEntityFactory.create()
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        tasks.tick()

    with time_machine.travel("2026-03-08T12:00:00Z", tick=False):
        tasks.tick()

    runs = InvoiceRun.objects.order_by("pk").values_list("as_of", flat=True)
    assert list(runs) == [date(2026, 3, 1), date(2026, 3, 8)]


@pytest.mark.parametrize("now", ["2026-03-02T02:00:00Z", "2026-03-02T12:00:00Z"])
def test_run_left_open_by_a_dead_worker_is_finished_by_the_next_tick(
    now: str, at_once: list[str]
) -> None:
    """G12."""
    legal_entity = LegalEntityFactory.create()
    left = InvoiceRun.objects.create(legal_entity=legal_entity, as_of="2026-03-01")

    with time_machine.travel(now, tick=False):
        tasks.tick()

    left.refresh_from_db()
    assert left.state == "FINISHED"


def test_nights_are_run_oldest_first() -> None:
    legal_entity = LegalEntityFactory.create()
    InvoiceRun.objects.create(legal_entity=legal_entity, as_of="2026-03-01")

    due = due_nights(legal_entity, now=datetime(2026, 3, 2, 12, tzinfo=UTC))

    assert due == [date(2026, 3, 1), date(2026, 3, 2)]


def test_finished_run_of_the_date_is_not_run_again(at_once: list[str]) -> None:
    LegalEntityFactory.create()

    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        tasks.tick()
        tasks.invoice_night(LegalEntity.objects.get().pk)
        tasks.tick()

    assert InvoiceRun.objects.count() == 1


def test_run_of_an_earlier_day_that_can_not_go_on_gives_way(
    at_once: list[str],
) -> None:
    """G7, M8: someone has issued by hand since; tonight's run takes what it left."""
    group = sold(today=date(2026, 3, 1), start_date=date(2026, 3, 1)).bill_group
    left = join_run(legal_entity=group.legal_entity, as_of=date(2026, 3, 1), actor=None)
    by_hand = sold(today=date(2026, 3, 1), start_date=date(2026, 3, 1)).bill_group
    generate_next_invoice(bill_group=by_hand, actor=None, today=date(2026, 3, 2))

    with time_machine.travel("2026-03-02T12:00:00Z", tick=False):
        tasks.tick()

    left.refresh_from_db()
    assert left.state == "STOPPED"
    assert "dated 2 Mar 2026" in left.stopped_because
    assert not left.batches.get().is_open
    tonight = InvoiceRun.objects.get(as_of="2026-03-02")
    assert tonight.state == "FINISHED"
    assert Invoice.objects.get(bill_group=group).run == tonight


@pytest.mark.parametrize(
    ("state", "because", "due"),
    [("FINISHED", "", []), ("STOPPED", "Closed.", [date(2026, 3, 1)])],
)
def test_night_that_was_stopped_is_tried_again(
    state: str, because: str, due: list[date]
) -> None:
    """G12: it is not hidden from the tick, once the cause is gone."""
    legal_entity = LegalEntityFactory.create()
    InvoiceRun.objects.create(
        legal_entity=legal_entity,
        as_of="2026-03-01",
        state=state,
        stopped_because=because,
        finished_at=datetime(2026, 3, 1, 5, tzinfo=UTC),
    )

    assert due_nights(legal_entity, now=datetime(2026, 3, 1, 12, tzinfo=UTC)) == due


def test_night_that_can_not_be_dated_fails_loudly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    legal_entity = LegalEntityFactory.create()

    def refuse(**_: object) -> None:
        raise RunStopped("The books are closed through 31 Mar 2026.")

    monkeypatch.setattr(nights, "run_invoicing", refuse)

    with (
        time_machine.travel("2026-03-02T12:00:00Z", tick=False),
        pytest.raises(RunStopped),
    ):
        tasks.invoice_night(legal_entity.pk)

    assert not nights._has_leader(legal_entity)


@override_settings(WORKERS=3)
def test_every_worker_is_asked_to_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(
        tasks, "_enqueue", lambda task, *args: asked.append((task.__name__, *args))
    )
    legal_entity = LegalEntityFactory.create()

    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        tasks.tick()

    assert asked == [("invoice_night", legal_entity.pk)] * 3


def test_deliveries_stop_when_the_time_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "render", lambda html: b"%PDF-")
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 0)
    paper_delivery(issued_invoice())

    tasks.work_deliveries()

    assert Delivery.objects.get().state == "QUEUED"


@override_settings(WORKERS=3)
@pytest.mark.parametrize(
    ("waiting", "helpers"), [(0, 0), (1, 0), (4, 1), (6, 2), (40, 2)]
)
def test_other_workers_are_asked_to_help_with_many_deliveries(
    monkeypatch: pytest.MonkeyPatch, waiting: int, helpers: int
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tasks, "_enqueue", lambda task: asked.append(task.__name__))
    monkeypatch.setattr(tasks, "DELIVERIES_A_WORKER", 2)
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 0)
    for _ in range(waiting):
        paper_delivery(issued_invoice(lines=0))

    tasks.work_deliveries()

    assert asked == ["deliver_for_a_while"] * helpers


def test_books_in_order_are_reported() -> None:
    assert tasks.check_books_task() == "The books are in order."


def test_broken_books_make_the_task_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE invoicing_invoice DISABLE TRIGGER USER")
        invoice = issued_invoice()
        cursor.execute(
            "UPDATE invoicing_invoice SET sequence = 999 WHERE id = %s", [invoice.pk]
        )

    with pytest.raises(tasks.BooksOutOfOrder):
        tasks.check_books_task()
