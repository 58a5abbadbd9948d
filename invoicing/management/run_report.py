"""The run's results as JSON: what was billed, what would be, held and parked."""

from datetime import date
from typing import Any

from billing.models import public_id
from invoicing.domain.document import DocumentLine
from invoicing.domain.states import InvoiceStatus
from invoicing.domain.totals import due_date, status_at_issue
from invoicing.management.output import money, number
from invoicing.models import Invoice, InvoiceLine
from invoicing.services.assessment import Assessment


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
    """Return a pending invoice that is due and held, and by which rule."""
    return {
        "bill_group": public_id(assessment.group.bill_group_id),
        "bill_date": _iso(assessment.bill_date),
        "rule": assessment.decision.rule,
        "sentence": assessment.decision.sentence,
    }


def parked_group(bill_group_id: int, reason: str) -> dict[str, Any]:
    """Return a bill group that was set aside, and why."""
    return {"bill_group": public_id(bill_group_id), "reason": reason}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
