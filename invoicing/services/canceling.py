"""What a cancellation does to documents: drafts rebuilt, unused days credited (S1)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.contrib.auth.models import AbstractBaseUser

from contracts.domain.reconcile import Difference, reconcile
from contracts.domain.schedule import plan
from contracts.domain.terms import ChargeState
from contracts.models import Contract, ScheduledCharge
from contracts.queries import stored_charges, terms_of
from invoicing.domain.states import CreditReason, InvoiceStatus
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.queries.claims import creditable_of
from invoicing.services.credits import credit_invoice


class Unused(StrEnum):
    """What becomes of the unused days of an issued charge (S1)."""

    NOTHING = "NOTHING"
    DAYS = "DAYS"
    ALL = "ALL"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedCharge:
    """A charge with days after the last day of service, and what they come to.

    `unused_amount` is None for usage: it is not sold by days.
    """

    charge: ScheduledCharge
    invoice: Invoice | None
    unused_amount: Decimal | None


def unused_charges(contract: Contract, *, today: date) -> tuple[UnusedCharge, ...]:
    """Return the fixed charges with days after a contract's last day of service (S1).

    They are on drafts, on issued invoices or billed elsewhere.
    """
    stored = stored_charges([contract.pk]).get(contract.pk, [])
    horizon = max([today, *(charge.bill_date for charge in stored)])
    differing = {
        one.charge_id: one
        for one in reconcile(plan(terms_of(contract), today=horizon), stored).differing
    }
    last_day = contract.last_day
    charges = (
        ScheduledCharge.objects.filter(pk__in=differing, period_end__gt=last_day)
        .select_related("contract_line__product", "invoice_line__invoice")
        .order_by("period_start", "pk")
    )
    return tuple(
        UnusedCharge(
            charge=charge,
            invoice=_invoice_of(charge),
            unused_amount=_unused(differing[charge.pk]),
        )
        for charge in charges
    )


def _invoice_of(charge: ScheduledCharge) -> Invoice | None:
    line: InvoiceLine | None = getattr(charge, "invoice_line", None)
    return line.invoice if line else None


def _unused(difference: Difference) -> Decimal | None:
    if difference.stored_amount is None or difference.planned_amount is None:
        return None
    return difference.stored_amount - difference.planned_amount


def drafts_among(charges: tuple[UnusedCharge, ...]) -> set[int]:
    """Return the drafts that have to be rebuilt."""
    return {
        one.invoice.pk
        for one in charges
        if one.invoice and one.invoice.status == InvoiceStatus.DRAFT
    }


def drafts_of(contract: Contract) -> set[int]:
    """Return the drafts with a charge of a contract."""
    drafts = Invoice.objects.filter(
        status=InvoiceStatus.DRAFT, lines__charge__contract=contract
    )
    return set(drafts.values_list("pk", flat=True))


def credit_unused(
    charges: tuple[UnusedCharge, ...],
    choices: Mapping[int, Unused],
    *,
    reason: str,
    actor: AbstractBaseUser | None,
    today: date,
) -> tuple[CreditNote, ...]:
    """Credit issued charges as chosen by charge id, a credit note an invoice (S1, P5).

    What was credited of a line before is not credited again.
    """
    by_invoice: defaultdict[int, dict[int, Decimal]] = defaultdict(dict)
    invoices: dict[int, Invoice] = {}
    for one in charges:
        choice = choices.get(one.charge.pk, Unused.NOTHING)
        if one.charge.state != ChargeState.INVOICED or one.invoice is None:
            continue
        if choice is Unused.NOTHING:
            continue
        line = one.charge.invoice_line
        wanted = line.amount
        if choice is Unused.DAYS and one.unused_amount is not None:
            wanted = one.unused_amount
        invoices[one.invoice.pk] = one.invoice
        by_invoice[one.invoice.pk][line.pk] = wanted
    notes = []
    for invoice_id, amounts in sorted(by_invoice.items()):
        left = {
            line.line_id: line.left
            for line in creditable_of(invoices[invoice_id]).lines
        }
        lines = {
            line_id: min(amount, left[line_id])
            for line_id, amount in amounts.items()
            if min(amount, left[line_id]) > 0
        }
        if lines:
            notes.append(
                credit_invoice(
                    invoice=invoices[invoice_id],
                    reason=reason,
                    actor=actor,
                    today=today,
                    lines=lines,
                    reason_code=CreditReason.CANCELLATION,
                )
            )
    return tuple(notes)
