"""The books' invariants, each a query that finds what breaks it (rules, section 8).

The constraints and triggers keep most of them already; the queries prove it, and find
what was written past them. They read only and share no code with what writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from invoicing.services.invariants import INVARIANTS, Invariant
from invoicing.services.invariants_of_money import MONEY_INVARIANTS
from invoicing.services.invariants_of_papers import PAPER_INVARIANTS
from invoicing.services.invariants_of_portals import PORTAL_INVARIANTS

EVERY_INVARIANT = (
    *INVARIANTS,
    *MONEY_INVARIANTS,
    *PAPER_INVARIANTS,
    *PORTAL_INVARIANTS,
)
ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An invariant that does not hold: how often, and the first rows that show it."""

    invariant: Invariant
    count: int
    examples: tuple[str, ...]


def check_books() -> tuple[Broken, ...]:
    """Return the invariants that are broken; empty when the books are in order.

    All queries see one snapshot, so that work going on meanwhile does not disturb them;
    inside a caller's transaction they see that one.
    """
    if connection.in_atomic_block:
        return tuple(_broken())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return tuple(_broken())


def _broken() -> Iterator[Broken]:
    for invariant in EVERY_INVARIANT:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) OVER (), broken.* FROM ({invariant.query}) AS broken"  # noqa: S608 (our own queries)
                f" LIMIT {ROWS_SHOWN}"
            )
            rows = cursor.fetchall()
        if rows:
            yield Broken(
                invariant=invariant,
                count=rows[0][0],
                examples=tuple(", ".join(map(str, row[1:])) for row in rows),
            )
