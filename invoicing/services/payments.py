"""Record payments (M4).

They pay what is due oldest first, or as chosen; what is left goes to the balance.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.domain.dates import day_text
from billing.domain.money import currency_digits, round_money
from billing.models import BillGroup
from billing.services.audit import actor_fields, record
from invoicing.domain.allocation import Allocation, allocate, allocate_as_chosen
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice, Payment, PaymentAllocation
from invoicing.queries.claims import claim_of, open_invoices
from invoicing.services.balance import add_balance
from invoicing.services.claims import lock_invoices, store_claim
from invoicing.services.locks import limit_lock_waits, lock_bill_groups

MOST = Decimal(10) ** 15


class NotAPayment(ValueError):
    """An amount or a day that no payment can have."""


class RecordedBefore(ValueError):
    """A payment of the same amount, day and reference was recorded before."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(
            f"A payment of {payment.amount} {payment.currency} received on "
            f"{day_text(payment.received_on)} with the reference "
            f"“{payment.reference}” was recorded already."
        )


@transaction.atomic
def record_payment(
    *,
    bill_group: BillGroup,
    amount: Decimal,
    received_on: date,
    reference: str,
    actor: AbstractBaseUser | None,
    today: date,
    chosen: Mapping[int, Decimal] | None = None,
) -> Payment:
    """Record what a customer paid; `chosen` are amounts by invoice id (M4).

    Raises `NotAPayment`, `RecordedBefore` and `NotAllocatable`.
    """
    amount = checked_amount(amount, bill_group.currency, received_on, today=today)
    limit_lock_waits()
    lock_bill_groups([bill_group.pk])
    refuse_second(bill_group, amount, received_on, reference)
    payment = Payment(
        bill_group=bill_group,
        currency=bill_group.currency,
        amount=amount,
        received_on=received_on,
        reference=reference.strip(),
        recorded_by_name=actor_fields(actor)["actor_name"],
    )
    invoices = lock_invoices(
        Invoice.objects.filter(
            bill_group=bill_group, status=InvoiceStatus.OPEN
        ).values_list("pk", flat=True)
    )
    due = open_invoices(invoices.values())
    if chosen is None:
        divided = allocate(amount, due)
    else:
        divided = allocate_as_chosen(amount, chosen, due)
    payment.save()
    for part in divided.allocations:
        _pay(payment, invoices[part.invoice_id], part, today=today)
    _record(payment, invoices, divided.allocations, actor)
    if divided.left:
        add_balance(
            bill_group=bill_group,
            amount=divided.left,
            today=today,
            actor=actor,
            payment=payment,
        )
    return payment


def checked_amount(
    amount: Decimal, currency: str, received_on: date, *, today: date
) -> Decimal:
    """Return an amount in its currency's digits; raises `NotAPayment`."""
    if not amount.is_finite() or amount <= 0 or amount >= MOST:
        raise NotAPayment("A payment is more than zero. Enter what was paid.")
    if round_money(amount, currency) != amount:
        raise NotAPayment(
            f"{amount} has more digits than {currency}, which has "
            f"{currency_digits(currency)}."
        )
    if received_on > today:
        raise NotAPayment(
            f"{day_text(received_on)} has not come yet. Enter the day the money came."
        )
    return round_money(amount, currency)


def refuse_second(
    bill_group: BillGroup, amount: Decimal, received_on: date, reference: str
) -> None:
    """Raise `RecordedBefore` for what was recorded, told by its reference."""
    if not reference.strip():
        return
    before = Payment.objects.filter(
        bill_group=bill_group,
        received_on=received_on,
        amount=amount,
        reference=reference.strip(),
        taken_back_on=None,
    ).first()
    if before is not None:
        raise RecordedBefore(before)


def _pay(payment: Payment, invoice: Invoice, part: Allocation, *, today: date) -> None:
    PaymentAllocation.objects.create(
        payment=payment, invoice=invoice, amount=part.amount, allocated_on=today
    )
    claim = claim_of(invoice)
    store_claim(invoice, replace(claim, paid=claim.paid + part.amount))


def _record(
    payment: Payment,
    invoices: Mapping[int, Invoice],
    allocations: tuple[Allocation, ...],
    actor: AbstractBaseUser | None,
) -> None:
    """Write one entry for the payment, and one for each invoice that it pays (M5)."""
    account_id = payment.bill_group.account_id
    record(
        "payment.recorded",
        actor=actor,
        subject=payment.bill_group.public_id,
        account_id=account_id,
        bill_group_id=payment.bill_group_id,
        after={
            "amount": str(payment.amount),
            "currency": payment.currency,
            "received_on": payment.received_on.isoformat(),
            "reference": payment.reference,
            "payment": payment.pk,
        },
    )
    for part in allocations:
        invoice = invoices[part.invoice_id]
        record(
            "invoice.paid" if invoice.status == "PAID" else "invoice.part_paid",
            actor=actor,
            subject=str(invoice),
            account_id=account_id,
            bill_group_id=payment.bill_group_id,
            invoice_id=invoice.pk,
            after={
                "amount": str(part.amount),
                "currency": invoice.currency,
                "status": invoice.status,
                "payment": payment.pk,
            },
        )
