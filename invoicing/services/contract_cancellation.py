"""Cancel contracts and undo it, with what follows for charges and documents (S1, S2).

Reached through `invoicing.services.lifecycle`, as all that touches a contract and its
invoices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.models import AuditEvent
from billing.services.audit import record
from billing.services.reasons import given
from contracts.domain.terms import ChargeState
from contracts.models import Contract, ScheduledCharge
from contracts.services.cancellation import (
    CancellationRefused,
    clear_last_day,
    close_contract,
    set_last_day,
)
from contracts.services.locks import lock_contract
from invoicing.domain.states import CreditNoteStatus
from invoicing.models import CreditNote
from invoicing.services.amending import contract_value
from invoicing.services.canceling import (
    Unused,
    UnusedCharge,
    credit_unused,
    drafts_among,
    drafts_of,
    unused_charges,
)
from invoicing.services.locks import limit_lock_waits, lock_open_books
from invoicing.services.replacements import (
    Corrected,
    correct_documents,
    record_corrections,
)


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
    it leaves out stays as billed. Raises `ReasonMissing` and `CancellationRefused`.
    """
    reason = given(reason, kept_with="cancellation")
    limit_lock_waits()
    lock_open_books(contract.bill_group.legal_entity, issue_date=today)
    locked, group = lock_contract(contract)
    open_before = _open_amount(locked)
    set_last_day(contract=locked, last_day=last_day)
    locked.refresh_from_db()
    charges = unused_charges(locked, today=today)
    corrected = correct_documents(
        drafts_among(charges), contract_ids=[locked.pk], today=today
    )
    notes = credit_unused(charges, unused, reason=reason, actor=actor, today=today)
    dropped = open_before - _open_amount(locked)
    record(
        "contract.cancellation",
        actor=actor,
        subject=locked.number,
        account_id=group.account_id,
        bill_group_id=group.pk,
        contract_id=locked.pk,
        after={
            "last_day": last_day.isoformat(),
            "taken_off": str(dropped),
            "currency": group.currency,
            "credit_notes": [note.pk for note in notes],
        },
        reason=reason,
    )
    record_corrections(corrected, actor=actor, reason=reason)
    close_contract(contract=locked, as_of=today)
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
