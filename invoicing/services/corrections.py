"""Discard drafts, reissue invoices, and finish a replacement with its credit (A7-A12).

What touches contracts and their invoices at once is reached through `lifecycle`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from billing.services.reasons import given
from contracts.domain.terms import ChargeState
from contracts.models import Contract, ScheduledCharge
from contracts.services.schedule import reconcile_contracts
from invoicing.domain.credit import NotCreditable
from invoicing.domain.states import CreditReason, InvoiceStatus
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.queries.claims import claim_of, superseded_among
from invoicing.services.claims import lock_invoices
from invoicing.services.credits import credit_invoice
from invoicing.services.drafts import NotADraft, issue_draft
from invoicing.services.locks import (
    limit_lock_waits,
    lock_bill_groups,
    lock_open_books,
)
from invoicing.services.replacements import (
    Replaced,
    copy_as_pending,
    correct_documents,
    record_correction,
    record_corrections,
)

GIVEN_FREELY = (CreditReason.SERVICE_ISSUE, CreditReason.GOODWILL)


class NotReissuable(ValueError):
    """An invoice that can't be reissued; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A replacement issued with the credit of the old invoice, or what it waits for.

    Without `issued` there was no replacement, or `credit` waits for approval. `credit`
    is None where nothing was left to credit.
    """

    issued: Invoice | None
    credit: CreditNote | None
    given_again: tuple[CreditNote, ...]


@transaction.atomic
def reissue_invoice(
    *, invoice: Invoice, reason: str, actor: AbstractBaseUser | None, today: date
) -> Replaced:
    """Make a replacement draft with today's bill-to, PO number and tax rates (A12).

    Usage is rated anew. Raises `ReasonMissing` and `NotReissuable`.
    """
    reason = given(reason, kept_with="invoice")
    locked = _lock(invoice)
    if not locked.is_issued:
        raise NotReissuable(f"{locked} was never issued: discard the draft instead.")
    if locked.pk in superseded_among([locked.pk]):
        raise NotReissuable(f"{locked} is superseded already. See its replacement.")
    corrected = correct_documents(
        [locked.pk], contract_ids=[], today=today, own_bill_to=False
    )
    record_corrections(corrected, actor=actor, reason=reason)
    return next(one for one in corrected.replaced if one.invoice.pk == locked.pk)


@transaction.atomic
def discard_draft(
    *,
    invoice: Invoice,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    skip: bool = False,
) -> Invoice:
    """Throw a draft away; its charges are pending again, or skipped (A11).

    Discarding a replacement makes the charges of the invoice it would have replaced
    live again, as they were billed. Raises `ReasonMissing` and `NotADraft`.
    """
    reason = given(reason, kept_with="invoice")
    draft = _lock(invoice)
    if draft.status != InvoiceStatus.DRAFT:
        raise NotADraft(f"{draft} is no draft any more: it is {draft.status.lower()}.")
    charges = _charges_of(draft)
    contract_ids = set(charges.values_list("contract", flat=True))
    ids = list(charges.values_list("pk", flat=True))
    InvoiceLine.objects.filter(invoice=draft).update(charge=None)
    becomes = ChargeState.SKIPPED if skip else ChargeState.PENDING
    if draft.replaces is None:
        _give_back(ids, becomes)
    else:
        _keep_as_billed(draft.replaces, ids)
        reconcile_contracts(contract_ids=contract_ids, today=today)
    draft.status = InvoiceStatus.VOID.value
    draft.save(update_fields=["status"])
    record_correction(
        "invoice.discarded",
        draft,
        actor=actor,
        reason=reason,
        before={"status": InvoiceStatus.DRAFT.value},
        charges="" if draft.replaces else becomes.value,
    )
    if draft.replaces is not None:
        record_correction(
            "invoice.kept_as_billed", draft.replaces, actor=actor, reason=reason
        )
    return draft


@transaction.atomic
def finish_replacement(
    *,
    invoice: Invoice,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    give_again: Collection[int] = (),
    issued_with: Collection[int] = (),
) -> Finished:
    """Issue the replacement of a superseded invoice and credit the remainder (A6, A7).

    `give_again` are ids of earlier credits for service issue or goodwill to give on the
    replacement too (A3). Where the credit needs approval, the draft waits with it.
    `issued_with` are ids of invoices issued earlier in this transaction.
    """
    limit_lock_waits()
    lock_open_books(invoice.legal_entity, issue_date=today)
    lock_bill_groups([invoice.bill_group_id])
    locked = lock_invoices([invoice.pk])[invoice.pk]
    draft = locked.replacements.filter(status=InvoiceStatus.DRAFT).first()
    credit = None
    if claim_of(locked).creditable:
        with transaction.atomic():
            issued = _issue(draft, actor=actor, today=today)
            issued_now = [*issued_with, *([issued.pk] if issued else [])]
            credit = _credit(locked, reason, actor, today, issued_with=issued_now)
            if credit.number is None:
                transaction.set_rollback(True)
        if credit.number is None:
            credit = _credit(locked, reason, actor, today, issues_replacement=True)
            return Finished(issued=None, credit=credit, given_again=())
    else:
        issued = _issue(draft, actor=actor, today=today)
    return Finished(
        issued=issued,
        credit=credit,
        given_again=_give_again(locked, issued, give_again, actor, today),
    )


@transaction.atomic
def finish_replacements(
    *,
    replaced: Iterable[Replaced],
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    give_again: Collection[int] = (),
) -> tuple[Finished, ...]:
    """Finish several replacements, all or none (A7).

    Raises what `finish_replacement` raises.
    """
    finished: list[Finished] = []
    for one in replaced:
        finished.append(
            finish_replacement(
                invoice=one.invoice,
                reason=reason,
                actor=actor,
                today=today,
                give_again=give_again,
                issued_with=[done.issued.pk for done in finished if done.issued],
            )
        )
    return tuple(finished)


def _issue(
    draft: Invoice | None, *, actor: AbstractBaseUser | None, today: date
) -> Invoice | None:
    if draft is None:
        return None
    return issue_draft(invoice=draft, actor=actor, today=today)


def _credit(
    invoice: Invoice,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    *,
    issued_with: Collection[int] = (),
    issues_replacement: bool = False,
) -> CreditNote:
    return credit_invoice(
        invoice=invoice,
        reason=reason,
        actor=actor,
        today=today,
        with_paid=True,
        issues_replacement=issues_replacement,
        issued_with=issued_with,
    )


def _give_again(
    replaced: Invoice,
    issued: Invoice | None,
    note_ids: Collection[int],
    actor: AbstractBaseUser | None,
    today: date,
) -> tuple[CreditNote, ...]:
    """Give credits of the old invoice on the new one too, as far as it reaches."""
    if issued is None:
        return ()
    notes = CreditNote.objects.filter(
        pk__in=list(note_ids), invoice=replaced, reason_code__in=GIVEN_FREELY
    )
    given = []
    for note in notes.exclude(sequence=None).order_by("sequence"):
        left = claim_of(lock_invoices([issued.pk])[issued.pk]).creditable
        if not left:
            raise NotCreditable(f"{issued} is credited already; {note} does not fit.")
        given.append(
            credit_invoice(
                invoice=issued,
                reason=note.reason,
                actor=actor,
                today=today,
                amount=min(left, note.total),
                reason_code=CreditReason(note.reason_code),
            )
        )
    return tuple(given)


def _lock(invoice: Invoice) -> Invoice:
    """Lock an invoice after its contracts and bill group; returns it as it is now."""
    limit_lock_waits()
    contracts = Contract.objects.filter(charges__invoice_line__invoice=invoice)
    list(
        Contract.objects.filter(pk__in=contracts.values("pk"))
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    lock_bill_groups([invoice.bill_group_id])
    return lock_invoices([invoice.pk])[invoice.pk]


def _charges_of(draft: Invoice) -> QuerySet[ScheduledCharge]:
    return ScheduledCharge.objects.filter(
        invoice_line__invoice=draft, state=ChargeState.DRAFTED
    )


def _give_back(charge_ids: Collection[int], state: ChargeState) -> None:
    """Return charges of a draft; usage is rated again when it is billed (P9)."""
    charges = ScheduledCharge.objects.filter(pk__in=list(charge_ids))
    charges.filter(unit_price=None, late_for=None).update(quantity=None, amount=None)
    charges.update(state=state)


def _keep_as_billed(replaced: Invoice, new_ids: Collection[int]) -> None:
    """Make the charges of an invoice live again that its replacement superseded."""
    ScheduledCharge.objects.filter(pk__in=list(new_ids)).update(
        state=ChargeState.SUPERSEDED
    )
    old = ScheduledCharge.objects.filter(
        invoice_line__invoice=replaced, state=ChargeState.SUPERSEDED
    )
    ids = list(old.values_list("pk", flat=True))
    old.update(state=ChargeState.INVOICED)
    copy_as_pending(
        ScheduledCharge.objects.filter(
            late_for__in=ids, state=ChargeState.SUPERSEDED
        ).exclude(pk__in=ids)
    )
