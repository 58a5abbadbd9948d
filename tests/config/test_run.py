"""./run starts, stops, is killed and started again, in a small house of its own.

The server, the processes and the web server are real; manage.py only notes what it was
asked to do, so nothing here depends on what Duebook does.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from config.packages import Packages, fingerprint
from config.processes import Steps, command_line, start_time

ROOT = Path(settings.BASE_DIR)
PACKAGES = Path(psycopg.__file__).parent.parent
PARTS = ("__init__", "embedded_postgres", "packages", "processes")

MANAGE = """
import json, os, sys, time
from pathlib import Path

def main(*commands):
    said = {name: os.environ.get(name) for name in ("DATABASE_URL", "SITE_URL")}
    for command in commands:
        with open("calls", "a") as calls:
            print(json.dumps([list(command), said]), file=calls)
        if command[0] == "collectstatic":
            Path("var/static").mkdir(exist_ok=True)
        if Path("slow-" + command[0]).exists() or command[0] == "qcluster":
            time.sleep(600)
        if Path("broken-" + command[0]).exists():
            sys.exit("broken " + command[0])

if __name__ == "__main__":
    main(sys.argv[1:])
"""
WSGI = """
def application(environ, start_response):
    start_response("204 No Content", [])
    return []
"""


def eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def listen_to_ctrl_c() -> None:
    """Undo what a test run in the background may have inherited: a deaf ear."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Run:
    """A ./run, and the file that it speaks into."""

    process: subprocess.Popen[bytes]
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def finish(self, number: signal.Signals | None = None) -> int:
        """Send a signal, if any, and return the exit status."""
        if number:
            self.process.send_signal(number)
        return self.process.wait(timeout=60)


class House:
    """A folder with ./run in it, and what is asked of that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "config").mkdir()
        for part in PARTS:
            shutil.copy(ROOT / "config" / f"{part}.py", folder / "config")
        shutil.copy(ROOT / "run", folder)
        (folder / "config" / "wsgi.py").write_text(WSGI)
        (folder / "manage.py").write_text(MANAGE)
        (folder / "requirements.lock").write_text("# nothing\n")
        self._have_packages()
        self.runs: list[Run] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def _have_packages(self) -> None:
        """Lend the packages of this test run."""
        venv = self.folder / ".venv"
        packages = Packages(venv=venv, log=Path("log"), steps=Steps(self.folder))
        packages.python.parent.mkdir(parents=True)
        packages.python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        packages.python.chmod(0o755)
        packages.folder.parent.mkdir(parents=True)
        packages.folder.symlink_to(PACKAGES)
        made_for = f"{sys.version.split()[0]} {venv}"
        mark = fingerprint(self.folder / "requirements.lock")
        (venv / "duebook-packages").write_text(f"{made_for}\n{mark}\n")

    def start(self, *arguments: str, **environment: str) -> Run:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "SITE_URL", "PORT"}
        }
        place = {"EMBEDDED_POSTGRES_FOLDER": str(self.folder / "postgres")}
        output = self.folder / f"output-{len(self.runs)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "run", *(arguments or ("--port", str(self.port)))],
                cwd=self.folder,
                env={**inherited, **place, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=listen_to_ctrl_c,  # noqa: PLW1509 (one call, no lock)
            )
        self.runs.append(Run(process, output))
        return self.runs[-1]

    def serve(self) -> Run:
        """Start everything and wait for the address."""
        run = self.start()
        assert eventually(lambda: "Duebook is at" in run.said()), run.said()
        return run

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 204
        except OSError:
            return False
        finally:
            connection.close()

    def calls(self) -> list[list[str]]:
        lines = (self.folder / "calls").read_text().splitlines()
        return [json.loads(line)[0] for line in lines]

    def environments(self) -> list[dict[str, str]]:
        lines = (self.folder / "calls").read_text().splitlines()
        return [json.loads(line)[1] for line in lines]

    def children(self) -> list[int]:
        record = self.folder / "var" / "processes"
        lines = record.read_text().splitlines() if record.exists() else []
        return [int(json.loads(line)["pid"]) for line in lines]

    def processes(self) -> list[int]:
        """Return everything that still works in, or for, this folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            pid = int(entry.name)
            try:
                here = (entry / "cwd").readlink() == self.folder
            except OSError:
                continue
            if start_time(pid) and (here or str(self.folder) in command_line(pid)):
                found.append(pid)
        return found


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """Return a folder whose database is made once for all these tests."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="duebook-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "postgres"


@pytest.fixture
def house(data: Path) -> Iterator[House]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="duebook-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if data.exists():
            data.rename(folder / "postgres")
        house = House(folder)
        try:
            yield house
        finally:
            for run in house.runs:
                run.finish(signal.SIGKILL)
            if house.processes():
                house.start("manage", "hello").finish()
            left = house.processes()
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            if (folder / "postgres").exists():
                (folder / "postgres").rename(data)
        assert left == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_serves_until_it_is_stopped_and_leaves_nothing(
    house: House, number: signal.Signals
) -> None:
    run = house.serve()
    assert house.answers()
    assert eventually(lambda: len(house.calls()) == 4)

    assert run.finish(number) == 0

    assert house.processes() == []
    assert [call[0] for call in house.calls()] == [
        *("migrate", "collectstatic", "demo", "qcluster")
    ]
    for environment in house.environments():
        assert environment["SITE_URL"] == f"http://127.0.0.1:{house.port}"
        assert environment["DATABASE_URL"].startswith("postgresql://duebook@")


def test_second_start_collects_static_files_only_when_they_changed(
    house: House,
) -> None:
    skin = house.folder / "billing" / "static" / "skin.css"
    skin.parent.mkdir(parents=True)
    for content in ("a", "a", "b"):
        if not skin.exists() or skin.read_text() != content:
            skin.write_text(content)
        house.serve().finish(signal.SIGTERM)

    collected = [call for call in house.calls() if call[0] == "collectstatic"]
    assert len(collected) == 2


def test_killed_run_is_mended_by_the_next(house: House) -> None:
    killed = house.serve()
    left = house.children()
    killed.finish(signal.SIGKILL)
    assert len(left) == 2
    assert all(start_time(pid) for pid in left)

    run = house.serve()

    assert house.answers()
    assert not any(start_time(pid) for pid in left)
    run.finish(signal.SIGTERM)
    assert house.processes() == []


def test_stop_in_the_middle_of_the_set_up_leaves_nothing(house: House) -> None:
    (house.folder / "slow-migrate").touch()
    run = house.start()
    assert eventually((house.folder / "calls").exists)

    assert run.finish(signal.SIGTERM) == 128 + signal.SIGTERM
    assert house.processes() == []
    assert house.calls() == [["migrate", "--noinput", "-v", "0"]]


def test_failing_step_stops_the_start(house: House) -> None:
    (house.folder / "broken-demo").touch()

    run = house.start()
    status, output = run.finish(), run.said()

    assert status == 1
    assert output.endswith("broken demo\n")
    assert house.processes() == []


def test_child_that_ends_by_itself_stops_the_rest(house: House) -> None:
    (house.folder / "config" / "wsgi.py").write_text("raise SystemExit(3)\n")

    run = house.start()
    status, output = run.finish(), run.said()

    assert status == 1
    assert "The web (exit status 3) ended by itself" in output
    assert house.processes() == []


def test_occupied_port_is_one_sentence(house: House) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", house.port))
        other.listen()

        run = house.start()
        status, output = run.finish(), run.said()

    assert status == 1
    assert len(output.splitlines()) == 1
    assert f"Port {house.port} can't be had (Address already in use)" in output
    assert f"./run --port {house.port + 1}" in output
    assert not (house.folder / "calls").exists()


def test_second_run_in_one_folder_is_one_sentence(house: House) -> None:
    first = house.serve()

    second = house.start("--port", "0" + str(house.port - 1))
    status, output = second.finish(), second.said()

    assert status == 1
    assert len(output.splitlines()) == 1
    assert f"already runs from this folder, at http://127.0.0.1:{house.port}/" in output
    assert "Ctrl-C" in output
    assert house.answers()
    first.finish(signal.SIGTERM)


@pytest.mark.parametrize(
    ("arguments", "port", "sentence"),
    [
        (
            ["--port", "0"],
            "",
            "'0' is no port: give --port or PORT a number up to 65535.",
        ),
        (["--port=70000"], "", "'70000' is no port"),
        ([], "eight", "'eight' is no port"),
        (["--prot", "1"], "", "./run knows no --prot 1: see ./run --help."),
        (["demo", "now"], "", "./run knows no now: see ./run --help."),
        (["serve"], "", "./run knows no serve: see ./run --help."),
    ],
)
def test_odd_argument_is_one_sentence(
    house: House, arguments: list[str], port: str, sentence: str
) -> None:
    run = house.start(*(arguments or ["demo"]), PORT=port)
    status, output = run.finish(), run.said()

    assert status == 1
    assert output.startswith(sentence)
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize("in_file", [False, True], ids=["environment", "dotenv"])
def test_own_server_is_used_and_none_started(house: House, *, in_file: bool) -> None:
    url = "postgresql://me@db.example/books"
    if in_file:
        (house.folder / ".env").write_text(f'# ours\nDATABASE_URL = "{url}"\n')

    run = house.start("manage", "hello", "world", DATABASE_URL="" if in_file else url)

    assert run.finish() == 0
    assert house.calls() == [["hello", "world"]]
    if not in_file:
        assert house.environments()[0]["DATABASE_URL"] == url
    assert not (house.folder / "postgres" / "postmaster.pid").exists()


def test_manage_leaves_no_server_and_hands_on_the_exit_status(house: House) -> None:
    (house.folder / "broken-hello").touch()

    run = house.start("manage", "hello")
    status, output = run.finish(), run.said()

    assert status == 1
    assert output == "broken hello\n"
    assert house.environments()[0]["DATABASE_URL"].startswith("postgresql://duebook@")
    assert house.processes() == []


def test_bench_is_handed_on(house: House) -> None:
    run = house.start("bench", "run", "--size", "10", DATABASE_URL="postgresql://x/y")
    run.finish()

    assert house.calls() == [["bench", "run", "--size", "10"]]


def test_key_that_was_cut_off_is_made_again(house: House) -> None:
    key = house.folder / "var" / "secret_key"
    key.parent.mkdir()
    key.touch(mode=0o600)

    house.start("manage", "hello", DATABASE_URL="postgresql://me@x/y").finish()

    assert len(key.read_text()) >= 50


def test_full_disk_is_one_sentence(house: House) -> None:
    (house.folder / "var").mkdir()
    (house.folder / "var" / "secret_key").symlink_to("/dev/full")

    run = house.start("manage", "hello")
    status, output = run.finish(), run.said()

    assert status == 1
    assert len(output.splitlines()) == 1
    assert "No space left on device" in output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_of_someone_else_is_one_sentence(house: House) -> None:
    (house.folder / "var").mkdir(mode=0o555)

    run = house.start("manage", "hello")
    status, output = run.finish(), run.said()
    (house.folder / "var").chmod(0o755)

    assert status == 1
    assert len(output.splitlines()) == 1
    assert "chown" in output


def test_old_python_is_told_to_go(house: House) -> None:
    pretend = (
        "import sys; sys.version_info = (3, 9, 2); "
        "exec(compile(open('run').read(), 'run', 'exec'))"
    )

    done = subprocess.run(
        [sys.executable, "-c", pretend],
        cwd=house.folder,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert "needs Python 3.11 or newer and this is 3.9" in done.stderr


def test_old_python_can_read_so_far() -> None:
    import ast

    ast.parse((ROOT / "run").read_text(), feature_version=(3, 7))


def test_help_says_what_there_is(house: House) -> None:
    run = house.start("--help")
    status, output = run.finish(), run.said()

    assert status == 0
    for command in ("test", "check", "bench", "manage"):
        assert f"./run {command}" in output
