"""A real `manage.py qcluster` on the test's database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django_q.models import OrmQ, Schedule

from tests.faults.processes import PATIENCE, ROOT, database_url

DEATH = "reincarnated worker"


class Cluster:
    """A running cluster: its log, and the folder its mails end in."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "cluster.log"
        self.mails = folder / "mails"

    def deaths(self) -> int:
        """Count the workers that died and were replaced."""
        return self.log.read_text().count(DEATH)

    def mail_texts(self) -> list[str]:
        """Return every mail that was sent."""
        if not self.mails.exists():
            return []
        texts = (file.read_text() for file in self.mails.iterdir())
        return [mail for text in texts for mail in text.split("-" * 79) if mail.strip()]


@contextmanager
def running_cluster(folder: Path, *, workers: int = 2) -> Iterator[Cluster]:
    """Start workers without any clock; stop them at the end and wait for it."""
    Schedule.objects.all().delete()
    cluster = Cluster(folder)
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "EMAIL_URL": f"filemail:///{cluster.mails}",
        "WORKERS": str(workers),
    }
    with cluster.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: cluster.log.read_text().count("ready for work") >= workers)
        yield cluster
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask a cluster to stop; what has not gone after a while is killed."""
    process.terminate()
    try:
        process.wait(timeout=PATIENCE / 4)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for something to become true; fail after a while."""
    give_up_at = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < give_up_at, "It took too long."
        time.sleep(0.1)


def queue_is_empty() -> bool:
    """Whether no task waits or is worked on."""
    return not OrmQ.objects.exists()


def deliver_again() -> None:
    """Let what was never acknowledged be handed out again, as after 90 minutes."""
    OrmQ.objects.update(lock=datetime.now(UTC) - timedelta(seconds=1))


def zone_at_noon() -> str:
    """Return a time zone whose clock shows about noon, so that no test meets a night.

    Etc/GMT+5 is five hours *behind* UTC.
    """
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
