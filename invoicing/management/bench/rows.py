"""Rows as COPY text in files: kept where they were written, put back elsewhere."""

from pathlib import Path

from django.db import connection
from psycopg import sql

COLUMNS = """
SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
  AND attgenerated = ''
"""
KEEP = sql.SQL(
    "COPY (SELECT {columns} FROM {table} WHERE {key} BETWEEN {first} AND {last}"
    " ORDER BY id) TO STDOUT"
)
PUT = sql.SQL("COPY {table} ({columns}) FROM STDIN")


def keep_rows(file: Path, *, table: str, key: str, first: int, last: int) -> None:
    """Write the rows of a table whose key lies between two numbers, both included."""
    query = KEEP.format(
        columns=_columns(table),
        table=sql.Identifier(table),
        key=sql.Identifier(key),
        first=first,
        last=last,
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(query) as copy,
        file.open("wb") as out,
    ):
        for piece in copy:
            out.write(piece)


def put_statement(table: str) -> sql.Composed:
    """Return the COPY that puts kept rows into their table."""
    return PUT.format(table=sql.Identifier(table), columns=_columns(table))


def put_rows(file: Path, statement: sql.Composed) -> None:
    """Send kept rows to the database."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(file.read_bytes())


def _columns(table: str) -> sql.Composed:
    """Return the columns of a table but the computed ones."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [table])
        (names,) = cursor.fetchone()
    return sql.SQL(", ").join(map(sql.Identifier, names))
