"""The packages are installed once, and again when something about them changed."""

import os
import sys
from pathlib import Path

import pytest

import config.packages
from config.packages import Packages, fingerprint
from config.processes import Fault, Steps

NOTHING = "# no requirement at all\n"


class CountedSteps(Steps):
    """Steps that tell how many there were."""

    count = 0

    def run(self, command: object, *, log: Path | None = None) -> int:
        self.count += 1
        return super().run(command, log=log)  # type: ignore[arg-type]  # passed on


@pytest.fixture
def steps(tmp_path: Path) -> CountedSteps:
    return CountedSteps(tmp_path)


def put_uv(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a uv that does what the script says found first."""
    uv = folder / "uv"
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Return the file into which the quick uv of these tests writes its arguments."""
    return tmp_path / "told"


@pytest.fixture
def packages(
    tmp_path: Path, told: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> Packages:
    put_uv(tmp_path, f'echo "$@" > {told}', monkeypatch)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("sys.executable", os.path.realpath(sys.executable))
    return Packages(venv=tmp_path / "venv", log=tmp_path / "log", steps=steps)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    lock = tmp_path / "requirements.lock"
    lock.write_text(NOTHING)
    return lock


def test_second_installation_does_nothing(
    packages: Packages, lock: Path, steps: CountedSteps
) -> None:
    packages.install(lock)
    assert packages.folder.is_dir()
    first = steps.count

    packages.install(lock)

    assert steps.count == first > 0


def test_changed_lock_is_installed_into_what_is_there(
    packages: Packages, lock: Path, steps: CountedSteps
) -> None:
    packages.install(lock)
    kept, first = packages.folder / "kept", steps.count
    kept.touch()
    lock.write_text(NOTHING * 2)

    packages.install(lock)

    assert steps.count > first
    assert kept.exists()


def test_included_lock_needs_no_installation(
    packages: Packages, lock: Path, tmp_path: Path, steps: CountedSteps
) -> None:
    small = tmp_path / "small.lock"
    small.write_text(NOTHING * 3)
    packages.install(lock, includes=[small])
    first = steps.count

    packages.install(small)

    assert steps.count == first


@pytest.mark.parametrize("first", [False, True], ids=["later", "first"])
def test_cut_off_installation_starts_anew(
    packages: Packages, lock: Path, *, first: bool
) -> None:
    packages.install(lock)
    if first:
        (packages.venv / "duebook-packages").unlink()
    torn = packages.folder / "torn"
    torn.touch()
    (packages.venv / "duebook-unfinished").touch()

    packages.install(lock)

    assert not torn.exists()
    assert not (packages.venv / "duebook-unfinished").exists()


def test_environment_of_a_python_that_is_gone_is_made_anew(
    packages: Packages, lock: Path
) -> None:
    packages.install(lock)
    packages.python.unlink()
    packages.python.symlink_to("/nowhere/python")

    packages.install(lock)

    assert packages.python.exists()


def test_moved_environment_is_made_anew(
    packages: Packages, lock: Path, tmp_path: Path
) -> None:
    packages.install(lock)
    packages.venv.rename(tmp_path / "moved")
    moved = Packages(venv=tmp_path / "moved", log=packages.log, steps=packages.steps)
    torn = moved.folder / "torn"
    torn.touch()

    moved.install(lock)

    assert not torn.exists()


def test_what_pip_cannot_install_is_told_with_its_reason(
    packages: Packages, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_uv(tmp_path, "exit 2", monkeypatch)
    lock.write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(Fault, match=r"could not install .*no-such-package.*network"):
        packages.install(lock)

    assert not (packages.venv / "duebook-packages").exists()


def test_missing_venv_module_is_told_with_the_package(
    packages: Packages, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(Fault, match="apt-get install python3-venv"):
        packages.install(lock)


def test_uv_is_used_where_it_is_found(
    packages: Packages, lock: Path, told: Path
) -> None:
    packages.install(lock)

    options = f"--require-hashes --no-deps -r {lock}"
    assert (
        told.read_text()
        == f"pip install --compile-bytecode -p {packages.python} {options}\n"
    )


def test_pip_does_what_uv_can_not(
    packages: Packages, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_uv(tmp_path, "exit 2", monkeypatch)

    packages.install(lock)

    assert fingerprint(lock) in (packages.venv / "duebook-packages").read_text()


def test_missing_pdf_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = {"pango": ("no-such-library.so",), "c": ("nor-this.so", None)}
    monkeypatch.setattr(config.packages, "PDF_LIBRARIES", libraries)

    assert config.packages.missing_pdf_libraries() == ["pango"]
