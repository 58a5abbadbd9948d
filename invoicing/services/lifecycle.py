"""The one door to what touches contracts and their invoices at once.

Activation and import set contracts in force and make their first invoices in one
transaction (G5, G6, I4); an import is kept or undone as a whole.
"""

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.models import LegalEntity
from contracts.models import Contract, ContractImport
from contracts.services.import_audit import PlacedContract
from contracts.services.imports import apply_import, keep_upload, new_upload
from contracts.services.terms import activate
from invoicing.models import Invoice
from invoicing.services.generation import generate_first_invoices
from invoicing.services.import_preview import preview_import
from invoicing.services.locks import limit_lock_waits, lock_open_books


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """An activated contract and the first invoice it got, if it got one."""

    contract: Contract
    invoices: tuple[Invoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedContracts:
    """What an import made: contracts with their ids, and first invoices."""

    contract_import: ContractImport
    contracts: tuple[PlacedContract, ...]
    invoices: tuple[Invoice, ...]


@transaction.atomic
def activate_contract(
    *, contract: Contract, actor: AbstractBaseUser | None, today: date
) -> Activation:
    """Set a draft contract in force, plan it, and make its first invoice (P1, G5, G6).

    Raises `ActivationRefused`, and `PeriodClosed` or `IssueDateTooEarly` where no
    document can be dated today.
    """
    limit_lock_waits()
    lock_open_books(contract.bill_group.legal_entity, issue_date=today)
    activated = activate(contract=contract, actor=actor, today=today)
    invoices = generate_first_invoices(contracts=[activated], actor=actor, today=today)
    return Activation(contract=activated, invoices=invoices)


def upload_contracts(
    *,
    content: bytes,
    file_name: str,
    legal_entity: LegalEntity,
    actor: AbstractBaseUser | None,
    today: date,
) -> ContractImport:
    """Check a contract file and keep it: ready to import as of today, or refused (I1).

    Its `errors` name every row that is wrong, its `summary` what an import will do.
    """
    upload = new_upload(
        content=content, file_name=file_name, legal_entity=legal_entity, actor=actor
    )
    preview = preview_import(upload=upload, import_date=today)
    errors = preview.checked.errors
    return keep_upload(
        upload=upload, errors=errors, summary={} if errors else preview.as_dict()
    )


@transaction.atomic
def import_contracts(
    *,
    upload: ContractImport,
    actor: AbstractBaseUser | None,
    import_date: date,
    today: date,
) -> ImportedContracts:
    """Import a contract file as of a date, and make first invoices (I1, I4, G5, G6).

    Everything is written or nothing. First invoices are dated the import date (M8).
    Raises `ImportNotDone` in one of its kinds, `ImportRefused` with all errors, and
    `PeriodClosed` or `IssueDateTooEarly` where no document can have that date.
    """
    limit_lock_waits()
    lock_open_books(upload.legal_entity, issue_date=import_date)
    placed = apply_import(
        upload=upload, actor=actor, import_date=import_date, today=today
    )
    new = [contract.contract_id for contract in placed if not contract.past]
    invoices = generate_first_invoices(
        contracts=Contract.objects.filter(pk__in=new), actor=actor, today=import_date
    )
    return ImportedContracts(
        contract_import=upload, contracts=placed, invoices=invoices
    )
