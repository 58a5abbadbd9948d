"""The databases of a bench: made on the user's server, never the user's own.

One is migrated, each measurement fills a copy of it, and what is compared starts from
copies of that, with the same rows on the same pages. All are dropped at the end.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote, urlsplit

from django.core.management.base import CommandError
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import OperationalError, ProgrammingError
from psycopg import errors

from invoicing.management.bench.processes import process

LONGEST_NAME = 63  # what PostgreSQL keeps of a name
COPY_SUFFIX = "_copy"


@contextmanager
def empty_database() -> Iterator[str]:
    """Make a database with tables but no rows; yields its URL, drops it at the end."""
    own = str(connection.settings_dict["NAME"])
    name = f"{own[: LONGEST_NAME - 20]}_bench"
    with _server() as server:
        for depth in (1, 2):  # copies that a killed bench left behind
            _drop(server, name + depth * COPY_SUFFIX)
    with _made(name):
        with process(_url(name)) as one:
            one.submit(_migrate).result()
        yield _url(name)


@contextmanager
def copied(database_url: str) -> Iterator[str]:
    """Copy a database to which nobody is connected; drops the copy at the end."""
    template = urlsplit(database_url).path[1:]
    name = f"{template}{COPY_SUFFIX}"
    with _made(name, template=template):
        yield _url(name)


@contextmanager
def _made(name: str, *, template: str = "") -> Iterator[None]:
    with _server() as server:
        _drop(server, name)
        _create(server, name, template)
    try:
        yield
    finally:
        with _server() as server:
            _drop(server, name, "WITH (FORCE)")


def _create(server: BaseDatabaseWrapper, name: str, template: str) -> None:
    source = f" TEMPLATE {server.ops.quote_name(template)}" if template else ""
    try:
        _execute(server, f"CREATE DATABASE {server.ops.quote_name(name)}{source}")
    except ProgrammingError as refusal:
        raise CommandError(
            f"The bench can't make its database {name} ({refusal}). Let the role of "
            "DATABASE_URL create databases: ALTER ROLE ... CREATEDB."
        ) from refusal
    # What copying left in memory is written out now if we may, else meanwhile.
    with suppress(ProgrammingError):
        _execute(server, "CHECKPOINT")


def _drop(server: BaseDatabaseWrapper, name: str, how: str = "") -> None:
    try:
        _execute(server, f"DROP DATABASE IF EXISTS {server.ops.quote_name(name)} {how}")
    except OperationalError as refusal:
        if not isinstance(refusal.__cause__, errors.ObjectInUse):
            raise
        raise CommandError(
            f"Another bench uses the database {name}. Wait for it to end."
        ) from refusal


@contextmanager
def _server() -> Iterator[BaseDatabaseWrapper]:
    """Connect once more, outside any transaction of the caller."""
    server = connection.copy()
    try:
        yield server
    finally:
        server.close()


def _execute(server: BaseDatabaseWrapper, statement: str) -> None:
    with server.cursor() as cursor:
        cursor.execute(statement)


def _url(name: str) -> str:
    parts = urlsplit(os.environ["DATABASE_URL"])
    return parts._replace(path=f"/{quote(name)}").geturl()


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
