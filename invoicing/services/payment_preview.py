"""What a payment would do, before anyone confirms it (M4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.models import BillGroup
from invoicing.domain.allocation import divide
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.claims import open_invoices
from invoicing.services.payments import checked_amount, refuse_second


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidInvoice:
    """An invoice that a payment pays, itself or through the balance it leaves."""

    invoice: Invoice
    due: Decimal
    paid: Decimal
    from_balance: Decimal

    @property
    def still_due(self) -> Decimal:
        """What is due after it."""
        return self.due - self.paid - self.from_balance


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPreview:
    """A payment, divided; amounts in the bill group's currency.

    `due` is what is due now on all invoices of the bill group, `left` what stays as
    credit balance.
    """

    amount: Decimal
    due: Decimal
    paid: tuple[PaidInvoice, ...]
    left: Decimal


def preview_payment(
    *,
    bill_group: BillGroup,
    amount: Decimal,
    received_on: date,
    reference: str,
    today: date,
    chosen: Mapping[int, Decimal] | None = None,
) -> PaymentPreview:
    """Return which invoices a payment pays, oldest due first or as chosen.

    Raises `NotAPayment`, `RecordedBefore` and `NotAllocatable`.
    """
    amount = checked_amount(amount, bill_group.currency, received_on, today=today)
    refuse_second(bill_group, amount, received_on, reference)
    invoices = {
        invoice.pk: invoice
        for invoice in Invoice.objects.filter(
            bill_group=bill_group, status=InvoiceStatus.OPEN
        )
    }
    due = open_invoices(invoices.values())
    payment, balance = divide(amount, due, chosen=chosen)
    paid = {part.invoice_id: part.amount for part in payment.allocations}
    used = {part.invoice_id: part.amount for part in balance.allocations}
    zero = Decimal(0)
    return PaymentPreview(
        amount=amount,
        due=sum((invoice.due for invoice in due), zero),
        paid=tuple(
            PaidInvoice(
                invoice=invoices[row.invoice_id],
                due=row.due,
                paid=paid.get(row.invoice_id, zero),
                from_balance=used.get(row.invoice_id, zero),
            )
            for row in sorted(due, key=lambda row: (row.due_date, row.sequence))
            if row.invoice_id in paid or row.invoice_id in used
        ),
        left=balance.left,
    )
