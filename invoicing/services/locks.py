"""The locks of the billing transactions, always in this order (DESIGN section 5).

Books of the legal entity (share) -> contract -> bill group -> charges and invoices by
id -> number series last. Rows are read again in a statement after their lock. The raw
SQL for the share lock stands here only: the ORM has none.
"""

from collections.abc import Iterable
from datetime import date

from django.db import OperationalError, connection
from psycopg import errors

from billing.domain.dates import day_text
from billing.models import LegalEntity
from billing.queries import closed_through
from invoicing.queries.pending import id_array

LOCK_TIMEOUT = "5s"

LOCK_BILL_GROUPS = """
SELECT 1 FROM billing_billgroup WHERE id = ANY (%s::bigint[])
ORDER BY id FOR NO KEY UPDATE
"""


class PeriodClosed(ValueError):
    """A document would be dated in a closed month."""

    def __init__(self, issue_date: date, closed: date) -> None:
        super().__init__(
            f"The books are closed through {day_text(closed)}, so no document can be "
            f"dated {day_text(issue_date)}. Choose a later date."
        )


def limit_lock_waits(timeout: str = LOCK_TIMEOUT) -> None:
    """Give up waiting for a lock after a time, in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [timeout])


def lock_open_books(legal_entity: LegalEntity, *, issue_date: date) -> None:
    """Keep the legal entity's months from being closed until the transaction ends.

    Raises `PeriodClosed` if the issue date lies in a closed month (M6).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM billing_legalentity WHERE id = %s FOR SHARE",
            [legal_entity.pk],
        )
    refuse_closed(legal_entity, issue_date=issue_date)


def refuse_closed(legal_entity: LegalEntity, *, issue_date: date) -> None:
    """Raise `PeriodClosed` if the issue date lies in a closed month (M6)."""
    closed = closed_through(legal_entity)
    if closed is not None and issue_date <= closed:
        raise PeriodClosed(issue_date, closed)


def lock_bill_groups(bill_group_ids: Iterable[int]) -> None:
    """Lock bill groups in the order of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_BILL_GROUPS, [id_array(bill_group_ids)])


def is_lock_trouble(error: OperationalError) -> bool:
    """Tell a deadlock or a lock timeout from a database that is gone."""
    return isinstance(
        error.__cause__, (errors.DeadlockDetected, errors.LockNotAvailable)
    )
