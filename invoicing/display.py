"""How documents, pending invoices and runs are shown."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from billing.choices import BILL_GROUP_STATUSES, Badge
from billing.display import count_text, day_text
from invoicing.choices import DELIVERY_KINDS, DELIVERY_STATES, INVOICE_STATUSES
from invoicing.domain.eligibility import Decision, Outcome
from invoicing.domain.states import DeliveryKind, DeliveryState, InvoiceStatus
from invoicing.models import Delivery, Invoice
from invoicing.queries.calendar import Night, NightState

HELD: Final = Badge("Held for review", "wait")
SUPERSEDED: Final = Badge("Superseded", "wait")
SUPERSEDED_AND_CREDITED: Final = Badge("Superseded", "past")
REVIEW: Final = Badge("Draft to review", "pencil")
NOT_ISSUED_BECAUSE: Final = {
    "G1": (
        "Invoicing is manual in Settings",
        "Generate by hand on the Account Overview, or set it to automatic in Settings.",
    ),
    "G2": (
        "The bill group is not active",
        "Its charges stay pending. Set it to Active to bill them.",
    ),
    "G3": (
        "The bill group is invoiced by hand",
        "Generate the next invoice on the Account Overview, or set it to automatic.",
    ),
    "G4": (
        "Set back to Active, first invoice by hand",
        "Generate the next invoice on the Account Overview; then it goes on by itself.",
    ),
    "G10": (
        "Bills zero and has no quantity",
        "Marked invoiced, without a document. Later usage makes it pending again.",
    ),
    "G13": (
        "Parked before",
        "Mend the cause, then release the bill group under Parked.",
    ),
    "G14": (
        "Held for review",
        "Too many bill dates overdue, or far above the last one: a draft is held.",
    ),
    "G17": (
        "Settings ask for a review",
        "A draft is made. Review and issue it, one by one or together.",
    ),
}
NIGHT_STATES: Final = {
    NightState.RAN: Badge("Ran", "done"),
    NightState.RUNNING: Badge("Running", "ink"),
    NightState.STOPPED: Badge("Stopped", "stop"),
    NightState.MISSED: Badge("Missed", "stop"),
    NightState.HEALED: Badge("Healed", "wait"),
    NightState.COMING: Badge("To come", "pencil"),
    NightState.BEFORE: Badge("Before the first run", "past"),
}
_STOPPED_BY: Final = {
    "G1": Badge("By hand only", "past"),
    "G3": Badge("By hand only", "past"),
    "G4": Badge("Waits for Generate next", "wait"),
    "G13": Badge("Parked", "stop"),
}


def invoice_badge(invoice: Invoice, today: date) -> Badge:
    """Return the status of an invoice: held and overdue ones say so."""
    if invoice.status == InvoiceStatus.DRAFT:
        return HELD if invoice.held_reason else INVOICE_STATUSES.badge(invoice.status)
    if invoice.status != InvoiceStatus.OPEN:
        return INVOICE_STATUSES.badge(invoice.status)
    if invoice.due_date is not None and invoice.due_date < today:
        return Badge(f"Overdue {(today - invoice.due_date).days} d", "stop")
    if invoice.amount_due != invoice.total:
        return Badge("Part paid", "ink")
    return INVOICE_STATUSES.badge(invoice.status)


def superseded_badge(invoice: Invoice) -> Badge | None:
    """Return the mark beside the status of a superseded invoice; else None (A3).

    The invoice is one that was read `with_superseded`.
    """
    if not invoice.is_issued or not getattr(invoice, "is_superseded", False):
        return None
    if invoice.status == InvoiceStatus.CREDITED:
        return SUPERSEDED_AND_CREDITED
    return SUPERSEDED


def decision_badge(decision: Decision) -> Badge:
    """Return what will happen to a pending invoice, as the run decides."""
    match decision.outcome:
        case Outcome.DRAFT_HELD:
            return Badge("Will be held for review", "wait")
        case Outcome.DRAFT_FOR_REVIEW:
            return REVIEW
        case Outcome.ZERO:
            return Badge("Bills zero", "past")
        case Outcome.GENERATE:
            return Badge("Due, next run", "pencil")
    if decision.rule == "G2":
        status = BILL_GROUP_STATUSES.badge(decision.facts.group_status)
        return Badge(f"Stopped: {status.label.lower()}", "past")
    if decision.rule in _STOPPED_BY:
        return _STOPPED_BY[decision.rule]
    if decision.expected_date is not None:
        return Badge(f"Night of {day_text(decision.expected_date)}", "pencil")
    return Badge("Waits", "wait")


def duration_text(duration: timedelta) -> str:
    """Write how long something took.

    >>> duration_text(timedelta(seconds=4.2)), duration_text(timedelta(seconds=125))
    ('4 s', '2 min 5 s')
    """
    seconds = int(duration.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h"


def delivery_text(deliveries: list[Delivery]) -> str:
    """Return in a word how far the paper and the last mail of a document are."""
    states = {
        delivery.kind: delivery.state
        for delivery in sorted(deliveries, key=lambda one: one.sending)
        if delivery.state != DeliveryState.REPLACED
    }
    if DeliveryState.FAILED in states.values():
        return "Failed"
    if states.get(DeliveryKind.EMAIL.value) == DeliveryState.SENT:
        return "Mail sent"
    if DeliveryKind.EMAIL.value in states:
        return "Mail queued"
    if states.get(DeliveryKind.PDF.value) == DeliveryState.SENT:
        return "PDF made"
    return "PDF queued" if states else ""


def delivery_rows(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Return what the page of a document shows of its papers and mails."""
    return [
        {
            "delivery": delivery,
            "kind": DELIVERY_KINDS.badge(delivery.kind).label,
            "badge": DELIVERY_STATES.badge(delivery.state),
        }
        for delivery in deliveries
    ]


def night_text(night: Night) -> str:
    """Say in a sentence what became of a night."""
    if night.healed_by is not None:
        how = "missed" if night.failure is NightState.MISSED else "stopped half-way"
        return f"{how}, healed by the run as of {day_text(night.healed_by)}"
    match night.state:
        case NightState.MISSED:
            return "missed; the next run takes what was due"
        case NightState.STOPPED:
            return "stopped half-way; the next run takes what it left"
        case NightState.COMING:
            return "to come, after 04:15"
        case NightState.BEFORE:
            return "before the first run"
    made = night.figures.made if night.figures else 0
    word = "ran" if night.state is NightState.RAN else "is running"
    return f"{word}, {count_text(made, 'document')}"
