"""Counting that stays cheap on a million rows.

A filtered list is counted up to a cap; an unfiltered one that reaches the cap is
estimated from the planner's statistics. Pages end at the cap: nobody reads page 300,
and a filter finds what is beyond.
"""

from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import cached_property

CAP = 10_000
MOST_KEYS = 1_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic in stubs only
    """A paginator that never counts more than `CAP` rows."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """The number of rows, `CAP` at most."""
        return self.object_list.order_by()[:CAP].count()

    @cached_property
    def count_label(self) -> str:
        """The number of rows as people read it."""
        if self.count < CAP:
            return f"{self.count:,}"
        if self.object_list.query.where:
            return f"more than {CAP:,}"
        return f"about {estimated_rows(self.object_list.model._meta.db_table):,}"


class SummingPaginator(CappedPaginator):
    """A paginator of rows that are added up too, unless there are more than `CAP`.

    A filter may cost more than all else, so the few rows that one leaves are found
    again by their keys.
    """

    @cached_property
    def count(self) -> int:
        """The number of rows, `CAP` at most."""
        return len(self._keys) if self.object_list.query.where else super().count

    @property
    def to_add_up(self) -> QuerySet[Any]:
        """All rows; none where there are too many."""
        rows = self.object_list
        if not 0 < self.count < CAP:
            return rows.none()
        if not rows.query.where or self.count > MOST_KEYS:
            return rows
        few: QuerySet[Any] = rows.model._default_manager.filter(pk__in=self._keys)
        return few

    @cached_property
    def _keys(self) -> list[Any]:
        return list(self.object_list.order_by().values_list("pk", flat=True)[:CAP])


def estimated_rows(table: str) -> int:
    """Return about how many rows a table has, as PostgreSQL's statistics say."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table]
        )
        row = cursor.fetchone()
    return max(int(row[0]), CAP) if row else CAP
