"""manage.py tells set-up faults in one sentence, and nothing else that way."""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
KEY = "pA7fK2mQ9xZ4vB8nR1tY6wE3uI5oL0sD" * 2


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DEBUG": "", "SECRET_KEY": KEY, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def answer(server: socket.socket, version: bytes) -> None:
    """Greet as a PostgreSQL server of a version would, and no more."""

    def message(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("!I", len(body) + 4) + body

    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client:
            client.recv(1024)
            parameters = {
                b"server_version": version,
                b"client_encoding": b"UTF8",
                b"TimeZone": b"UTC",
            }
            greeting = message(b"R", struct.pack("!I", 0))
            for name, value in parameters.items():
                greeting += message(b"S", name + b"\0" + value + b"\0")
            client.sendall(greeting + message(b"Z", b"I"))
            client.recv(1024)


@pytest.fixture
def old_server() -> Iterator[int]:
    """Yield the port of what says it is PostgreSQL 13."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        thread = threading.Thread(target=answer, args=(server, b"13.9"))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def assert_one_sentence(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    for part in parts:
        assert part in done.stderr


def test_missing_database_url_names_run() -> None:
    done = manage("migrate", DATABASE_URL="")

    assert_one_sentence(done, "DATABASE_URL is not set", "./run")


def test_silent_database_names_the_url() -> None:
    url = f"postgresql://me@127.0.0.1:{free_port()}/books"

    done = manage("migrate", DATABASE_URL=url)

    assert_one_sentence(done, "does not answer", "DATABASE_URL")


def test_old_server_is_refused(old_server: int) -> None:
    url = f"postgresql://me@127.0.0.1:{old_server}/books?sslmode=disable"

    done = manage("migrate", DATABASE_URL=url)

    assert_one_sentence(done, "PostgreSQL 14 or later", "13.9", "newer server")


def test_fault_of_the_code_keeps_its_traceback() -> None:
    done = manage("shell", "-c", "1 / 0", DATABASE_URL="postgresql://me@db/books")

    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" in done.stderr


def test_missing_packages_name_run() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
    )

    assert_one_sentence(done, "no module django", "./run manage check")


def test_reader_who_has_enough_is_no_fault() -> None:
    """As in `manage.py help | head -1`."""
    read, write = os.pipe()
    os.close(read)

    done = subprocess.run(
        [sys.executable, "manage.py", "help"],
        cwd=ROOT,
        env={**os.environ, "DEBUG": "", "SECRET_KEY": KEY},
        check=False,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(write)

    assert done.stderr == ""
