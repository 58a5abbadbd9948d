"""The packages of a lock file in .venv, and the libraries that no package brings.

Standard library only, because ./run imports it before anything is installed.
``duebook-packages`` in .venv tells for which folder and Python it was made and which
lock files it holds; while ``duebook-unfinished`` is there, the work was cut off and is
done anew. uv is used where it is found and never needed.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.processes import Fault, Steps, say

# What WeasyPrint loads, as Linux and macOS name it.
PDF_LIBRARIES = {
    "pango": ("libpango-1.0.so.0", "libpango-1.0.dylib"),
    "pangoft2": ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib"),
    "harfbuzz-subset": ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """A virtual environment, and where the words of its making go."""

    venv: Path
    log: Path
    steps: Steps

    @property
    def python(self) -> Path:
        """Return the interpreter."""
        return self.venv / "bin" / "python"

    @property
    def folder(self) -> Path:
        """Return where the packages lie."""
        version = "{}.{}".format(*sys.version_info[:2])
        return self.venv / "lib" / f"python{version}" / "site-packages"

    @property
    def _stamp(self) -> Path:
        return self.venv / "duebook-packages"

    @property
    def _unfinished(self) -> Path:
        return self.venv / "duebook-unfinished"

    def install(self, lock: Path, *, includes: Sequence[Path] = ()) -> None:
        """Make the environment hold what a lock file names, if it does not.

        ``includes`` are lock files that this one holds wholly. Raises Fault.
        """
        if fingerprint(lock) in self._installed():
            return
        with self._alone():
            if fingerprint(lock) in self._installed():
                return
            self._make()
            say(f"Installing {lock.name} (once, about a minute)")
            self._fill(lock)
            marks = [fingerprint(each) for each in (lock, *includes)]
            self._stamp.write_text("\n".join([self._made_for(), *marks]))
            self._unfinished.unlink()

    def _made_for(self) -> str:
        return f"{platform.python_version()} {self.venv}"

    def _installed(self) -> list[str]:
        """Return the fingerprints of the lock files that are installed here, whole."""
        if not self._stamp.exists() or self._unfinished.exists():
            return []
        made_for, *marks = self._stamp.read_text().splitlines()
        fits = made_for == self._made_for() and self.python.exists()
        return marks if fits else []

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with self.log.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        """Make the environment anew, unless there is one to go on with."""
        cut_off = self._unfinished.exists()
        stale = cut_off or (self._stamp.exists() and not self._installed())
        if stale or not self.python.exists() or not self.folder.is_dir():
            say(f"Making {self.venv.name}")
            shutil.rmtree(self.venv, ignore_errors=True)
            self.venv.mkdir()
            self._unfinished.touch()
            # Without pip: copying it there takes as long as half of what follows.
            can_make = importlib.util.find_spec("venv") is not None
            make = (sys.executable, "-m", "venv", "--without-pip")
            if not can_make or self._run(*make, self.venv):
                raise Fault(
                    "This Python can't make virtual environments: install its venv "
                    "module (Debian: apt-get install python3-venv) and start again; "
                    f"{self.log} tells more."
                )
        self._unfinished.touch()

    def _fill(self, lock: Path) -> None:
        options = ("--require-hashes", "--no-deps", "-r", lock)
        uv = shutil.which("uv")
        install = ("pip", "install", "--compile-bytecode", "-p", self.python)
        if uv and not self._run(uv, *install, *options):
            return
        if self._run(*self._find_pip(), "install", "--no-input", *options):
            raise Fault(
                f"pip could not install {lock.name} ({last_error(self.log)}): mend "
                f"that (network, proxy, disk) and start again; {self.log} tells more."
            )

    def _find_pip(self) -> tuple[str | Path, ...]:
        """Return the command of a pip that installs here: its own, else Python's."""
        own = (self.python, "-m", "pip")
        outer = (sys.executable, "-m", "pip", "--python", self.python)
        for command in (own, outer):
            if self._run(*command, "--version") == 0:
                return command
        if self._run(self.python, "-m", "ensurepip") == 0:
            return own
        raise Fault(
            "This Python has no pip: install it (Debian: apt-get install python3-pip) "
            "and start again."
        )

    def _run(self, *command: str | Path) -> int:
        return self.steps.run(command, log=self.log)


def fingerprint(lock: Path) -> str:
    """Return what changes when a lock file does."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def last_error(log: Path) -> str:
    """Return the last line of a log that names an error."""
    lines = log.read_text(errors="replace").strip().splitlines()
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["without a word"])[-1]


def missing_pdf_libraries() -> list[str]:
    """Name what WeasyPrint needs and this machine lacks."""

    def loads(name: str) -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return [
        library
        for library, names in PDF_LIBRARIES.items()
        if not any(map(loads, names))
    ]
