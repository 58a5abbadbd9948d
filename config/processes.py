"""What ./run starts: steps it waits for, and children that outlive nobody.

Standard library only, because ./run imports it before anything is installed. A step
shares the terminal. Each child leads a process group of its own, so that Ctrl-C in the
terminal reaches ./run alone, which then ends its children in order. What is started is
written to a record with its start time; when ./run was killed, the next one reads the
record and ends what is still there. A process id without its start time is never
trusted: the number may belong to someone else by now.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 15.0  # seconds between asking a child to end and killing its group


class Fault(Exception):
    """What keeps ./run from going on: a sentence that names the fix."""


class Stopped(Exception):
    """Someone asked ./run to stop, and the step at hand has ended."""


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201 (the one place where ./run speaks)


class Steps:
    """Commands run one after the other, until someone asks to stop.

    Ctrl-C, SIGTERM and a closed terminal set a flag, which is looked at between steps.
    Nothing is raised in the middle of anything, so no process is lost track of.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked_to_stop = 0
        self.current: subprocess.Popen[bytes] | None = None

    def listen(self) -> None:
        """Take over the signals that ask a program to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP; a shell's & ignores SIGINT, which still means stop.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        self.asked_to_stop = self.asked_to_stop or number
        # The terminal sends Ctrl-C to the step as well; any other signal came to us.
        if self.current and number != signal.SIGINT:
            self.current.terminate()

    def check(self) -> None:
        """Raise Stopped if someone asked for it."""
        if self.asked_to_stop:
            raise Stopped

    def run(self, command: Sequence[str | Path], *, log: Path | None = None) -> int:
        """Run one command in the foreground, or into a log; return its exit status."""
        self.check()
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(log.open("ab")) if log else None
            step = subprocess.Popen(
                command, cwd=self.folder, stdout=output, stderr=output
            )
            self.current = step
            status = step.wait()
            self.current = None
        self.check()
        return status


def _tell(pid: int, column: str) -> str:
    """Ask ps about a process, where there is no /proc."""
    answer = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)],  # noqa: S607 (wherever ps is)
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip()


def command_line(pid: int) -> str:
    """Return a process's command and arguments; empty when there is no such process."""
    if not Path("/proc/self/cmdline").exists():
        return _tell(pid, "command")
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def exists(pid: int) -> bool:
    """Tell whether a process id is taken, be it by one that nobody has reaped yet."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name: state, parent, group, ..."""
    return (
        Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    )


def start_time(pid: int) -> str:
    """Return what tells a process from a later one with its number; empty when gone."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    if not boot.exists():
        return _tell(pid, "lstart")
    try:
        state, *fields = _stat(pid)
    except OSError:
        return ""
    return "" if state == "Z" else f"{boot.read_text().strip()} {fields[18]}"


def is_still(pid: int, started: str) -> bool:
    """Tell whether a process id is still that of the process that started then."""
    return started != "" and start_time(pid) == started


def _members(group: int, *, folder: Path) -> list[int]:
    """Return a group's processes that work in a folder, where there is a /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            pid = int(entry.name)
            if _stat(pid)[2] == str(group) and (entry / "cwd").readlink() == folder:
                found.append(pid)
    return found


def _signal_group(group: int, number: signal.Signals) -> bool:
    """Send a signal to a process group; tell whether there was one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Children:
    """The processes that one ./run started, and the record of them."""

    def __init__(self, record: Path, *, folder: Path) -> None:
        self.record = record
        self.folder = folder.resolve()
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str,
        *command: str | Path,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Start a child in the folder and write it down."""
        child = subprocess.Popen(
            command,
            cwd=self.folder,
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.running[name] = child
        line = {"name": name, "pid": child.pid, "started": start_time(child.pid)}
        with self.record.open("a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")

    def ended(self) -> str | None:
        """Name a child that ended by itself, with its exit status."""
        for name, child in self.running.items():
            if child.poll() is not None:
                return f"{name} (exit status {child.returncode})"
        return None

    def stop(self) -> None:
        """End every child, kill what does not end in time, and clear the record."""
        for child in self.running.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + PATIENCE
        for child in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=max(0.0, deadline - time.monotonic()))
            _signal_group(child.pid, signal.SIGKILL)
            child.wait()
        self.running.clear()
        self.record.unlink(missing_ok=True)

    def end_leftovers(self) -> list[str]:
        """End what a killed ./run left running; return the names of what was there."""
        if not self.record.exists():
            return []
        left = []
        for line in self.record.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                noted = json.loads(line)
                pid, started = int(noted["pid"]), str(noted["started"])
                if self._is_left(pid, started):
                    left.append((str(noted["name"]), pid, started))
        for _name, pid, started in left:
            if is_still(pid, started):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for _name, pid, started in left:
            while is_still(pid, started) and time.monotonic() < deadline:
                time.sleep(0.05)
            _signal_group(pid, signal.SIGKILL)
        self.record.unlink()
        return [name for name, _pid, _started in left]

    def _is_left(self, pid: int, started: str) -> bool:
        """Tell whether a noted process is here, or some of its group without it."""
        if start_time(pid):
            return is_still(pid, started)
        return bool(_members(pid, folder=self.folder))
