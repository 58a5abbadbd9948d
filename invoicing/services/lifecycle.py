"""The one door to what touches contracts and their invoices at once.

Activation and import set contracts in force and make their first invoices in one
transaction (G5, G6, I4); an import is kept or undone as a whole.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.models import LegalEntity
from billing.services.audit import record
from contracts.domain.term_changes import TermChanges
from contracts.domain.terms import LIVE_STATES, ContractTerms
from contracts.models import Amendment, Contract, ContractImport, ScheduledCharge
from contracts.services.amendments import store_amendment
from contracts.services.import_audit import PlacedContract
from contracts.services.imports import apply_import, new_upload
from contracts.services.locks import lock_contract
from contracts.services.terms import activate
from contracts.services.uploads import keep_file
from invoicing.models import Invoice
from invoicing.services.amending import (
    OutsideDifference,
    changed_documents,
    contract_value,
)
from invoicing.services.contract_cancellation import (
    Canceled,
    cancel_contract,
    preview_cancellation,
    undo_cancellation,
)
from invoicing.services.corrections import Finished, finish_replacements
from invoicing.services.generation import generate_first_invoices
from invoicing.services.import_preview import preview_import
from invoicing.services.locks import limit_lock_waits, lock_open_books
from invoicing.services.replacements import (
    Corrected,
    correct_documents,
    record_corrections,
)

__all__ = [
    "Activation",
    "Amended",
    "Canceled",
    "Fixed",
    "ImportedContracts",
    "activate_contract",
    "amend_contract",
    "cancel_contract",
    "fix_contract",
    "import_contracts",
    "preview_amendment",
    "preview_cancellation",
    "undo_cancellation",
    "upload_contracts",
]


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
    return keep_file(upload, errors=preview.checked.errors, summary=preview.as_dict())


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """An amendment and all that follows from it, written or previewed (A1-A3)."""

    amendment: Amendment
    before: ContractTerms
    after: ContractTerms
    corrected: Corrected
    left_credited: tuple[Invoice, ...]
    outside: tuple[OutsideDifference, ...]
    value_before: Decimal
    value_after: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """An amendment with what became of each invoice that it replaced (A7)."""

    amended: Amended
    finished: tuple[Finished, ...]


@transaction.atomic
def amend_contract(
    *,
    contract: Contract,
    changes: TermChanges,
    effective_date: date,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    replace_credited: Collection[int] = (),
) -> Amended:
    """Change the terms of a contract from a day on, and what follows from it (A1-A3).

    Pending charges are planned anew, drafts rebuilt, and each issued invoice with a
    charge that changes gets a replacement draft. Invoices credited in full only if
    their ids are in `replace_credited`. Raises `ReasonMissing` and
    `AmendmentRefused`.
    """
    limit_lock_waits()
    locked, group = lock_contract(contract)
    value_before = _value(locked)
    stored = store_amendment(
        contract=locked,
        changes=changes,
        effective_date=effective_date,
        reason=reason,
        actor=actor,
    )
    changed = changed_documents(
        locked, stored.after, today=today, replace_credited=replace_credited
    )
    corrected = correct_documents(
        changed.invoice_ids, contract_ids=[locked.pk], today=today
    )
    record(
        "contract.amended",
        actor=actor,
        subject=locked.number,
        account_id=group.account_id,
        bill_group_id=group.pk,
        contract_id=locked.pk,
        before=stored.amendment.terms_before,
        after=stored.amendment.terms_after,
        reason=stored.amendment.reason,
    )
    record_corrections(corrected, actor=actor, reason=stored.amendment.reason)
    return Amended(
        amendment=stored.amendment,
        before=stored.before,
        after=stored.after,
        corrected=corrected,
        left_credited=changed.left_credited,
        outside=changed.outside,
        value_before=value_before,
        value_after=_value(locked),
    )


def preview_amendment(
    *,
    contract: Contract,
    changes: TermChanges,
    effective_date: date,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    replace_credited: Collection[int] = (),
) -> Amended:
    """Return what `amend_contract` would do, and write nothing: all of it is undone.

    Raises what it raises.
    """
    with transaction.atomic():
        amended = amend_contract(
            contract=contract,
            changes=changes,
            effective_date=effective_date,
            reason=reason,
            actor=actor,
            today=today,
            replace_credited=replace_credited,
        )
        transaction.set_rollback(True)
    return amended


@transaction.atomic
def fix_contract(
    *,
    contract: Contract,
    changes: TermChanges,
    effective_date: date,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    replace_credited: Collection[int] = (),
    give_again: Collection[int] = (),
) -> Fixed:
    """Amend, issue each replacement, and credit what it replaces, at once (A7).

    Where a credit needs approval its replacement stays a draft until then. Raises what
    `amend_contract` and `finish_replacements` raise; then nothing is done.
    """
    limit_lock_waits()
    lock_open_books(contract.bill_group.legal_entity, issue_date=today)
    amended = amend_contract(
        contract=contract,
        changes=changes,
        effective_date=effective_date,
        reason=reason,
        actor=actor,
        today=today,
        replace_credited=replace_credited,
    )
    finished = finish_replacements(
        replaced=amended.corrected.replaced,
        reason=amended.amendment.reason,
        actor=actor,
        today=today,
        give_again=give_again,
    )
    return Fixed(amended=amended, finished=finished)


def _value(contract: Contract) -> Decimal:
    """Return what the live charges of a contract bill; usage not rated is nothing."""
    return contract_value(
        ScheduledCharge.objects.filter(contract=contract, state__in=LIVE_STATES)
    )
