"""Processes of their own that invoice in the test's database, and die when told to.

They are forked from the test, which costs nothing, and start at the same instant. A
`Death` names a function as `module:function`; the process is killed before or after
its `nth` call, as by the system.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.synchronize import Barrier
from typing import Any

from django.db import connections

from invoicing.services import batches

PATIENCE = 60
KILLED = -signal.SIGKILL
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Where a process dies."""

    at: str
    after: bool = False
    nth: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process does, in batches of which size, and where it dies."""

    work: Callable[[], object]
    batch_size: int = 10
    death: Death | None = None
    poison: int = 0


def run_together(*jobs: Job) -> list[int]:
    """Do jobs in processes that start together; return their exit codes."""
    return exit_codes(start_together(*jobs))


def start_together(*jobs: Job) -> list[Any]:
    """Start processes that do jobs; whoever calls waits for their exit codes."""
    connections.close_all()
    barrier = FORK.Barrier(len(jobs))
    processes = [FORK.Process(target=_child, args=(job, barrier)) for job in jobs]
    for process in processes:
        process.start()
    return processes


def exit_codes(processes: Sequence[Any]) -> list[int]:
    """Wait for processes to end; return their exit codes."""
    for process in processes:
        process.join(PATIENCE)
    late = [process for process in processes if process.is_alive()]
    for process in late:
        process.kill()
        process.join()
    assert not late, f"{len(late)} processes did not end"
    return [process.exitcode for process in processes]


def _child(job: Job, barrier: Barrier) -> None:
    batches.BATCH_SIZE = job.batch_size
    if job.death:
        plant_death(job.death)
    if job.poison:
        _plant_poison(job.poison)
    barrier.wait(PATIENCE)
    job.work()
    connections.close_all()


def plant_death(death: Death) -> None:
    """Wrap a function so that the process dies at one of its calls."""
    module_name, _, name = death.at.partition(":")
    module = import_module(module_name)
    original: Callable[..., Any] = getattr(module, name)
    calls = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == death.nth and not death.after:
            die()
        result = original(*args, **kwargs)
        if calls == death.nth and death.after:
            die()
        return result

    setattr(module, name, wrapped)


def _plant_poison(bill_group_id: int) -> None:
    """Make one bill group kill whoever assesses it."""
    original: Callable[..., Any] = getattr(batches, "assess_due")  # noqa: B009

    def poisoned(bill_group_ids: list[int], **kwargs: Any) -> Any:
        if bill_group_id in bill_group_ids:
            die()
        return original(bill_group_ids, **kwargs)

    setattr(batches, "assess_due", poisoned)  # noqa: B010


def die() -> None:
    """Be killed, as by the system."""
    os.kill(os.getpid(), signal.SIGKILL)
