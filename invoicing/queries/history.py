"""The history of an object: its audit entries, newest first, page by page (M5).

Entries of routine (mails sent, papers stored) that follow one another are told in one
line. A page begins after the last entry of the page before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.db.models import QuerySet

from billing.events import ROUTINE, EventKind, codes_of
from billing.models import AuditEvent

LINES_SHOWN: Final = 15
ENTRIES_READ: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Lines of one entry each, or of several of routine; `following` is where to go on.

    `following` is the id of the last entry shown; None where there is nothing before.
    """

    lines: tuple[tuple[AuditEvent, ...], ...]
    following: int | None


def history_page(
    entries: QuerySet[AuditEvent],
    *,
    kind: EventKind | None = None,
    before: int | None = None,
    lines: int = LINES_SHOWN,
) -> HistoryPage:
    """Return a page of entries of one kind or of all, in one query."""
    if kind is not None:
        entries = entries.filter(code__in=codes_of(kind))
    if before is not None:
        entries = entries.filter(pk__lt=before)
    read = list(entries.order_by("-id")[: ENTRIES_READ + 1])
    shown = tuple(_lines(read[:ENTRIES_READ]))[:lines]
    count = sum(map(len, shown))
    return HistoryPage(
        lines=shown,
        following=shown[-1][-1].pk if count < len(read) else None,
    )


def _lines(entries: Sequence[AuditEvent]) -> Iterator[tuple[AuditEvent, ...]]:
    for is_routine, run in groupby(entries, key=lambda event: event.code in ROUTINE):
        if is_routine:
            yield tuple(run)
        else:
            yield from ((event,) for event in run)
