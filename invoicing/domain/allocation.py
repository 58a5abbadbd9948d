"""Which invoices a payment pays, and which balance an invoice uses (M4).

By itself money goes to what is due first, and never to a superseded invoice: its
replacement claims the same service. Balance that a credit gave back goes to the
replacement of the credited invoice before anything else; the oldest is used first.
Amounts are of one bill group, in its currency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice:
    """An issued invoice with something due."""

    invoice_id: int
    due_date: date
    sequence: int
    due: Decimal
    is_superseded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What of a payment goes to an invoice."""

    invoice_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """A payment, divided; what no invoice takes goes to the balance."""

    allocations: tuple[Allocation, ...]
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Credit balance from one source, with the invoice that it is meant for, if any.

    `for_invoice_id` replaces the invoice whose credit left the balance.
    """

    entry_id: int
    left: Decimal
    for_invoice_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceUse:
    """What of a balance an invoice uses."""

    entry_id: int
    invoice_id: int
    amount: Decimal


class NotAllocatable(ValueError):
    """A choice of invoices that a payment can't be divided among."""


def allocate(amount: Decimal, invoices: Sequence[OpenInvoice]) -> Allocated:
    """Divide a payment among invoices by itself, oldest due first.

    >>> from datetime import date
    >>> new, old = (
    ...     OpenInvoice(invoice_id=number, due_date=due, sequence=number,
    ...                 due=Decimal(10))
    ...     for number, due in [(2, date(2026, 3, 1)), (1, date(2026, 2, 1))])
    >>> divided = allocate(Decimal(25), [new, old])
    >>> [part.invoice_id for part in divided.allocations], divided.left
    ([1, 2], Decimal('5'))
    """
    left = amount
    allocations = []
    for invoice in _oldest_due_first(invoices):
        if not left:
            break
        part = min(left, invoice.due)
        allocations.append(Allocation(invoice_id=invoice.invoice_id, amount=part))
        left -= part
    return Allocated(allocations=tuple(allocations), left=left)


def allocate_as_chosen(
    amount: Decimal, chosen: Mapping[int, Decimal], invoices: Sequence[OpenInvoice]
) -> Allocated:
    """Divide a payment as someone chose, by invoice id; superseded ones are allowed.

    Raises `NotAllocatable` for an invoice with nothing due, for an amount that is not
    positive or more than its due, and for more than the payment in all.
    """
    due = {invoice.invoice_id: invoice.due for invoice in invoices}
    for invoice_id, part in chosen.items():
        if invoice_id not in due:
            raise NotAllocatable("A chosen invoice has nothing due.")
        if not part.is_finite() or part <= 0:
            raise NotAllocatable("Each chosen amount is more than zero.")
        if part > due[invoice_id]:
            raise NotAllocatable(
                f"Only {due[invoice_id]} is due there, not {part}. What is left over "
                "goes to the credit balance."
            )
    in_all = sum(chosen.values(), _ZERO)
    if in_all > amount:
        raise NotAllocatable(f"The payment is {amount}; the choice comes to {in_all}.")
    return Allocated(
        allocations=tuple(
            Allocation(invoice_id=invoice_id, amount=part)
            for invoice_id, part in chosen.items()
        ),
        left=amount - in_all,
    )


def divide(
    amount: Decimal,
    invoices: Sequence[OpenInvoice],
    *,
    chosen: Mapping[int, Decimal] | None = None,
) -> tuple[Allocated, Allocated]:
    """Return what a payment pays, and what its balance pays at once, as a preview.

    The second is of what the first leaves; what that leaves stays as balance. Raises
    `NotAllocatable`.

    >>> from datetime import date
    >>> one, two = (
    ...     OpenInvoice(invoice_id=number, due_date=date(2026, 3, number),
    ...                 sequence=number, due=Decimal(10)) for number in (1, 2))
    >>> paid, used = divide(Decimal(25), [one, two], chosen={2: Decimal(10)})
    >>> [part.invoice_id for part in used.allocations], used.left
    ([1], Decimal('5'))
    """
    if chosen is None:
        paid = allocate(amount, invoices)
    else:
        paid = allocate_as_chosen(amount, chosen, invoices)
    return paid, allocate(paid.left, after_payment(invoices, paid))


def after_payment(
    invoices: Sequence[OpenInvoice], paid: Allocated
) -> tuple[OpenInvoice, ...]:
    """Return the invoices with what is still due once a payment was divided."""
    parts = {part.invoice_id: part.amount for part in paid.allocations}
    left = (
        replace(invoice, due=invoice.due - parts.get(invoice.invoice_id, _ZERO))
        for invoice in invoices
    )
    return tuple(invoice for invoice in left if invoice.due)


def use_balance(
    balances: Sequence[Balance], invoices: Sequence[OpenInvoice]
) -> tuple[BalanceUse, ...]:
    """Apply balances, given oldest first, to what is due.

    >>> from datetime import date
    >>> replacement = OpenInvoice(invoice_id=2, due_date=date(2026, 3, 1), sequence=2,
    ...                           due=Decimal(10))
    >>> older = OpenInvoice(invoice_id=1, due_date=date(2026, 2, 1), sequence=1,
    ...                     due=Decimal(10))
    >>> credit = Balance(entry_id=7, left=Decimal(15), for_invoice_id=2)
    >>> [(use.invoice_id, str(use.amount))
    ...  for use in use_balance([credit], [older, replacement])]
    [(2, '10'), (1, '5')]
    """
    due = {invoice.invoice_id: invoice.due for invoice in _oldest_due_first(invoices)}
    left = {balance.entry_id: balance.left for balance in balances}
    pairs = [
        (balance.entry_id, balance.for_invoice_id)
        for balance in balances
        if balance.for_invoice_id is not None and balance.for_invoice_id in due
    ]
    pairs += [(entry_id, invoice_id) for invoice_id in due for entry_id in left]
    used: dict[tuple[int, int], Decimal] = {}
    for entry_id, invoice_id in pairs:
        part = min(left[entry_id], due[invoice_id])
        if part:
            left[entry_id] -= part
            due[invoice_id] -= part
            key = (entry_id, invoice_id)
            used[key] = used.get(key, _ZERO) + part
    return tuple(
        BalanceUse(entry_id=entry_id, invoice_id=invoice_id, amount=amount)
        for (entry_id, invoice_id), amount in used.items()
    )


def _oldest_due_first(invoices: Sequence[OpenInvoice]) -> list[OpenInvoice]:
    return sorted(
        (invoice for invoice in invoices if not invoice.is_superseded),
        key=lambda invoice: (invoice.due_date, invoice.sequence, invoice.invoice_id),
    )
