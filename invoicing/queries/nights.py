"""Which legal entities' nightly runs are due (G12).

A night begins at 04:15 of the legal entity's own clock. No zone changes its clock then;
should one do so all the same, a date has its run as long as it has any later minute.
"""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from billing.models import LegalEntity
from invoicing.domain.states import RunState
from invoicing.models import InvoiceRun

NIGHT_BEGINS: Final = time(4, 15)


def night_of(now: datetime, time_zone: str) -> date | None:
    """Return the date whose run is due at an instant; None before 04:15 there.

    >>> from datetime import UTC
    >>> night_of(datetime(2026, 3, 1, 3, 15, tzinfo=UTC), "Europe/Berlin")
    datetime.date(2026, 3, 1)
    """
    local = now.astimezone(ZoneInfo(time_zone))
    return local.date() if local.time() >= NIGHT_BEGINS else None


def due_nights(legal_entity: LegalEntity, *, now: datetime) -> list[date]:
    """Return the dates to run, oldest first: those left open, and tonight's if none.

    A run of tonight that was stopped is none: it is tried again.
    """
    runs = InvoiceRun.objects.filter(legal_entity=legal_entity)
    due = set(runs.filter(state=RunState.RUNNING).values_list("as_of", flat=True))
    tonight = night_of(now, legal_entity.time_zone)
    ran = runs.exclude(state=RunState.STOPPED)
    if tonight and not ran.filter(as_of=tonight).exists():
        due.add(tonight)
    return sorted(due)


def legal_entities_due(now: datetime) -> list[LegalEntity]:
    """Return the legal entities that have a night to run."""
    entities = LegalEntity.objects.order_by("pk")
    return [entity for entity in entities if due_nights(entity, now=now)]
