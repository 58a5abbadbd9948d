"""Many rows at once: ids ahead of the rows, and COPY, a fraction of INSERT's cost."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """Take the ids of rows that are written later, in the order of writing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table]
        )
        (sequence,) = cursor.fetchone()
        cursor.execute(
            "SELECT nextval(%s::regclass) FROM generate_series(1, %s)",
            [sequence, count],
        )
        return [row[0] for row in cursor.fetchall()]


def copy_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows of some columns; the others hold the defaults of their fields.

    Constraints and statement triggers hold as for INSERT, foreign keys are checked at
    the commit, and what goes wrong is raised as Django's errors. Nothing else may use
    the connection until the rows are through.
    """
    defaults = _defaults(model, columns)
    names = ", ".join([*columns, *defaults])
    tail = tuple(defaults.values())
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row((*row, *tail))


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
