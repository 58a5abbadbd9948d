"""Credit invoices: the remainder, or chosen amounts of lines (A5, A9).

A credit above the limit of its currency waits for a second person. What it takes is
split into its two parts when it is issued, for only then is known what is due.
"""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.models import BillGroup
from billing.services.audit import actor_fields, record
from billing.services.reasons import given
from invoicing.domain.credit import (
    NotCreditable,
    after_credit,
    credit_parts,
    remainder,
)
from invoicing.domain.credit_lines import (
    CreditSums,
    credit_of_amount,
    credit_of_lines,
)
from invoicing.domain.states import (
    CreditNoteStatus,
    CreditReason,
    CreditSettlement,
    DeliveryKind,
    SeriesKind,
)
from invoicing.models import CreditNote, CreditNoteLine, Delivery, Invoice
from invoicing.queries.claims import claim_of, creditable_of, superseded_among
from invoicing.queries.credit_notes import credit_limit, unapproved_credits
from invoicing.queries.pending import mail_recipient
from invoicing.services.balance import add_balance
from invoicing.services.claims import lock_invoices, store_claim
from invoicing.services.locks import (
    limit_lock_waits,
    lock_bill_groups,
    lock_open_books,
)
from invoicing.services.numbering import take_numbers
from invoicing.services.papers import tax_rows
from invoicing.services.portal_entries import enter_credit_note


class NotIssued(ValueError):
    """A draft or void invoice was to be credited."""

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(
            f"{invoice} was never issued, so there is nothing to credit. Discard the "
            "draft instead."
        )


@transaction.atomic
def credit_invoice(
    *,
    invoice: Invoice,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
    lines: Mapping[int, Decimal] | None = None,
    amount: Decimal | None = None,
    reason_code: CreditReason = CreditReason.BILLING_ERROR,
    settlement: CreditSettlement = CreditSettlement.BALANCE,
    with_paid: bool | None = None,
    issues_replacement: bool = False,
    issued_with: Collection[int] = (),
) -> CreditNote:
    """Credit the remainder of an invoice, or net amounts by line id (A5, A9).

    The remainder gives paid money back where a replacement claims it, or as
    `with_paid` says. Instead of lines an `amount` with tax is spread over all of them.
    Above the limit the credit waits for approval, with which `issues_replacement` has
    the replacement issued too (A7). `issued_with` are ids of invoices that the same
    transaction issues: what is used for them stands on their papers. Raises
    `ReasonMissing`, `NotIssued`, `NotCreditable`, `PeriodClosed` and
    `IssueDateTooEarly`.
    """
    reason = given(reason, kept_with="credit")
    group, locked = lock_credited(invoice, today=today)
    sums = credited_sums(locked, lines=lines, amount=amount, with_paid=with_paid)
    note = _draw_up(locked, sums, actor, reason, reason_code=reason_code, to=settlement)
    if _needs_approval(note):
        if issues_replacement:
            note.issues_replacement = True
            note.save(update_fields=["issues_replacement"])
        record_credit("credit_note.requested", note, group, actor, reason=note.reason)
        return note
    return issue_credit(
        note, locked, group, actor=actor, today=today, issued_with=issued_with
    )


def credited_sums(
    invoice: Invoice,
    *,
    lines: Mapping[int, Decimal] | None = None,
    amount: Decimal | None = None,
    with_paid: bool | None = None,
) -> CreditSums:
    """Return what a credit takes: of lines, of an amount, or the remainder (A5, A9).

    Raises `NotCreditable`.
    """
    if lines is not None:
        return credit_of_lines(creditable_of(invoice), lines)
    if amount is not None:
        return credit_of_amount(creditable_of(invoice), amount)
    return _remainder(invoice, with_paid=with_paid)


def lock_credited(invoice: Invoice, *, today: date) -> tuple[BillGroup, Invoice]:
    """Take the locks of a credit in their order; returns what is stored now."""
    limit_lock_waits()
    lock_open_books(invoice.legal_entity, issue_date=today)
    lock_bill_groups([invoice.bill_group_id])
    locked = lock_invoices([invoice.pk])[invoice.pk]
    if not locked.is_issued:
        raise NotIssued(locked)
    return BillGroup.objects.get(pk=locked.bill_group_id), locked


def _remainder(invoice: Invoice, *, with_paid: bool | None) -> CreditSums:
    if with_paid is None:
        with_paid = invoice.pk in superseded_among([invoice.pk])
    claim = claim_of(invoice)
    amount = remainder(claim, with_paid=with_paid)
    if not amount and claim.creditable:
        raise NotCreditable(
            "Nothing is due. To give back what was paid, tick it, or choose lines."
        )
    credit_parts(claim, amount)
    return credit_of_amount(creditable_of(invoice), amount)


def _draw_up(
    invoice: Invoice,
    sums: CreditSums,
    actor: AbstractBaseUser | None,
    reason: str,
    *,
    reason_code: CreditReason,
    to: CreditSettlement,
) -> CreditNote:
    """Store a credit as one that waits, with its lines."""
    who = actor_fields(actor)
    names: dict[Decimal | None, str] = {
        Decimal(tax["percent"]): tax["name"] for tax in invoice.taxes
    }
    revision = invoice.current_revision
    note = CreditNote.objects.create(
        invoice=invoice,
        legal_entity=invoice.legal_entity,
        status=CreditNoteStatus.TO_APPROVE.value,
        currency=invoice.currency,
        subtotal=sums.subtotal,
        tax=sums.tax,
        total=sums.total,
        taxes=tax_rows(sums.taxes, names),
        settlement=to.value,
        reason_code=reason_code.value,
        reason=reason,
        bill_to=revision.bill_to if revision else invoice.bill_to,
        seller=invoice.seller,
        made_by_id=who["actor_id"],
        made_by_name=who["actor_name"],
    )
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(
            credit_note=note, invoice_line_id=line.line_id, amount=line.amount
        )
        for line in sums.lines
    )
    return note


def _needs_approval(note: CreditNote) -> bool:
    """Tell whether the invoice's unapproved credits, this one too, exceed the limit."""
    limit = credit_limit(note.legal_entity_id, note.currency)
    return limit is not None and unapproved_credits(note.invoice_id) > limit


def issue_credit(
    note: CreditNote,
    invoice: Invoice,
    group: BillGroup,
    *,
    actor: AbstractBaseUser | None,
    today: date,
    issued_with: Collection[int] = (),
) -> CreditNote:
    """Give a credit its effect, ask for its paper and, last, give it its number."""
    before = claim_of(invoice)
    parts = credit_parts(before, note.total)
    after = after_credit(before, parts)
    store_claim(invoice, after)
    note.due_part, note.paid_part = parts.due_part, parts.paid_part
    note.given_back = parts.paid_part
    if parts.paid_part and note.settlement == CreditSettlement.BALANCE:
        add_balance(
            bill_group=group,
            amount=parts.paid_part,
            today=today,
            actor=actor,
            credit_note=note,
            issued_with=issued_with,
        )
    Delivery.objects.create(
        credit_note=note, kind=DeliveryKind.PDF, recipient=mail_recipient(group)
    )
    enter_credit_note(note, group, issue_date=today)
    (number,) = take_numbers(
        legal_entity=invoice.legal_entity,
        kind=SeriesKind.CREDIT_NOTE,
        count=1,
        issue_date=today,
    )
    note.status = CreditNoteStatus.ISSUED.value
    note.sequence, note.number = number.sequence, number.text
    note.issue_date = today
    note.save()
    note.refresh_from_db()
    record_credit(
        "credit_note.issued",
        note,
        group,
        actor,
        reason=note.reason,
        before={"due": str(before.due), "status": before.status},
        after={
            "due": str(after.due),
            "status": after.status,
            "number": note.number,
            "total": str(note.total),
            "given_back": str(parts.paid_part),
            "currency": note.currency,
        },
    )
    return note


def record_credit(
    code: str,
    note: CreditNote,
    group: BillGroup,
    actor: AbstractBaseUser | None,
    *,
    reason: str,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Write the audit entry of what became of a credit."""
    record(
        code,
        actor=actor,
        subject=str(note)[:200],
        account_id=group.account_id,
        bill_group_id=group.pk,
        invoice_id=note.invoice_id,
        before=before,
        after={
            **(after or {"total": str(note.total), "currency": note.currency}),
            "credit_note": note.pk,
        },
        reason=reason,
    )
