"""The last nights of each legal entity: what ran, what was missed, what was healed.

A night is known by the date that its run is as of. One without a run was missed, one
whose run ended before it reached every bill group was stopped; both are healed by the
next whole run, which takes whatever is due by then (G7). Nights before the legal
entity's first run are not judged.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Min

from billing.models import LegalEntity
from config.clock import today_in
from invoicing.domain.states import RunState
from invoicing.models import InvoiceRun
from invoicing.queries.nights import night_of
from invoicing.queries.runs import RunFigures, run_figures

NIGHTS_SHOWN: Final = 30


class NightState(StrEnum):
    """What became of a night."""

    RAN = "RAN"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    MISSED = "MISSED"
    HEALED = "HEALED"
    COMING = "COMING"
    BEFORE = "BEFORE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night; `run` and `figures` are of its newest run, where there was one.

    `failure` is MISSED or STOPPED where `state` is HEALED, and `healed_by` the date of
    the run that took what it left.
    """

    day: date
    state: NightState
    failure: NightState | None = None
    healed_by: date | None = None
    run: InvoiceRun | None = None
    figures: RunFigures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NightsOf:
    """The nights of one legal entity, oldest first."""

    legal_entity: LegalEntity
    nights: tuple[Night, ...]


def calendar(*, now: datetime, nights: int = NIGHTS_SHOWN) -> tuple[NightsOf, ...]:
    """Return the last nights of every legal entity and the coming one.

    In a constant number of queries, whatever the legal entities and nights.
    """
    entities = list(LegalEntity.objects.order_by("pk"))
    firsts = dict(
        InvoiceRun.objects.values_list("legal_entity_id").annotate(Min("as_of"))
    )
    earliest = min((today_in(entity.time_zone) for entity in entities), default=None)
    if earliest is None:
        return ()
    runs = list(
        InvoiceRun.objects.filter(
            as_of__gte=earliest - timedelta(days=nights)
        ).order_by("pk")
    )
    figures = run_figures(runs)
    by_entity: defaultdict[int, list[InvoiceRun]] = defaultdict(list)
    for run in runs:
        by_entity[run.legal_entity_id].append(run)
    return tuple(
        NightsOf(
            legal_entity=entity,
            nights=_nights(
                by_entity[entity.pk],
                figures,
                first=firsts.get(entity.pk),
                tonight=night_of(now, entity.time_zone),
                today=today_in(entity.time_zone),
                nights=nights,
            ),
        )
        for entity in entities
    )


def _nights(
    runs: Iterable[InvoiceRun],
    figures: dict[int, RunFigures],
    *,
    first: date | None,
    tonight: date | None,
    today: date,
    nights: int,
) -> tuple[Night, ...]:
    """Judge the nights up to today, and show the one to come."""
    by_day: defaultdict[date, list[InvoiceRun]] = defaultdict(list)
    for run in runs:
        by_day[run.as_of].append(run)
    whole = sorted(
        day for day, of_day in by_day.items() if _is_whole(of_day[-1], figures)
    )
    last = tonight or today - timedelta(days=1)
    days = [last - timedelta(days=back) for back in range(nights - 1, -1, -1)]
    judged = [
        _night(day, by_day[day], figures, first=first, whole=whole, tonight=tonight)
        for day in days
    ]
    coming = Night(day=last + timedelta(days=1), state=NightState.COMING)
    return (*judged, coming)


def _night(
    day: date,
    runs: Sequence[InvoiceRun],
    figures: dict[int, RunFigures],
    *,
    first: date | None,
    whole: Sequence[date],
    tonight: date | None,
) -> Night:
    run = runs[-1] if runs else None
    of_run = figures[run.pk] if run else None
    if run is not None and _is_whole(run, figures):
        return Night(day=day, state=NightState.RAN, run=run, figures=of_run)
    if run is not None and run.state == RunState.RUNNING:
        return Night(day=day, state=NightState.RUNNING, run=run, figures=of_run)
    if run is None and (first is None or day < first):
        return Night(day=day, state=NightState.BEFORE)
    if run is None and day == tonight:
        return Night(day=day, state=NightState.COMING)
    failure = NightState.STOPPED if run else NightState.MISSED
    healed_by = next((later for later in whole if later > day), None)
    return Night(
        day=day,
        state=NightState.HEALED if healed_by else failure,
        failure=failure,
        healed_by=healed_by,
        run=run,
        figures=of_run,
    )


def _is_whole(run: InvoiceRun, figures: dict[int, RunFigures]) -> bool:
    return run.state == RunState.FINISHED and not figures[run.pk].left
