"""Take payments back: a cheque that bounced, a transfer booked wrongly (M4).

What the payment paid is due again, and the balance that it left goes, newest use first.
Where a credit had given back money that now never came, the credit lowers the due
instead (C_paid becomes C_due), and the balance from that credit goes the same way. What
is left of balance in the end is used again.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.models import BillGroup
from billing.services.audit import record
from billing.services.reasons import given
from invoicing.domain.states import CreditNoteStatus, CreditSettlement
from invoicing.models import (
    BalanceEntry,
    BalanceUse,
    CreditNote,
    Invoice,
    Payment,
)
from invoicing.queries.claims import claim_of
from invoicing.services.balance import apply_balance, withdraw
from invoicing.services.claims import lock_invoices, store_claim
from invoicing.services.locks import limit_lock_waits, lock_bill_groups

ZERO = Decimal(0)


class PaymentStays(ValueError):
    """A payment that can't be taken back (any more); the text says why."""


@transaction.atomic
def take_back_payment(
    *, payment: Payment, reason: str, actor: AbstractBaseUser | None, today: date
) -> Payment:
    """Undo a payment, dated today: its invoices are due again (M4).

    Raises `ReasonMissing`, and `PaymentStays` for one taken back before and where a
    credit refunded what now never came.
    """
    reason = given(reason, kept_with="payment")
    limit_lock_waits()
    lock_bill_groups([payment.bill_group_id])
    payment = Payment.objects.select_for_update(no_key=True, of=("self",)).get(
        pk=payment.pk
    )
    if payment.taken_back_on is not None:
        raise PaymentStays("The payment was taken back already. Nothing was changed.")

    payment.taken_back_on, payment.taken_back_reason = today, reason
    for allocation in payment.allocations.filter(undone_on=None).order_by("-pk"):
        allocation.undone_on = today
        allocation.save(update_fields=["undone_on"])
        _take_from(
            allocation.invoice_id, payment, actor, today=today, paid=allocation.amount
        )
    for entry in payment.balance_entries.order_by("pk"):
        _shrink(entry, entry.used + entry.left, payment, actor, today=today)
    payment.save(update_fields=["taken_back_on", "taken_back_reason"])
    group = BillGroup.objects.get(pk=payment.bill_group_id)
    record(
        "payment.taken_back",
        actor=actor,
        subject=group.public_id,
        account_id=group.account_id,
        bill_group_id=group.pk,
        before={
            "amount": str(payment.amount),
            "currency": payment.currency,
            "payment": payment.pk,
        },
        reason=payment.taken_back_reason,
    )
    apply_balance(bill_group=group, today=today, actor=actor)
    return payment


def _take_from(
    invoice_id: int,
    payment: Payment,
    actor: AbstractBaseUser | None,
    *,
    today: date,
    paid: Decimal = ZERO,
    applied: Decimal = ZERO,
) -> None:
    """Take paid or applied money from an invoice, and what credits gave back of it."""
    invoice = lock_invoices([invoice_id])[invoice_id]
    before = claim_of(invoice)
    claim = replace(
        before,
        paid=before.paid - paid,
        balance_applied=before.balance_applied - applied,
    )
    never_came = max(ZERO, claim.credited_paid - claim.paid - claim.balance_applied)
    after = replace(
        claim,
        credited_paid=claim.credited_paid - never_came,
        credited_due=claim.credited_due + never_came,
    )
    store_claim(invoice, after)
    record(
        "invoice.payment_undone" if paid else "invoice.balance_undone",
        actor=actor,
        subject=str(invoice),
        account_id=invoice.account_id,
        bill_group_id=invoice.bill_group_id,
        invoice_id=invoice.pk,
        before={"status": before.status, "due": str(before.due)},
        after={
            "amount": str(paid or applied),
            "currency": invoice.currency,
            "status": after.status,
            "due": str(after.due),
            "payment": payment.pk,
        },
        reason=payment.taken_back_reason,
    )
    _turn_credits(invoice, never_came, payment, actor, today=today)


def _turn_credits(
    invoice: Invoice,
    amount: Decimal,
    payment: Payment,
    actor: AbstractBaseUser | None,
    *,
    today: date,
) -> None:
    """Have credits lower the due by what they had given back, newest first."""
    notes = CreditNote.objects.filter(
        invoice=invoice, status=CreditNoteStatus.ISSUED, paid_part__gt=0
    ).order_by("-sequence")
    for note in notes:
        part = min(amount, note.paid_part or ZERO)
        if not part:
            return
        amount -= part
        if note.settlement == CreditSettlement.REFUND:
            raise PaymentStays(
                f"{part} {note.currency} of it was refunded with {note}. It can't be "
                "taken back here: claim the refund from the customer."
            )
        note.paid_part = (note.paid_part or ZERO) - part
        note.due_part = (note.due_part or ZERO) + part
        note.save(update_fields=["paid_part", "due_part"])
        entry = BalanceEntry.objects.get(credit_note=note)
        _shrink(entry, part, payment, actor, today=today)


def _shrink(
    entry: BalanceEntry,
    amount: Decimal,
    payment: Payment,
    actor: AbstractBaseUser | None,
    *,
    today: date,
) -> None:
    """Withdraw balance, taking it back from where it was used, newest use first."""
    uses = BalanceUse.objects.filter(entry=entry, undone_on=None).order_by("-pk")
    for use in uses:
        if entry.left >= amount:
            break
        use.undone_on = today
        use.save(update_fields=["undone_on"])
        entry.used -= use.amount
        entry.save(update_fields=["used"])
        _take_from(use.invoice_id, payment, actor, today=today, applied=use.amount)
        entry.refresh_from_db()
    withdraw(entry, amount, today=today, payment=payment)
