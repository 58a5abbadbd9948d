"""Many rows at once: ids ahead of the rows, and COPY, a fraction of INSERT's cost."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, TypeVar

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from psycopg import Copy

LINES_AT_ONCE: Final = 250
NULL: Final = r"\N"
NEXT_IDS: Final = """
WITH sequence AS MATERIALIZED (
    SELECT %s AS count, pg_get_serial_sequence(%s, 'id') AS name
)
SELECT nextval(name::regclass) FROM sequence, generate_series(1, count)
"""

Value = TypeVar("Value")

_ESCAPED: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """Take the ids of rows that are written later, in the order of writing."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_IDS, [count, model._meta.db_table])
        return [row[0] for row in cursor.fetchall()]


@contextmanager
def meanwhile(*statements: tuple[str, Sequence[Any]]) -> Iterator[list[CursorWrapper]]:
    """Let the server work on statements while the block prepares what comes next.

    The block must leave the connection alone. What goes wrong with a statement is
    raised at its end, as Django's errors; the cursors then know what was done.
    """
    with connection.wrap_database_errors, connection.connection.pipeline():
        cursors = []
        for statement, parameters in statements:
            cursors.append(connection.cursor())
            cursors[-1].execute(statement, parameters)
        yield cursors


def copy_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows of some columns; the others hold the defaults of their fields.

    Constraints and statement triggers hold as for INSERT, foreign keys are checked at
    the commit, and what goes wrong is raised as Django's errors. Nothing else may use
    the connection until the rows are through.
    """
    defaults = _defaults(model, columns)
    tail = tuple(defaults.values())
    with _copy(model, [*columns, *defaults]) as copy:
        for row in rows:
            copy.write_row((*row, *tail))


def copy_lines(
    model: type[models.Model], columns: Sequence[str], lines: Iterable[str]
) -> None:
    """Write rows that are COPY text already: cells of some columns between tabs.

    For numbers, dates and words that need no escaping, and many of them: making such
    text costs a fifth of having each value adapted. Else it is like `copy_rows`.
    """
    defaults = _defaults(model, columns)
    end = "".join(f"\t{_default_cell(value)}" for value in defaults.values()) + "\n"
    rest = iter(lines)
    with _copy(model, [*columns, *defaults]) as copy:
        while portion := list(islice(rest, LINES_AT_ONCE)):
            copy.write(end.join([*portion, ""]))


def copy_cells(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Write rows of cells that are COPY text once they are printed.

    Numbers and dates are; other texts become it by `cell`, what may be None by
    `or_null`. Else it is like `copy_lines`.
    """
    pattern = "\t".join(["%s"] * len(columns))
    copy_lines(model, columns, (pattern % row for row in rows))


def cell(text: str) -> str:
    r"""Return a text as it stands in COPY text.

    >>> cell("Seats\tand desks")
    'Seats\\tand desks'
    """
    if text.isprintable() and "\\" not in text:
        return text
    return text.translate(_ESCAPED)


def or_null(value: Value | None) -> Value | str:
    """Return a number or a date for a cell that may be empty."""
    return NULL if value is None else value


@contextmanager
def _copy(model: type[models.Model], columns: Sequence[str]) -> Iterator[Copy]:
    statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        yield copy


def refresh_statistics(*written: type[models.Model]) -> None:
    """Tell the planner of many rows that this transaction has written.

    No one else sees them yet, so nothing else will; without it the next query of this
    transaction may take minutes instead of milliseconds.
    """
    with connection.cursor() as cursor:
        tables = ", ".join(model._meta.db_table for model in written)
        cursor.execute(f"ANALYZE {tables}")


def _defaults(model: type[models.Model], columns: Sequence[str]) -> dict[str, Any]:
    """Return what the columns that are not given hold, ready to be copied."""
    defaults = {}
    for field in model._meta.concrete_fields:
        name = str(field.column)
        if name in columns or field.generated or field.primary_key:
            continue
        if field.has_db_default():
            continue
        value = field.get_default()
        is_json = isinstance(field, models.JSONField)
        defaults[name] = json.dumps(value) if is_json else value
    return defaults


def _default_cell(value: str | float | None) -> str:
    return NULL if value is None else cell(str(value))
