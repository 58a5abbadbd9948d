"""The run's results as JSON and text: billed, or would be, held, at zero, parked."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from billing.models import public_id
from invoicing.domain.document import DocumentLine
from invoicing.domain.eligibility import Outcome
from invoicing.domain.states import InvoiceStatus
from invoicing.domain.totals import due_date, status_at_issue
from invoicing.management.output import money, number
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries.zeros import BilledAtZero
from invoicing.services.assessment import Assessment

HELD_FOR_REVIEW: Final = "G14"


def billed_invoice(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice that a run made."""
    currency = invoice.currency
    return {
        "number": invoice.number,
        "status": invoice.status,
        "account": invoice.account.number,
        "bill_group": invoice.bill_group.public_id,
        "bill_date": _iso(invoice.bill_date),
        "issue_date": _iso(invoice.issue_date),
        "due_date": _iso(invoice.due_date),
        "currency": currency,
        "subtotal": money(invoice.subtotal, currency),
        "tax": money(invoice.tax, currency),
        "total": money(invoice.total, currency),
        "lines": [_billed_line(line, currency) for line in invoice.lines.all()],
    }


def _billed_line(line: InvoiceLine, currency: str) -> dict[str, Any]:
    return {
        "contract": line.contract_number,
        "product": line.product_name,
        "period_start": _iso(line.period_start),
        "period_end": _iso(line.period_end),
        "quantity": number(line.quantity),
        "unit_price": number(line.unit_price),
        "amount": money(line.amount, currency),
    }


def assessed_invoice(assessment: Assessment, *, issue_date: date) -> dict[str, Any]:
    """Return an invoice that a run would make; it has no number yet."""
    group, document = assessment.group, assessment.document
    totals, currency = document.totals, document.currency
    issued_on, due_on, status = None, None, InvoiceStatus.DRAFT
    if not assessment.decision.draft:
        issued_on = issue_date
        due_on = due_date(issue_date, assessment.bill_date, group.net_terms)
        status = status_at_issue(totals.total)
    return {
        "number": None,
        "status": status.value,
        "account": group.account_number,
        "bill_group": public_id(group.bill_group_id),
        "bill_date": _iso(assessment.bill_date),
        "issue_date": _iso(issued_on),
        "due_date": _iso(due_on),
        "currency": currency,
        "subtotal": money(totals.subtotal, currency),
        "tax": money(totals.tax, currency),
        "total": money(totals.total, currency),
        "lines": [_assessed_line(line, currency) for line in document.lines],
    }


def _assessed_line(line: DocumentLine, currency: str) -> dict[str, Any]:
    return {
        "contract": line.charge.contract_number,
        "product": line.charge.product_name,
        "period_start": _iso(line.charge.period_start),
        "period_end": _iso(line.charge.period_end),
        "quantity": number(line.quantity),
        "unit_price": number(line.charge.unit_price),
        "amount": money(line.amount, currency),
    }


def held_decision(assessment: Assessment) -> dict[str, Any]:
    """Return what is due and held, as a draft or without one, and by which rule."""
    return {
        "bill_group": public_id(assessment.group.bill_group_id),
        "bill_date": _iso(assessment.bill_date),
        "rule": assessment.decision.rule,
        "sentence": assessment.decision.sentence,
    }


def held_draft(draft: Invoice) -> dict[str, Any]:
    """Return a draft that the safety bounds hold for review (G14)."""
    return {
        "bill_group": public_id(draft.bill_group_id),
        "bill_date": _iso(draft.bill_date),
        "rule": HELD_FOR_REVIEW,
        "sentence": draft.held_reason,
    }


def held_line(held: Mapping[str, Any]) -> str:
    """Return what is held as a line of text."""
    word = "Held for review" if held["rule"] == HELD_FOR_REVIEW else "Held"
    return "{} {bill_group}, bill date {bill_date}: {sentence}".format(word, **held)


def zero_of(assessment: Assessment) -> BilledAtZero | None:
    """Return what a run would mark invoiced at zero; None: nothing (G10)."""
    document, decision = assessment.document, assessment.decision
    is_zero = decision.outcome is Outcome.ZERO
    if not is_zero and not (decision.generate and document.zero_charges):
        return None
    return BilledAtZero(
        bill_group_id=assessment.group.bill_group_id,
        bill_date=assessment.bill_date,
        beside_document=None if is_zero else len(document.zero_charges),
    )


def zero_line(zero: BilledAtZero) -> str:
    """Return what is marked invoiced at zero as a line of text (G10)."""
    what = "all of it, without a document"
    if (count := zero.beside_document) is not None:
        what = f"{count} {'charge' if count == 1 else 'charges'} beside its document"
    where = f"{public_id(zero.bill_group_id)}, bill date {zero.bill_date}"
    return f"Invoiced at zero {where}: {what}."


def parked_group(bill_group_id: int, reason: str) -> dict[str, Any]:
    """Return a bill group that was set aside, and why."""
    return {"bill_group": public_id(bill_group_id), "reason": reason}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
