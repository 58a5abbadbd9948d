"""What keeps a month from being closed, and what is left pending when it is (M6).

The rule stands in the database, in `invoicing_closing_obstacles`, whose trigger refuses
to close a month over it.
"""

from datetime import date
from typing import Final, NamedTuple

from django.db import connection

from billing.models import LegalEntity

STOPPED: Final = "STOPPED"

OBSTACLES = """
SELECT kind, bill_group_id, bill_date, invoice_id
FROM invoicing_closing_obstacles(%s, %s)
ORDER BY kind, bill_date, bill_group_id, invoice_id
"""


class Obstacle(NamedTuple):
    """A draft, a pending invoice or a superseded invoice with something to credit.

    `kind` is DRAFT, PENDING, SUPERSEDED, or STOPPED for a pending invoice that a person
    stopped (G1-G4), which does not keep a month from being closed.
    """

    kind: str
    bill_group_id: int
    bill_date: date
    invoice_id: int | None


def closing_obstacles(legal_entity: LegalEntity, month: date) -> tuple[Obstacle, ...]:
    """Return what is in the way of closing a month; `month` is its first day (M6)."""
    return tuple(one for one in _open(legal_entity, month) if one.kind != STOPPED)


def stopped_by_people(legal_entity: LegalEntity, month: date) -> tuple[Obstacle, ...]:
    """Return the pending invoices that stay pending over the closing (G1-G4)."""
    return tuple(one for one in _open(legal_entity, month) if one.kind == STOPPED)


def _open(legal_entity: LegalEntity, month: date) -> list[Obstacle]:
    with connection.cursor() as cursor:
        cursor.execute(OBSTACLES, [legal_entity.pk, month])
        return [Obstacle._make(row) for row in cursor.fetchall()]
