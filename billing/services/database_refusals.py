"""What the database refuses in a sentence of its own, passed on to staff as it is.

Triggers that check more than a row raise the name of a constraint and a sentence for
finance staff; the service that writes says which refusal of its own that is.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from django.db import IntegrityError, transaction


@contextmanager
def refused_as(refusals: Mapping[str, type[ValueError]]) -> Iterator[None]:
    """Write in a savepoint; raise a refusal, by constraint, with the database's words.

    What `refusals` do not name is raised as it came: `IntegrityError`.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        if not isinstance(cause, psycopg.Error):
            raise
        refusal = refusals.get(cause.diag.constraint_name or "")
        if refusal is None:
            raise
        raise refusal(cause.diag.message_primary) from error
