"""Contract files checked and imported for tests, as of 1 March 2026."""

from datetime import date
from typing import Any

from django.db import models

from billing.models import Account, AuditEvent, BillGroup, TaxRate
from contracts.models import (
    Contract,
    ContractImport,
    ContractLine,
    Product,
    ScheduledCharge,
)
from contracts.services.imports import apply_import, check_upload, new_upload
from tests.contracts.sheet import sheet
from tests.factories import LegalEntityFactory

TODAY = date(2026, 3, 1)
WRITTEN: tuple[type[models.Model], ...] = (
    Account,
    BillGroup,
    Contract,
    ContractLine,
    ScheduledCharge,
    Product,
    TaxRate,
    AuditEvent,
    ContractImport,
)


def upload(*rows: dict[str, str], **fields: Any) -> ContractImport:
    """Return an upload of these rows that is not stored yet."""
    values: dict[str, Any] = {
        "content": sheet(*rows),
        "file_name": "contracts.csv",
        "legal_entity": LegalEntityFactory.create(),
        "actor": None,
    }
    return new_upload(**(values | fields))


def apply(*rows: dict[str, str], **fields: Any) -> list[int]:
    """Import these rows on TODAY; returns contract ids."""
    values: dict[str, Any] = {
        "upload": None,
        "actor": None,
        "import_date": TODAY,
        "today": TODAY,
    } | fields
    values["upload"] = values["upload"] or upload(*rows)
    return [placed.contract_id for placed in apply_import(**values)]


def written() -> dict[str, int]:
    """Return how many rows every table that an import writes has."""
    return {model.__name__: model._default_manager.count() for model in WRITTEN}


def errors_of(*rows: dict[str, str]) -> list[tuple[int, str, str]]:
    """Return the errors of these rows: line, column, value."""
    errors = check_upload(upload(*rows)).errors
    return [(error.line, error.column, error.value) for error in errors]
