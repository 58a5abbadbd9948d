"""Processes of their own for what is measured, each at home in one database."""

import os
import resource
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process


@contextmanager
def process(database_url: str) -> Iterator[ProcessPoolExecutor]:
    """Start a process that has Django set up for a database; it takes one job a time.

    Starting, importing and connecting are over before the first job.
    """
    with ProcessPoolExecutor(
        max_workers=1,
        mp_context=get_context("spawn"),
        initializer=_set_up,
        initargs=(database_url,),
    ) as executor:
        executor.submit(_connect).result()
        yield executor


def _set_up(database_url: str) -> None:
    """Set Django up; settings read the environment, so nothing is imported before."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["DATABASE_URL"] = database_url

    import django
    from django.conf import settings

    django.setup()
    settings.DEBUG = False  # it would write down every statement


def _end_with_parent() -> None:
    """Leave no process and no connection behind when the bench itself is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _connect() -> None:
    from django.db import connection

    connection.ensure_connection()


def peak_memory() -> float:
    """Return the most memory this process ever had resident, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_000_000 if sys.platform == "darwin" else 1_000)
