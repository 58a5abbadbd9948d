"""One at a time: two confirmations of one action on one object wait for each other.

The second then sees figures that the first has changed, and is shown them instead of
doing the deed again. The lock is the database session's, because the services have
transactions of their own inside.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from django.db import connection

# Within it the same deed of the same person is a click that came twice.
JUST_NOW: Final = timedelta(seconds=10)
SPACE: Final = 4153  # of pg_advisory_lock(space, key)


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Hold the turn of a name; raises `OperationalError` after `lock_timeout`."""
    key = zlib.crc32(name.encode()) - 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [SPACE, key])
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [SPACE, key])
