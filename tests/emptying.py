"""Emptying the tables after a test that committed, in a quarter of the time.

Django truncates all tables, which makes sixty of them and their indexes anew each
time, and what `migrate` made with them. Here rows are deleted, where there are any.
"""

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import Style
from django.db.backends.postgresql.operations import DatabaseOperations

# `migrate` makes them; the groups are put back as they should be after each emptying.
KEPT: Final = {
    model._meta.db_table
    for model in (ContentType, Permission, Group, Group.permissions.through)
}
# Guards refuse to delete what is kept for good. Keys are checked before they are back.
DELETE: Final = """
DO $$
DECLARE
    name text;
    is_filled boolean;
    filled text[] := '{{}}';
BEGIN
    FOREACH name IN ARRAY ARRAY[{tables}] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO is_filled;
        IF is_filled THEN
            filled := filled || name;
            EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', name);
        END IF;
    END LOOP;
    FOREACH name IN ARRAY filled LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;
    FOREACH name IN ARRAY filled LOOP
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', name);
    END LOOP;
END
$$
"""


def _delete_rows(
    _operations: DatabaseOperations, _style: Style, tables: Iterable[str], **_: Any
) -> list[str]:
    names = ", ".join(f"'{table}'" for table in tables if table not in KEPT)
    return [DELETE.format(tables=names)]


def empty_by_deleting() -> None:
    """Have Django's `flush` delete rows from now on."""
    DatabaseOperations.sql_flush = _delete_rows  # type: ignore[method-assign,assignment]
