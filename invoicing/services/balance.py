"""The credit balance of bill groups: it arises, is used by itself, is withdrawn (M4).

The caller holds the lock of the bill group, under which all of its balance changes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F

from billing.models import BillGroup
from billing.services.audit import record
from invoicing.domain.allocation import BalanceUse as Use
from invoicing.domain.allocation import use_balance
from invoicing.domain.states import InvoiceStatus
from invoicing.models import (
    BalanceEntry,
    BalanceUse,
    CreditNote,
    Invoice,
    Payment,
)
from invoicing.queries.claims import balances, claim_of, open_invoices
from invoicing.services.claims import lock_invoices, store_claim


def add_balance(
    *,
    bill_group: BillGroup,
    amount: Decimal,
    today: date,
    actor: AbstractBaseUser | None,
    credit_note: CreditNote | None = None,
    payment: Payment | None = None,
) -> BalanceEntry:
    """Add balance from one source and use it at once for what is due (M4)."""
    entry = BalanceEntry.objects.create(
        bill_group=bill_group,
        currency=bill_group.currency,
        amount=amount,
        arose_on=today,
        credit_note=credit_note,
        payment=payment,
    )
    apply_balance(bill_group=bill_group, today=today, actor=actor)
    entry.refresh_from_db()
    return entry


def apply_balance(
    *, bill_group: BillGroup, today: date, actor: AbstractBaseUser | None
) -> tuple[BalanceUse, ...]:
    """Use what is left of a bill group's balance for its open invoices (M4)."""
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
            )
            for use in uses
        )
    )


def withdraw(entry: BalanceEntry, amount: Decimal) -> None:
    """Take away what is left of a balance, with its source.

    The database refuses more than is left.
    """
    BalanceEntry.objects.filter(pk=entry.pk).update(withdrawn=F("withdrawn") + amount)
    entry.refresh_from_db()


def _move(entry: BalanceEntry, invoice: Invoice, amount: Decimal) -> None:
    entry.used += amount
    entry.save(update_fields=["used"])
    claim = claim_of(invoice)
    applied = claim.balance_applied + amount
    store_claim(invoice, replace(claim, balance_applied=applied))


def _record(
    bill_group: BillGroup,
    invoices: dict[int, Invoice],
    uses: Sequence[Use],
    actor: AbstractBaseUser | None,
) -> None:
    for use in uses:
        invoice = invoices[use.invoice_id]
        record(
            "invoice.balance_applied",
            actor=actor,
            subject=str(invoice),
            account_id=bill_group.account_id,
            bill_group_id=bill_group.pk,
            invoice_id=invoice.pk,
            after={
                "amount": str(use.amount),
                "currency": invoice.currency,
                "status": invoice.status,
            },
        )
