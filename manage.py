#!/usr/bin/env python
"""Duebook's command line: Django's own, with set-up faults told in one sentence."""

import os
import sys
from collections.abc import Iterator, Sequence


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was raised from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def setup_fault(error: Exception) -> str | None:
    """Say what is wrong with this machine's set-up; None where the code is at fault."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import NotSupportedError, OperationalError
    from psycopg import OperationalError as DriverError

    text = " ".join(str(error).split())
    if isinstance(error, ImproperlyConfigured):
        return text
    if isinstance(error, NotSupportedError) and "or later is required" in text:
        return f"{text}. Point DATABASE_URL to a newer server, or unset it."
    if isinstance(error, OperationalError):
        unreachable = any(
            isinstance(cause, DriverError) and cause.sqlstate is None
            for cause in causes(error)
        )
        if unreachable:
            return (
                f"The database does not answer ({text}). Start the server that "
                "DATABASE_URL names, correct DATABASE_URL, or unset it: ./run then "
                "starts one of its own."
            )
    return None


def main(*commands: Sequence[str]) -> None:
    """Run management commands one after the other in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.conf import settings
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        sys.exit(
            f"Python finds no module {error.name}. Use ./run manage "
            f"{' '.join(commands[0])}, which installs what is needed."
        )
    try:
        _ = settings.INSTALLED_APPS
        for command in commands:
            execute_from_command_line(["manage.py", *command])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has enough; nothing more can be told, at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        fault = setup_fault(error)
        if fault is None:
            raise
        sys.exit(fault)


if __name__ == "__main__":
    main(sys.argv[1:])
