"""The last nights: ran, missed, stopped, healed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import LegalEntity
from invoicing.display import night_text
from invoicing.models import InvoiceRun, RunBatch
from invoicing.queries.calendar import Night, calendar
from tests.staff import client_of, company

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BEFORE_THE_NIGHT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def entity() -> LegalEntity:
    made = company()
    LegalEntity.objects.filter(pk=made.pk).update(time_zone="UTC")
    made.refresh_from_db()
    return made


def ran(entity: LegalEntity, day: int, **fields: Any) -> InvoiceRun:
    """Make a finished run as of a day of March with one batch worked through."""
    run = InvoiceRun.objects.create(
        legal_entity=entity,
        as_of=date(2026, 3, day),
        **({"state": "FINISHED", "finished_at": NOON} | fields),
    )
    RunBatch.objects.create(
        run=run, bill_groups=[1, 2], is_open=False, attempts=1, generated=2
    )
    return run


def stopped(entity: LegalEntity, day: int) -> InvoiceRun:
    """Make a run that was closed with a batch that nobody has tried."""
    run = ran(entity, day)
    RunBatch.objects.create(run=run, bill_groups=[3], is_open=False, attempts=0)
    return run


def nights(now: datetime = NOON) -> dict[int, Night]:
    (of_entity,) = calendar(now=now, nights=6)
    return {night.day.day: night for night in of_entity.nights}


def states(now: datetime = NOON) -> dict[int, str]:
    return {day: night.state.value for day, night in nights(now).items()}


def test_night_without_a_run_is_missed_until_a_later_run_heals_it(
    entity: LegalEntity,
) -> None:
    """G7."""
    ran(entity, 6)
    ran(entity, 8)

    assert states() == {
        5: "BEFORE",
        6: "RAN",
        7: "HEALED",
        8: "RAN",
        9: "MISSED",
        10: "COMING",
        11: "COMING",
    }
    assert night_text(nights()[7]) == "missed, healed by the run as of 8 Mar 2026"


def test_run_that_came_not_to_all_is_stopped_and_healed_by_a_whole_one(
    entity: LegalEntity,
) -> None:
    """G12."""
    stopped(entity, 7)
    stopped(entity, 8)
    assert states()[7] == states()[8] == "STOPPED"

    ran(entity, 10)

    assert states()[7] == states()[8] == "HEALED"
    assert night_text(nights()[8]).startswith("stopped half-way, healed")


def test_second_run_of_the_same_night_makes_it_whole(entity: LegalEntity) -> None:
    stopped(entity, 9)
    ran(entity, 9)

    assert states()[9] == "RAN"


def test_open_run_is_running(entity: LegalEntity) -> None:
    ran(entity, 9)
    ran(entity, 10, state="RUNNING", finished_at=None)

    assert states()[10] == "RUNNING"


def test_night_has_not_come_before_a_quarter_past_four(entity: LegalEntity) -> None:
    """G12."""
    ran(entity, 8)

    assert states(BEFORE_THE_NIGHT)[9] == "MISSED"
    assert states(BEFORE_THE_NIGHT)[10] == "COMING"
    assert 11 not in states(BEFORE_THE_NIGHT)


def test_company_without_runs_has_missed_nothing(entity: LegalEntity) -> None:
    assert set(states().values()) == {"BEFORE"} | {"COMING"}


def test_list_of_runs_shows_the_nights_in_a_constant_number_of_queries(
    entity: LegalEntity,
) -> None:
    client = client_of("Auditor")
    url = reverse("admin:invoicing_invoicerun_changelist")

    def queries() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as counted:
            page = client.get(url)
        assert b"The last nights" in page.content
        return len(counted)

    ran(entity, 1)
    before = queries()
    for day in range(2, 9):
        ran(entity, day)

    assert queries() == before


def test_missed_night_leads_to_its_run_and_a_ran_one_to_its_page(
    entity: LegalEntity,
) -> None:
    run = ran(entity, 8)

    page = client_of("Auditor").get(reverse("admin:invoicing_invoicerun_changelist"))

    (row,) = page.context["calendar"]["rows"]
    urls = {cell["night"].day.day: cell["url"] for cell in row["nights"][-4:]}
    assert urls[8].endswith(f"/invoicerun/{run.pk}/change/")
    assert urls[9].endswith(f"/run-now/?legal_entity={entity.pk}&as_of=2026-03-09")
    assert "/dry-run/" in urls[11]
