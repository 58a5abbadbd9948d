"""Which documents an amendment changes, and what it comes to (A1-A3)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from contracts.domain.rating import rate
from contracts.domain.reconcile import reconcile
from contracts.domain.schedule import plan
from contracts.domain.terms import LIVE_STATES, ChargeState, ContractTerms
from contracts.models import Contract, ScheduledCharge
from contracts.queries import stored_charges, usage_of_charges
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.services.replacements import ON_DOCUMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideDifference:
    """A charge billed elsewhere that the new terms bill otherwise (A3)."""

    charge: ScheduledCharge
    planned_amount: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """What the new terms bill more, or less; None for usage."""
        if self.planned_amount is None or self.charge.amount is None:
            return None
        return self.planned_amount - self.charge.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDocuments:
    """What an amendment changes: documents to correct, and what stays as it is.

    `left_credited` are invoices credited in full and not chosen; `outside` was billed
    elsewhere and can't be corrected here.
    """

    invoice_ids: frozenset[int]
    left_credited: tuple[Invoice, ...]
    outside: tuple[OutsideDifference, ...]


def changed_documents(
    contract: Contract,
    terms: ContractTerms,
    *,
    today: date,
    replace_credited: Collection[int] = (),
) -> ChangedDocuments:
    """Return the documents with a charge that the terms bill otherwise (A2, A3).

    Invoices credited in full are left alone unless their ids are in `replace_credited`.
    """
    stored = stored_charges([contract.pk]).get(contract.pk, [])
    horizon = max([today, *(charge.bill_date for charge in stored)])
    differing = reconcile(plan(terms, today=horizon), stored).differing
    by_charge = {one.charge_id: one for one in differing}
    charges = ScheduledCharge.objects.filter(pk__in=by_charge)
    outside = tuple(
        OutsideDifference(
            charge=charge, planned_amount=by_charge[charge.pk].planned_amount
        )
        for charge in charges.filter(state=ChargeState.EXTERNAL)
        .select_related("contract_line__product")
        .order_by("period_start", "pk")
    )
    changed = {*by_charge, *_rated_otherwise(contract)}
    documents = (
        Invoice.objects.filter(
            lines__charge__in=changed, lines__charge__state__in=ON_DOCUMENT
        )
        .exclude(status=InvoiceStatus.VOID)
        .distinct()
    )
    left_alone = documents.filter(status=InvoiceStatus.CREDITED).exclude(
        pk__in=replace_credited
    )
    kept = tuple(left_alone.order_by("bill_date", "pk"))
    ids = set(documents.values_list("pk", flat=True))
    return ChangedDocuments(
        invoice_ids=frozenset(ids - {invoice.pk for invoice in kept}),
        left_credited=kept,
        outside=outside,
    )


def _rated_otherwise(contract: Contract) -> set[int]:
    """Return the usage charges on documents that rating anew bills otherwise (P9)."""
    usage = ScheduledCharge.objects.filter(
        contract=contract, state__in=LIVE_STATES, unit_price__isnull=True
    )
    billed: dict[int, Decimal] = {
        pk: amount or Decimal(0)
        for pk, amount in usage.filter(
            state__in=ON_DOCUMENT, late_for=None
        ).values_list("pk", "amount")
    }
    if not billed:
        return set()
    for late in usage.filter(late_for__in=billed):
        billed[late.late_for_id or 0] += late.amount or Decimal(0)
    return {
        charge_id
        for charge_id, (quantity, tariff) in usage_of_charges(billed).items()
        if rate(tariff, quantity, contract.bill_group.currency).amount
        != billed[charge_id]
    }


def contract_value(charges: Iterable[ScheduledCharge]) -> Decimal:
    """Return what charges bill; usage that is not rated counts nothing."""
    return sum((charge.amount or Decimal(0) for charge in charges), Decimal(0))
