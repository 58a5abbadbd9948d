"""The credit balance of bill groups: it arises, is used by itself, is withdrawn (M4).

The caller holds the lock of the bill group, under which all of its balance changes.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F

from billing.domain.money import round_money
from billing.models import BillGroup
from billing.services.audit import record
from invoicing.domain.allocation import BalanceUse as Use
from invoicing.domain.allocation import OpenInvoice, use_balance
from invoicing.domain.states import InvoiceStatus
from invoicing.domain.totals import status_at_issue
from invoicing.models import (
    BalanceEntry,
    BalanceUse,
    BalanceWithdrawal,
    CreditNote,
    Invoice,
    Payment,
)
from invoicing.queries.claims import balances, claim_of, open_invoices
from invoicing.services.claims import lock_invoices, store_claim

# The place in its series that an invoice without a number yet counts as having.
AFTER_ALL_STORED: Final = 2**62


def add_balance(
    *,
    bill_group: BillGroup,
    amount: Decimal,
    today: date,
    actor: AbstractBaseUser | None,
    credit_note: CreditNote | None = None,
    payment: Payment | None = None,
    issued_with: Collection[int] = (),
) -> BalanceEntry:
    """Add balance from one source and use it at once for what is due (M4).

    `issued_with` as for `apply_balance`.
    """
    entry = BalanceEntry.objects.create(
        bill_group=bill_group,
        currency=bill_group.currency,
        amount=amount,
        arose_on=today,
        credit_note=credit_note,
        payment=payment,
    )
    apply_balance(
        bill_group=bill_group, today=today, actor=actor, issued_with=issued_with
    )
    entry.refresh_from_db()
    return entry


def apply_balance(
    *,
    bill_group: BillGroup,
    today: date,
    actor: AbstractBaseUser | None,
    issued_with: Collection[int] = (),
) -> tuple[BalanceUse, ...]:
    """Use what is left of a bill group's balance for its open invoices (M4).

    `issued_with` are ids of invoices that this transaction issues: their papers will
    say what is used for them here (M3).
    """
    entries = {
        entry.pk: entry
        for entry in BalanceEntry.objects.filter(bill_group=bill_group, left__gt=0)
    }
    if not entries:
        return ()
    invoices = lock_invoices(
        Invoice.objects.filter(
            bill_group=bill_group, status=InvoiceStatus.OPEN
        ).values_list("pk", flat=True)
    )
    uses = use_balance(balances(entries.values()), open_invoices(invoices.values()))
    for use in uses:
        _move(entries[use.entry_id], invoices[use.invoice_id], use.amount)
    _record(bill_group, invoices, uses, actor)
    return tuple(
        BalanceUse.objects.bulk_create(
            BalanceUse(
                entry_id=use.entry_id,
                invoice_id=use.invoice_id,
                amount=use.amount,
                used_on=today,
                at_issue=use.invoice_id in issued_with,
            )
            for use in uses
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoice:
    """An invoice that is issued in this transaction and not inserted yet."""

    invoice_id: int
    bill_group_id: int
    due_date: date
    total: Decimal


def use_at_issue(
    new: Sequence[NewInvoice], *, today: date, actor: AbstractBaseUser | None
) -> dict[int, Decimal]:
    """Use balance for invoices about to be inserted; returns what each gets (M4).

    Oldest due first, together with what else is open. The caller names those whose bill
    group has balance, which are few, and inserts them with the result.
    """
    of_group: defaultdict[int, list[NewInvoice]] = defaultdict(list)
    for invoice in new:
        of_group[invoice.bill_group_id].append(invoice)
    entries: defaultdict[int, list[BalanceEntry]] = defaultdict(list)
    for entry in BalanceEntry.objects.filter(
        bill_group__in=list(of_group), left__gt=0
    ).order_by("pk"):
        entries[entry.bill_group_id].append(entry)
    applied: defaultdict[int, Decimal] = defaultdict(Decimal)
    new_ids = {invoice.invoice_id for invoice in new}
    for group_id in sorted(entries):
        uses = _use_for(entries[group_id], of_group[group_id], actor=actor)
        BalanceUse.objects.bulk_create(
            BalanceUse(
                entry_id=use.entry_id,
                invoice_id=use.invoice_id,
                amount=use.amount,
                used_on=today,
                at_issue=use.invoice_id in new_ids,
            )
            for use in uses
        )
        for use in uses:
            applied[use.invoice_id] += use.amount
    return applied


def _use_for(
    entries: Sequence[BalanceEntry],
    new: Sequence[NewInvoice],
    *,
    actor: AbstractBaseUser | None,
) -> tuple[Use, ...]:
    group = BillGroup.objects.get(pk=new[0].bill_group_id)
    stored = lock_invoices(
        Invoice.objects.filter(bill_group=group, status=InvoiceStatus.OPEN).values_list(
            "pk", flat=True
        )
    )
    uses = use_balance(
        balances(entries),
        [*open_invoices(stored.values()), *_as_open(new)],
    )
    by_id = {entry.pk: entry for entry in entries}
    for use in uses:
        if use.invoice_id in stored:
            _move(by_id[use.entry_id], stored[use.invoice_id], use.amount)
        else:
            _take(by_id[use.entry_id], use.amount)
    _record(group, stored, [use for use in uses if use.invoice_id in stored], actor)
    _record_new(group, new, uses, actor)
    return uses


def _as_open(new: Sequence[NewInvoice]) -> list[OpenInvoice]:
    return [
        OpenInvoice(
            invoice_id=invoice.invoice_id,
            due_date=invoice.due_date,
            sequence=AFTER_ALL_STORED + position,
            due=invoice.total,
        )
        for position, invoice in enumerate(new)
    ]


def withdraw(
    entry: BalanceEntry,
    amount: Decimal,
    *,
    today: date,
    payment: Payment | None = None,
) -> None:
    """Take away what is left of a balance, with its source.

    `payment` is the one whose taking back takes it. The database refuses more than is
    left.
    """
    if not amount:
        return
    BalanceWithdrawal.objects.create(
        entry=entry, amount=amount, withdrawn_on=today, payment=payment
    )
    BalanceEntry.objects.filter(pk=entry.pk).update(withdrawn=F("withdrawn") + amount)
    entry.refresh_from_db()


def _take(entry: BalanceEntry, amount: Decimal) -> None:
    entry.used += amount
    entry.save(update_fields=["used"])


def _move(entry: BalanceEntry, invoice: Invoice, amount: Decimal) -> None:
    _take(entry, amount)
    claim = claim_of(invoice)
    applied = claim.balance_applied + amount
    store_claim(invoice, replace(claim, balance_applied=applied))


def _record(
    bill_group: BillGroup,
    invoices: Mapping[int, Invoice],
    uses: Sequence[Use],
    actor: AbstractBaseUser | None,
) -> None:
    for use in uses:
        invoice = invoices[use.invoice_id]
        _record_use(bill_group, use, actor, subject=str(invoice), status=invoice.status)


def _record_new(
    bill_group: BillGroup,
    new: Sequence[NewInvoice],
    uses: Sequence[Use],
    actor: AbstractBaseUser | None,
) -> None:
    due = {invoice.invoice_id: invoice.total for invoice in new}
    for use in uses:
        if use.invoice_id not in due:
            continue
        due[use.invoice_id] -= use.amount
        _record_use(
            bill_group,
            use,
            actor,
            subject=bill_group.public_id,
            status=status_at_issue(due[use.invoice_id]).value,
        )


def _record_use(
    bill_group: BillGroup,
    use: Use,
    actor: AbstractBaseUser | None,
    *,
    subject: str,
    status: str,
) -> None:
    record(
        "invoice.balance_applied",
        actor=actor,
        subject=subject,
        account_id=bill_group.account_id,
        bill_group_id=bill_group.pk,
        invoice_id=use.invoice_id,
        after={
            "amount": str(round_money(use.amount, bill_group.currency)),
            "currency": bill_group.currency,
            "status": status,
        },
    )
