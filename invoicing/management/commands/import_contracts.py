"""`manage.py import_contracts`: import a contract file, as the admin action does."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.display import count_text
from billing.models import public_id
from config.clock import today_in
from contracts.domain.csv_file import RowError
from contracts.services.uploads import ImportNotDone, ImportRefused
from invoicing.management.contract_file import (
    add_file_arguments,
    error_fields,
    error_line,
    legal_entity_named,
    read_upload,
)
from invoicing.management.output import json_object
from invoicing.management.run_report import billed_invoice
from invoicing.queries.documents import invoices_in_full
from invoicing.services.lifecycle import ImportedContracts, import_contracts
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly


class Command(BaseCommand):
    """Import a contract file and make the invoices that are due at once."""

    help = "Import a contract CSV, everything or nothing. Exit code 1 if it has errors."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the import date, and how to report."""
        add_file_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and report."""
        legal_entity = legal_entity_named(options["legal_entity"])
        today = today_in(legal_entity.time_zone)
        upload = read_upload(options["file"], legal_entity)
        errors: tuple[RowError, ...] = ()
        imported = None
        try:
            imported = import_contracts(
                upload=upload,
                actor=None,
                import_date=options["import_date"] or today,
                today=today,
            )
        except ImportRefused as refused:
            errors = refused.errors
        except (ImportNotDone, PeriodClosed, IssueDateTooEarly) as fault:
            message = str(fault)
            errors = (RowError(line=1, column="", value="", message=message),)

        if options["json"]:
            for piece in json_object(_as_json(imported, errors)):
                self.stdout.write(piece, ending="")
            self.stdout.write()
        else:
            self.stdout.writelines(f"{line}\n" for line in _as_text(imported, errors))
        if errors:
            sys.exit(1)


def _as_json(
    imported: ImportedContracts | None, errors: tuple[RowError, ...]
) -> Mapping[str, Any]:
    return {
        "contracts": _contracts(imported) if imported else [],
        "invoices": _invoices(imported) if imported else [],
        "errors": [error_fields(error) for error in errors],
    }


def _contracts(imported: ImportedContracts) -> Iterator[dict[str, Any]]:
    for contract in imported.contracts:
        yield {
            "contract": contract.number,
            "bill_group": public_id(contract.bill_group_id),
        }


def _invoices(imported: ImportedContracts) -> Iterator[dict[str, Any]]:
    ids = [invoice.pk for invoice in imported.invoices]
    return (billed_invoice(invoice) for invoice in invoices_in_full(ids))


def _as_text(
    imported: ImportedContracts | None, errors: tuple[RowError, ...]
) -> Iterator[str]:
    if imported is None:
        yield "Nothing was imported:"
        yield from map(error_line, errors)
        return
    contracts = count_text(len(imported.contracts), "contract")
    yield f"{contracts} imported and activated."
    yield f"Invoices made at once: {len(imported.invoices)}."
    for invoice in _invoices(imported):
        shown = invoice | {"number": invoice["number"] or "(draft)"}
        yield "{number}  {bill_group}  {total} {currency}  {status}".format(**shown)
