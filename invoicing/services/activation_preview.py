"""What activating a contract will do: it is done, looked at, and undone.

Nothing else would be as true; the locks are held for as long as it takes to plan.
"""

from dataclasses import dataclass
from datetime import date

from django.db import transaction

from contracts.models import Contract, ScheduledCharge
from invoicing.models import Invoice, InvoiceLine
from invoicing.services.lifecycle import activate_contract


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstInvoice:
    """An invoice or draft that is made at once, with its lines."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationPreview:
    """The charges of the plan in order of their bill dates, and first invoices."""

    charges: tuple[ScheduledCharge, ...]
    first_invoices: tuple[FirstInvoice, ...]


def preview_activation(*, contract: Contract, today: date) -> ActivationPreview:
    """Return what `activate_contract` would do today; writes nothing (G5, G6, G8).

    Raises what it would raise.
    """
    with transaction.atomic():
        activation = activate_contract(contract=contract, actor=None, today=today)
        preview = ActivationPreview(
            charges=tuple(
                ScheduledCharge.objects.filter(contract=contract)
                .select_related("contract_line__product")
                .order_by("bill_date", "contract_line__position", "period_start")
            ),
            first_invoices=tuple(
                FirstInvoice(
                    invoice=invoice,
                    lines=tuple(invoice.lines.order_by("position")),
                )
                for invoice in activation.invoices
            ),
        )
        transaction.set_rollback(True)
    return preview
