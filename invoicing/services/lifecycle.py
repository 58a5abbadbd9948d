"""The one door to what touches contracts and their invoices at once.

Activation and import set contracts in force and make their first invoices in one
transaction (G5, G6, I4); an import is kept or undone as a whole.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.models import AuditEvent, LegalEntity
from billing.services.audit import record
from contracts.domain.term_changes import TermChanges
from contracts.domain.terms import LIVE_STATES, ChargeState, ContractTerms
from contracts.models import Amendment, Contract, ContractImport, ScheduledCharge
from contracts.services.amendments import store_amendment
from contracts.services.cancellation import (
    CancellationRefused,
    clear_last_day,
    close_contracts,
    set_last_day,
)
from contracts.services.import_audit import PlacedContract
from contracts.services.imports import apply_import, keep_upload, new_upload
from contracts.services.locks import lock_contract
from contracts.services.terms import activate
from invoicing.domain.states import CreditNoteStatus
from invoicing.models import CreditNote, Invoice
from invoicing.services.amending import (
    OutsideDifference,
    changed_documents,
    contract_value,
)
from invoicing.services.canceling import (
    Unused,
    UnusedCharge,
    credit_unused,
    drafts_among,
    drafts_of,
    unused_charges,
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
class Canceled:
    """A cancellation and all that follows from it, written or previewed (S1).

    `dropped` is what pending charges and drafts bill less than before, before tax.
    """

    contract: Contract
    charges: tuple[UnusedCharge, ...]
    dropped: Decimal
    corrected: Corrected
    credit_notes: tuple[CreditNote, ...]


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
    their ids are in `replace_credited`. Raises `AmendmentRefused`.
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


@transaction.atomic
def cancel_contract(
    *,
    contract: Contract,
    last_day: date,
    reason: str,
    unused: Mapping[int, Unused],
    actor: AbstractBaseUser | None,
    today: date,
) -> Canceled:
    """End a contract on a last day of service, with what follows from it (S1).

    Pending charges after it are canceled, one across it is cut; drafts are rebuilt.
    `unused` says by charge id what becomes of issued charges with days after it; what
    it leaves out stays as billed. Raises `CancellationRefused`.
    """
    limit_lock_waits()
    lock_open_books(contract.bill_group.legal_entity, issue_date=today)
    locked, group = lock_contract(contract)
    open_before = _open_amount(locked)
    set_last_day(contract=locked, last_day=last_day, reason=reason)
    locked.refresh_from_db()
    charges = unused_charges(locked, today=today)
    corrected = correct_documents(
        drafts_among(charges), contract_ids=[locked.pk], today=today
    )
    notes = credit_unused(
        charges, unused, reason=reason.strip(), actor=actor, today=today
    )
    record(
        "contract.cancellation",
        actor=actor,
        subject=locked.number,
        account_id=group.account_id,
        bill_group_id=group.pk,
        contract_id=locked.pk,
        after={
            "last_day": last_day.isoformat(),
            "credit_notes": [note.pk for note in notes],
        },
        reason=reason.strip(),
    )
    record_corrections(corrected, actor=actor, reason=reason.strip())
    close_contracts(as_of=today, legal_entity=group.legal_entity)
    locked.refresh_from_db()
    return Canceled(
        contract=locked,
        charges=charges,
        dropped=open_before - _open_amount(locked),
        corrected=corrected,
        credit_notes=notes,
    )


def preview_cancellation(
    *,
    contract: Contract,
    last_day: date,
    reason: str,
    unused: Mapping[int, Unused],
    actor: AbstractBaseUser | None,
    today: date,
) -> Canceled:
    """Return what `cancel_contract` would do, and write nothing: all of it is undone.

    Raises what it raises.
    """
    with transaction.atomic():
        canceled = cancel_contract(
            contract=contract,
            last_day=last_day,
            reason=reason,
            unused=unused,
            actor=actor,
            today=today,
        )
        transaction.set_rollback(True)
    return canceled


@transaction.atomic
def undo_cancellation(
    *, contract: Contract, reason: str, actor: AbstractBaseUser | None, today: date
) -> Contract:
    """Take a cancellation back until its last day, and plan what it took away (S2).

    Raises `CancellationRefused`, also where something was credited for it.
    """
    limit_lock_waits()
    locked, group = lock_contract(contract)
    made = (
        AuditEvent.objects.filter(code="contract.cancellation", contract_id=locked.pk)
        .order_by("-pk")
        .first()
    )
    notes = CreditNote.objects.filter(
        pk__in=made.after["credit_notes"] if made else [],
        status__in=[CreditNoteStatus.ISSUED, CreditNoteStatus.TO_APPROVE],
    )
    if notes.exists():
        raise CancellationRefused(
            f"{', '.join(map(str, notes))} was made for the cancellation. Void or "
            "decline it first."
        )
    before = locked.last_day
    clear_last_day(contract=locked, today=today)
    locked.refresh_from_db()
    drafts = drafts_of(locked)
    corrected = correct_documents(drafts, contract_ids=[locked.pk], today=today)
    record(
        "contract.cancellation_undone",
        actor=actor,
        subject=locked.number,
        account_id=group.account_id,
        bill_group_id=group.pk,
        contract_id=locked.pk,
        before={"last_day": before.isoformat() if before else None},
        reason=reason.strip(),
    )
    record_corrections(corrected, actor=actor, reason=reason.strip())
    return locked


def _open_amount(contract: Contract) -> Decimal:
    """Return what a contract's pending charges and those on drafts bill."""
    return contract_value(
        ScheduledCharge.objects.filter(
            contract=contract, state__in=[ChargeState.PENDING, ChargeState.DRAFTED]
        )
    )


def _value(contract: Contract) -> Decimal:
    """Return what the live charges of a contract bill; usage not rated is nothing."""
    return contract_value(
        ScheduledCharge.objects.filter(contract=contract, state__in=LIVE_STATES)
    )
