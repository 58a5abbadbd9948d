"""All that was booked for bill groups since a day, as a statement lists it (A5, M4).

Each row of the books gives one booking for the day it was written for, and one more for
the day it was undone. A payment is booked on the day it was recorded. A refund goes
through the balance: the credit gives the money back, the refund pays it out.
"""

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple, cast

from django.db.models import Q

from invoicing.domain.statement import Booking, Document, MovementKind
from invoicing.domain.states import ISSUED, CreditNoteStatus, CreditSettlement
from invoicing.models import (
    BalanceEntry,
    BalanceUse,
    BalanceWithdrawal,
    CreditNote,
    Invoice,
    Payment,
    PaymentAllocation,
)

ZERO: Final = Decimal(0)
COUNTED: Final = (CreditNoteStatus.ISSUED, CreditNoteStatus.VOID)


class Booked(NamedTuple):
    """A booking and the bill group it is of."""

    bill_group_id: int
    booking: Booking


def bookings_since(group_ids: Collection[int], first: date) -> list[Booked]:
    """Return what was booked for bill groups on a day or after it, in six queries."""
    groups = list(group_ids)
    found = [
        *_of_invoices(groups, first),
        *_of_credit_notes(groups, first),
        *_of_allocations(groups, first),
        *_of_entries(groups, first),
        *_of_withdrawals(groups, first),
        *_of_uses(groups, first),
    ]
    return [one for one in found if one.booking.on >= first]


def _of_invoices(groups: list[int], first: date) -> Iterator[Booked]:
    rows = Invoice.objects.filter(
        bill_group__in=groups, status__in=ISSUED, issue_date__gte=first
    ).values_list("bill_group_id", "issue_date", "pk", "number", "total")
    for group_id, issued, pk, number, total in rows:
        booking = Booking(
            on=issued or first,
            kind=MovementKind.INVOICE,
            document=Document(id=pk, name=number or ""),
            invoice_id=pk,
            due=total,
        )
        yield Booked(group_id, booking)


def _of_credit_notes(groups: list[int], first: date) -> Iterator[Booked]:
    """Yield what credits took off the due, what they paid out, and the voided ones.

    What lowered the due at once is the total less what was given back; a credit that
    was turned since gave back more than it says now, and its balance still says it.
    """
    notes = (
        CreditNote.objects.filter(
            Q(issue_date__gte=first) | Q(voided_on__gte=first),
            invoice__bill_group__in=groups,
            status__in=COUNTED,
        )
        .select_related("invoice")
        .prefetch_related("balance_entries")
        .defer("bill_to", "seller", "taxes", "invoice__bill_to", "invoice__seller")
    )
    for note in notes:
        document = Document(id=note.pk, name=note.number or "")
        group_id, invoice_id = note.invoice.bill_group_id, note.invoice_id
        is_refund = note.settlement == CreditSettlement.REFUND
        refunded = (note.paid_part or ZERO) if is_refund else ZERO
        kept = sum((entry.amount for entry in note.balance_entries.all()), ZERO)
        issued = note.issue_date or first
        credit = Booking(
            on=issued,
            kind=MovementKind.CREDIT_NOTE,
            document=document,
            invoice_id=invoice_id,
            due=-(note.total - refunded - kept),
            held=refunded,
        )
        yield Booked(group_id, credit)
        if refunded:
            refund = Booking(
                on=issued, kind=MovementKind.REFUND, document=document, held=-refunded
            )
            yield Booked(group_id, refund)
        if note.voided_on is not None:
            void = Booking(
                on=note.voided_on,
                kind=MovementKind.CREDIT_NOTE_VOIDED,
                document=document,
                invoice_id=invoice_id,
                due=note.due_part or ZERO,
            )
            yield Booked(group_id, void)


def _of_allocations(groups: list[int], first: date) -> Iterator[Booked]:
    rows = PaymentAllocation.objects.filter(
        Q(allocated_on__gte=first) | Q(undone_on__gte=first),
        payment__bill_group__in=groups,
    ).select_related("payment")
    for row in rows:
        paid = Booking(
            on=row.allocated_on,
            kind=MovementKind.PAYMENT,
            document=_paper_of(row.payment),
            invoice_id=row.invoice_id,
            due=-row.amount,
        )
        yield Booked(row.payment.bill_group_id, paid)
        if row.undone_on is not None:
            back = Booking(
                on=row.undone_on,
                kind=MovementKind.PAYMENT_TAKEN_BACK,
                document=_paper_of(row.payment),
                invoice_id=row.invoice_id,
                due=row.amount,
            )
            yield Booked(row.payment.bill_group_id, back)


def _of_entries(groups: list[int], first: date) -> Iterator[Booked]:
    rows = BalanceEntry.objects.filter(
        bill_group__in=groups, arose_on__gte=first
    ).select_related("payment", "credit_note")
    for entry in rows.defer("credit_note__bill_to", "credit_note__seller"):
        kind, document = _source_of(entry)
        booking = Booking(
            on=entry.arose_on, kind=kind, document=document, held=entry.amount
        )
        yield Booked(entry.bill_group_id, booking)


def _of_withdrawals(groups: list[int], first: date) -> Iterator[Booked]:
    """Yield balance that went with its source.

    A credit's balance that goes with a payment lowers the due instead: the credit was
    turned.
    """
    rows = BalanceWithdrawal.objects.filter(
        entry__bill_group__in=groups, withdrawn_on__gte=first
    ).select_related("entry__payment", "entry__credit_note")
    for row in rows:
        _, document = _source_of(row.entry)
        note = row.entry.credit_note
        if note is None:
            kind = MovementKind.PAYMENT_TAKEN_BACK
        elif row.payment_id is None:
            kind = MovementKind.CREDIT_NOTE_VOIDED
        else:
            kind = MovementKind.CREDIT_TURNED
        is_turned = kind is MovementKind.CREDIT_TURNED
        booking = Booking(
            on=row.withdrawn_on,
            kind=kind,
            document=document,
            invoice_id=note.invoice_id if note and is_turned else None,
            due=-row.amount if is_turned else ZERO,
            held=-row.amount,
        )
        yield Booked(row.entry.bill_group_id, booking)


def _of_uses(groups: list[int], first: date) -> Iterator[Booked]:
    rows = BalanceUse.objects.filter(
        Q(used_on__gte=first) | Q(undone_on__gte=first),
        entry__bill_group__in=groups,
    ).values_list(
        "entry__bill_group_id",
        "used_on",
        "undone_on",
        "invoice_id",
        "invoice__number",
        "amount",
    )
    for group_id, used_on, undone_on, invoice_id, number, amount in rows:
        document = Document(id=invoice_id, name=number or "")
        used = Booking(
            on=used_on,
            kind=MovementKind.BALANCE_USED,
            document=document,
            invoice_id=invoice_id,
            due=-amount,
            held=-amount,
        )
        yield Booked(group_id, used)
        if undone_on is not None:
            undone = Booking(
                on=undone_on,
                kind=MovementKind.BALANCE_USE_UNDONE,
                document=document,
                invoice_id=invoice_id,
                due=amount,
                held=amount,
            )
            yield Booked(group_id, undone)


def _source_of(entry: BalanceEntry) -> tuple[MovementKind, Document]:
    """Return what balance arose from: a credit note or a payment."""
    note = entry.credit_note
    if note is not None:
        return MovementKind.CREDIT_NOTE, Document(id=note.pk, name=note.number or "")
    return MovementKind.PAYMENT, _paper_of(cast("Payment", entry.payment))


def _paper_of(payment: Payment) -> Document:
    return Document(
        id=payment.pk, name=payment.reference, received_on=payment.received_on
    )
