"""Children end with ./run, and what a killed ./run left ends with the next."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import processes
from config.processes import Children, Steps, Stopped, start_time

FOREVER = "import time; time.sleep(600)"
# Leaves a grandchild in its group, writes down its number, and ends.
FORK = (
    "import os, subprocess, sys\n"
    f"left = subprocess.Popen([sys.executable, '-c', {FOREVER!r}])\n"
    "open(sys.argv[1], 'w').write(str(left.pid))\n"
)
STUBBORN = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "open(sys.argv[1], 'w').close()\n"
    "time.sleep(600)\n"
)


def eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    return start_time(pid) != ""


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    children = Children(tmp_path / "processes", folder=tmp_path)
    yield children
    children.stop()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.5)


def test_child_ends_and_its_record_is_gone(children: Children) -> None:
    children.start("web", sys.executable, "-c", FOREVER)
    pid = children.running["web"].pid
    assert os.getpgid(pid) == pid

    children.stop()

    assert not alive(pid)
    assert not children.record.exists()


@pytest.mark.usefixtures("patience")
def test_child_that_ignores_the_signal_is_killed(
    children: Children, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    children.start("web", sys.executable, "-c", STUBBORN, ready)
    pid = children.running["web"].pid
    assert eventually(ready.exists)

    children.stop()

    assert not alive(pid)


def test_child_that_ends_by_itself_is_named(children: Children) -> None:
    children.start("web", sys.executable, "-c", FOREVER)
    assert children.ended() is None

    children.start("workers", sys.executable, "-c", "raise SystemExit(3)")

    assert eventually(children.ended)
    assert children.ended() == "workers (exit status 3)"


def test_grandchild_of_a_dead_child_ends_too(
    children: Children, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    children.start("web", sys.executable, "-c", FORK, told)
    assert eventually(children.ended)
    left = int(told.read_text())
    assert alive(left)

    children.stop()

    assert eventually(lambda: not alive(left))


def test_process_that_nobody_reaps_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""], cwd=tmp_path) as done:
        assert eventually(lambda: not alive(done.pid))

        assert processes.exists(done.pid)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    stranger = subprocess.Popen([sys.executable, "-c", FOREVER], start_new_session=True)
    yield stranger
    stranger.kill()
    stranger.wait()


def write_record(children: Children, pid: int, started: str) -> None:
    line = {"name": "web", "pid": pid, "started": started}
    children.record.write_text(json.dumps(line) + "\n")


def test_leftover_of_a_killed_run_is_ended(
    children: Children, stranger: subprocess.Popen[bytes]
) -> None:
    write_record(children, stranger.pid, start_time(stranger.pid))

    assert children.end_leftovers() == ["web"]

    assert stranger.wait(timeout=10) == -signal.SIGTERM
    assert not children.record.exists()


def test_number_that_belongs_to_someone_else_by_now_is_left_alone(
    children: Children, stranger: subprocess.Popen[bytes]
) -> None:
    write_record(children, stranger.pid, "another time")

    assert children.end_leftovers() == []

    assert stranger.poll() is None


@pytest.mark.parametrize("started", ["when it was alive", ""])
def test_group_whose_leader_is_gone_is_ended(
    children: Children, tmp_path: Path, started: str
) -> None:
    told = tmp_path / "told"
    with subprocess.Popen(
        [sys.executable, "-c", FORK, told], cwd=tmp_path, start_new_session=True
    ) as done:
        done.wait()
    left = int(told.read_text())
    assert alive(left)
    write_record(children, done.pid, started)

    assert children.end_leftovers() == ["web"]

    assert eventually(lambda: not alive(left))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', "null\n7\n"])
def test_torn_record_is_no_obstacle(children: Children, text: str) -> None:
    children.record.write_text(text)

    assert children.end_leftovers() == []


def test_step_tells_its_exit_status_and_writes_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "print('said'); raise SystemExit(4)"

    status = Steps(tmp_path).run([sys.executable, "-c", script], log=log)

    assert status == 4
    assert log.read_text() == "said\n"


def test_nothing_is_started_once_asked_to_stop(tmp_path: Path) -> None:
    steps = Steps(tmp_path)
    steps.asked_to_stop = signal.SIGTERM

    with pytest.raises(Stopped):
        steps.run([sys.executable, "-c", "open('started', 'w')"])

    assert not (tmp_path / "started").exists()
