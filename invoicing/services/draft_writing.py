"""Write a draft of given charges: a replacement, or a draft that is rebuilt (A2, A3).

Sums and lines come from the same pure functions as those of the run.
"""

import json
from collections.abc import Collection
from typing import Any

from contracts.domain.terms import ChargeState
from contracts.queries import usage_of_charges
from invoicing.domain.document import Document, DocumentLine, compose
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries.paper_fields import read_paper_fields
from invoicing.queries.pending import (
    GroupProfile,
    charges_by_id,
    group_profiles,
    tax_steps,
)
from invoicing.services.papers import seller_of, tax_names, tax_rows, usage_parts
from invoicing.services.writing import mark_charges


class NothingToDraft(ValueError):
    """Charges that bill nothing were to become a draft."""


def write_draft(
    charge_ids: Collection[int],
    *,
    draft: Invoice | None = None,
    replaces: Invoice | None = None,
    own_bill_to: bool = True,
) -> Invoice:
    """Put pending charges on a draft: on `draft`, or on a new one for `replaces`.

    A new one has bill-to and PO number of the invoice it replaces, or with
    `own_bill_to` off those that the bill group has now; printed fields likewise.
    """
    charges = charges_by_id(charge_ids)
    like = draft or replaces
    if like is None or not charges:
        raise NothingToDraft("A draft is rebuilt, or replaces an invoice.")
    unrated = [charge.charge_id for charge in charges if charge.amount is None]
    rate_ids = {c.tax_rate_id for c in charges if c.tax_rate_id is not None}
    document = compose(
        charges,
        currency=like.currency,
        usage=usage_of_charges(unrated) if unrated else {},
        taxes=tax_steps(rate_ids) if rate_ids else {},
    )
    invoice = draft or _new(like, document, own_bill_to=own_bill_to)
    for name, value in _sums(document).items():
        setattr(invoice, name, value)
    invoice.save()
    InvoiceLine.objects.bulk_create(
        _line(invoice, line, position)
        for position, line in enumerate(document.lines, start=1)
    )
    mark_charges([(ChargeState.DRAFTED, document)])
    return invoice


def discard_empty(draft: Invoice) -> Invoice:
    """Throw a draft away that has no charges left (A2)."""
    draft.status = InvoiceStatus.VOID.value
    draft.save(update_fields=["status"])
    return draft


def _new(replaced: Invoice, document: Document, *, own_bill_to: bool) -> Invoice:
    (profile,) = group_profiles([replaced.bill_group_id]).values()
    return Invoice(
        legal_entity=replaced.legal_entity,
        account_id=replaced.account_id,
        bill_group_id=replaced.bill_group_id,
        status=InvoiceStatus.DRAFT.value,
        bill_date=replaced.bill_date,
        net_terms=replaced.net_terms,
        currency=replaced.currency,
        replaces=replaced,
        seller=seller_of(replaced.legal_entity),
        language=replaced.language,
        custom_fields=replaced.custom_fields,
        **_addressed(replaced, profile, document, own_bill_to=own_bill_to),
    )


def _addressed(
    replaced: Invoice, profile: GroupProfile, document: Document, *, own_bill_to: bool
) -> dict[str, Any]:
    if own_bill_to:
        revision = replaced.current_revision
        return {
            "bill_to": revision.bill_to if revision else replaced.bill_to,
            "po_number": replaced.po_number,
            "tax_id": replaced.tax_id,
            "printed_fields": replaced.printed_fields,
        }
    (printed,) = read_paper_fields([(replaced.bill_group_id, document)]).printed
    return {
        "bill_to": json.loads(profile.bill_to),
        "po_number": profile.po_number,
        "tax_id": profile.tax_id,
        "printed_fields": json.loads(printed),
    }


def _sums(document: Document) -> dict[str, Any]:
    names = tax_names((line.tax_percent, line.tax_name) for line in document.lines)
    return {
        "subtotal": document.totals.subtotal,
        "tax": document.totals.tax,
        "total": document.totals.total,
        "full_price_subtotal": document.full_price_subtotal,
        "taxes": tax_rows(document.totals.taxes, names),
    }


def _line(invoice: Invoice, line: DocumentLine, position: int) -> InvoiceLine:
    charge = line.charge
    return InvoiceLine(
        invoice=invoice,
        charge_id=charge.charge_id,
        position=position,
        contract_number=charge.contract_number,
        product_name=charge.product_name,
        description=charge.description,
        period_start=charge.period_start,
        period_end=charge.period_end,
        quantity=line.quantity,
        unit_price=charge.unit_price,
        discount_percent=charge.discount_percent,
        amount=line.amount,
        tax_name=line.tax_name,
        tax_percent=line.tax_percent,
        detail=usage_parts(line),
    )
