"""Decide about credits that wait, and void credit notes (A9).

A second person approves what lies above the limit, nobody their own. A credit note is
voided while its money is neither used nor refunded and its month is open.
"""

from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models.functions import Now

from billing.domain.dates import day_text
from billing.queries import closed_through
from billing.services.reasons import given
from invoicing.domain.credit import CreditParts, NotCreditable, after_voided_credit
from invoicing.domain.credit_lines import Creditable
from invoicing.domain.states import (
    CreditNoteStatus,
    CreditSettlement,
    InvoiceStatus,
)
from invoicing.models import BalanceEntry, CreditNote
from invoicing.queries.claims import claim_of, creditable_of
from invoicing.services.balance import withdraw
from invoicing.services.claims import store_claim
from invoicing.services.credits import (
    issue_credit,
    lock_credited,
    record_credit,
)
from invoicing.services.drafts import issue_draft
from invoicing.services.portal_entries import withdraw_voided
from invoicing.services.sending import send_void_paper


class OwnCredit(ValueError):
    """Someone was to approve their own credit (A9)."""

    def __init__(self) -> None:
        super().__init__("Nobody approves their own credit. Ask a second person.")


class NotWaiting(ValueError):
    """A credit that waits for no decision was to be decided."""

    def __init__(self, note: CreditNote) -> None:
        super().__init__(
            f"The credit is {note.get_status_display().lower()}: it waits for no "
            "decision. Nothing was changed."
        )


class CreditStands(ValueError):
    """A credit note that can't be voided (any more); the text says why."""


@transaction.atomic
def approve_credit(
    *, note: CreditNote, actor: AbstractBaseUser, today: date
) -> CreditNote:
    """Issue a credit that waits, as a second person, dated today (A7, A9).

    The replacement it was made with is issued first, so that balance finds it. Raises
    `NotWaiting`, `OwnCredit`, and `NotCreditable` where it no longer fits.
    """
    group, invoice = lock_credited(note.invoice, today=today)
    note = _waiting(note)
    if note.made_by_id == actor.pk:
        raise OwnCredit
    _check_still_left(note, creditable_of(invoice))
    issued: list[int] = []
    if note.issues_replacement:
        issued = [
            issue_draft(invoice=draft, actor=actor, today=today).pk
            for draft in invoice.replacements.filter(status=InvoiceStatus.DRAFT)
        ]
    note.decided_by_name = actor.get_username()
    note.decided_at = Now()
    return issue_credit(
        note, invoice, group, actor=actor, today=today, issued_with=issued
    )


@transaction.atomic
def decline_credit(
    *, note: CreditNote, reason: str, actor: AbstractBaseUser, today: date
) -> CreditNote:
    """Leave an invoice as it is although a credit was asked for.

    Raises `ReasonMissing` and `NotWaiting`.
    """
    reason = given(reason, kept_with="credit")
    group, _ = lock_credited(note.invoice, today=today)
    note = _waiting(note)
    note.status = CreditNoteStatus.DECLINED.value
    note.decided_by_name = actor.get_username()
    note.decided_at = Now()
    note.save(update_fields=["status", "decided_by_name", "decided_at"])
    record_credit("credit_note.declined", note, group, actor, reason=reason)
    return note


@transaction.atomic
def void_credit_note(
    *, note: CreditNote, reason: str, actor: AbstractBaseUser | None, today: date
) -> CreditNote:
    """Undo a credit while its money is unused and its month open (A9).

    Its void paper goes where the other went. Raises `ReasonMissing` and `CreditStands`.
    """
    reason = given(reason, kept_with="credit")
    group, invoice = lock_credited(note.invoice, today=today)
    note = CreditNote.objects.select_for_update(no_key=True, of=("self",)).get(
        pk=note.pk
    )
    entry = BalanceEntry.objects.filter(credit_note=note).first()
    check_voidable(note, entry)
    if entry is not None:
        withdraw(entry, entry.left, today=today)
    parts = _parts(note)
    before = claim_of(invoice)
    after = after_voided_credit(before, parts)
    store_claim(invoice, after)
    note.status = CreditNoteStatus.VOID.value
    note.voided_on = today
    note.void_reason = reason
    note.save(update_fields=["status", "voided_on", "void_reason"])
    send_void_paper(note, group)
    record_credit(
        "credit_note.voided",
        note,
        group,
        actor,
        reason=note.void_reason,
        before={"due": str(before.due), "status": before.status},
        after={
            "due": str(after.due),
            "status": after.status,
            "total": str(note.total),
            "currency": note.currency,
        },
    )
    withdraw_voided(note, actor=actor, today=today)
    return note


def _check_still_left(note: CreditNote, creditable: Creditable) -> None:
    left = {line.line_id: line.left for line in creditable.lines}
    if any(
        line.amount > left[line.invoice_line_id] for line in note.lines.all()
    ) or any(
        Decimal(tax["tax"]) > creditable.tax_left[Decimal(tax["percent"])]
        for tax in note.taxes
    ):
        raise NotCreditable(
            "The invoice was credited meanwhile, and this credit no longer fits. "
            "Decline it and credit what remains."
        )


def _waiting(note: CreditNote) -> CreditNote:
    note = CreditNote.objects.select_for_update(no_key=True, of=("self",)).get(
        pk=note.pk
    )
    if note.status != CreditNoteStatus.TO_APPROVE:
        raise NotWaiting(note)
    return note


def check_voidable(note: CreditNote, entry: BalanceEntry | None) -> None:
    """Raise `CreditStands` for a credit whose money moved on, with its balance."""
    if note.status != CreditNoteStatus.ISSUED or note.issue_date is None:
        raise CreditStands(
            f"The credit is {note.get_status_display().lower()}. Nothing was changed."
        )
    closed = closed_through(note.legal_entity)
    if closed is not None and note.issue_date <= closed:
        raise CreditStands(
            f"{note} is dated {day_text(note.issue_date)}, in a closed month. Reissue "
            "the invoice instead."
        )
    if note.paid_part and note.settlement == CreditSettlement.REFUND:
        raise CreditStands(
            f"{note.paid_part} {note.currency} of {note} was refunded. Reissue the "
            "invoice instead."
        )
    if entry is not None and entry.used:
        raise CreditStands(
            f"{entry.used} {note.currency} of the balance from {note} was used. "
            "Reissue the invoice instead."
        )


def _parts(note: CreditNote) -> CreditParts:
    return CreditParts(
        due_part=note.due_part or Decimal(0), paid_part=note.paid_part or Decimal(0)
    )
