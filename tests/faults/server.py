"""A PostgreSQL of the test's own, to restart under a run."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import environ
import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections

from config.embedded_postgres import Server, open_server
from config.processes import Fault

PACKAGES = Path(psycopg.__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartableServer:
    """The server that the default connection leads to."""

    server: Server

    def restart(self, mode: str) -> None:
        """Restart it at once (`immediate`, as after a crash) or in order (`fast`)."""
        connections.close_all()
        done = self.server._call(
            *("pg_ctl", "restart", "-m", mode, "-w", "-t", "60"),
            *("-D", self.server.data, "-l", self.server.log),
        )
        assert done.returncode == 0, done.stdout


@contextmanager
def own_server() -> Iterator[RestartableServer]:
    """Lead the default connection to a new server with an empty, migrated database.

    Its folder can be reached by the user that the server runs as when we are root.
    """
    with (
        tempfile.TemporaryDirectory(dir="/tmp", prefix="duebook-restart-") as name,
        pytest.MonkeyPatch.context() as patch,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        patch.setenv("EMBEDDED_POSTGRES_FOLDER", str(folder / "postgres"))
        try:
            server = open_server(var=folder, site_packages=PACKAGES)
        except Fault as fault:
            pytest.skip(f"There is no PostgreSQL that a test may restart: {fault}")
        with server.running() as url, _connected_to(url):
            call_command("migrate", verbosity=0)
            yield RestartableServer(server=server)


@contextmanager
def _connected_to(url: str) -> Iterator[None]:
    connections.close_all()
    before = dict(connection.settings_dict)
    connection.settings_dict.update(environ.Env.db_url_config(url))
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)
