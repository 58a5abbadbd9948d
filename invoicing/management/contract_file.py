"""The contract file that a command is given, and how its errors are told."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from billing.models import LegalEntity
from contracts.domain.csv_file import MAX_BYTES, RowError
from contracts.models import ContractImport
from contracts.services.imports import new_upload
from invoicing.management.arguments import iso_date


def add_file_arguments(parser: CommandParser) -> None:
    """Take the file, the import date and the legal entity."""
    parser.add_argument("file", metavar="FILE.csv", help="The contract file.")
    parser.add_argument(
        "--import-date",
        type=iso_date,
        metavar="DATE",
        help="What is billed before this day was billed elsewhere; default: today.",
    )
    parser.add_argument(
        "--legal-entity",
        metavar="NAME",
        help="Which company issues the invoices; default: the first one.",
    )
    parser.add_argument("--json", action="store_true", help="Print JSON.")


def legal_entity_named(name: str | None) -> LegalEntity:
    """Return the legal entity of that name, or the first one without a name."""
    entities = LegalEntity.objects.order_by("pk")
    if name is not None:
        entities = entities.filter(name=name)
    entity = entities.first()
    if entity is None:
        wanted = f"named “{name}” " if name is not None else ""
        raise CommandError(f"There is no legal entity {wanted}yet. Add it in Settings.")
    return entity


def read_file(file: str) -> tuple[str, bytes]:
    """Return a file's name and content; one that is too large is read only that far."""
    path = Path(file)
    try:
        with path.open("rb") as opened:
            return path.name, opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise CommandError(f"There is no file {file}.") from None
    except IsADirectoryError:
        raise CommandError(f"{file} is a folder. Name the file in it.") from None
    except OSError as fault:
        raise CommandError(f"{file} can't be read: {fault.strerror}.") from None


def read_upload(file: str, legal_entity: LegalEntity) -> ContractImport:
    """Read the file as an upload."""
    name, content = read_file(file)
    return new_upload(
        content=content, file_name=name, legal_entity=legal_entity, actor=None
    )


def error_fields(error: RowError) -> dict[str, Any]:
    """Return an error as JSON: line, column, value, message."""
    return asdict(error)


def error_line(error: RowError) -> str:
    """Return an error as a line of text; without a column, line 1 is the file."""
    where = f"line {error.line}" + (f", {error.column}" if error.column else "")
    if error.line == 1 and not error.column:
        where = "file"
    value = f" “{error.value}”" if error.value else ""
    return f"{where}{value}: {error.message}"
