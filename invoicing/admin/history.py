"""*What happened*: the history of an object in sentences, on its own page (M5)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text
from billing.event_display import MOST_CHANGES, Change, event_changes, event_text
from billing.events import ROUTINE, EventKind, event_tone
from billing.models import Account, AuditEvent, BillGroup
from config.adminsite import registry
from config.adminsite.registry import Panel
from contracts.models import Contract
from invoicing.models import CreditNote, Invoice, Payment, PortalSubmission
from invoicing.queries.history import HistoryPage, history_page

TEMPLATE: Final = "admin/invoicing/includes/history_panel.html"
KIND: Final = "kind"
BEFORE: Final = "before"
KINDS: Final = (
    ("Money", EventKind.MONEY),
    ("Terms", EventKind.TERMS),
    ("People", EventKind.PEOPLE),
    ("Papers", EventKind.PAPERS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry: its sentence, what it is about with a link, and what changed."""

    event: AuditEvent
    sentence: str
    tone: str
    subject: str
    url: str
    changes: tuple[Change, ...]
    more_changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the history: one entry, or several of routine under a summary."""

    entries: tuple[Told, ...]
    summary: str = ""


def history_context(
    request: HttpRequest, entries: QuerySet[AuditEvent], own: object
) -> dict[str, Any] | None:
    """Return what the panel shows of the entries; None for who may not see them.

    `own` is the object whose page it is: it is not named again in every line.
    """
    if not request.user.has_perm("billing.view_auditevent"):
        return None
    chosen = _kind(request.GET.get(KIND, ""))
    page = history_page(entries, kind=chosen, before=_id(request.GET.get(BEFORE, "")))
    return {
        "lines": _lines(page, own),
        "kinds": [
            {
                "label": label,
                "query": _query(request, kind),
                "is_current": kind is chosen,
            }
            for label, kind in (("All", None), *KINDS)
        ],
        "older": _query(request, chosen, before=page.following)
        if page.following
        else "",
        "newest": _query(request, chosen) if request.GET.get(BEFORE) else "",
        "chosen": chosen,
    }


def history_of_account(account: Account) -> QuerySet[AuditEvent]:
    """Return all entries of an account."""
    return AuditEvent.objects.filter(account_id=account.pk)


def history_of_group(group: BillGroup) -> QuerySet[AuditEvent]:
    """Return those of one bill group, read with the index of its account."""
    of_account = AuditEvent.objects.filter(account_id=group.account_id)
    return of_account.filter(bill_group_id=group.pk)


def history_of_contract(contract: Contract) -> QuerySet[AuditEvent]:
    """Return those of one contract."""
    of_account = AuditEvent.objects.filter(account_id=contract.bill_group.account_id)
    return of_account.filter(contract_id=contract.pk)


def history_of_invoice(invoice: Invoice) -> QuerySet[AuditEvent]:
    """Return those of one invoice, its credits and payments among them."""
    of_account = AuditEvent.objects.filter(account_id=invoice.account_id)
    return of_account.filter(invoice_id=invoice.pk)


def history_of_credit_note(note: CreditNote) -> QuerySet[AuditEvent]:
    """Return those of one credit, its papers and mails by its number."""
    own = Q(after__credit_note=note.pk)
    if note.number:
        own |= Q(subject=note.number)
    return history_of_invoice(note.invoice).filter(own)


def history_of_payment(payment: Payment) -> QuerySet[AuditEvent]:
    """Return those of one payment, with what it paid."""
    return history_of_group(payment.bill_group).filter(
        Q(after__payment=payment.pk) | Q(before__payment=payment.pk)
    )


def history_of_submission(row: PortalSubmission) -> QuerySet[AuditEvent]:
    """Return the steps that one document took through its portal."""
    of_invoice = history_of_invoice(row.invoice)
    return of_invoice.filter(code__startswith="portal.", subject=str(row)[:200])


def _kind(text: str) -> EventKind | None:
    return next((kind for _, kind in KINDS if kind.value == text), None)


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _query(
    request: HttpRequest, kind: EventKind | None, *, before: int | None = None
) -> str:
    """Return the address of the page as it is, but for what of the history it shows."""
    asked = request.GET.copy()
    for name, value in ((KIND, kind and kind.value), (BEFORE, before)):
        asked.pop(name, None)
        if value:
            asked[name] = str(value)
    return f"?{asked.urlencode()}#history"


def _lines(page: HistoryPage, own: object) -> list[Line]:
    numbers = _numbers(event.invoice_id for line in page.lines for event in line)
    return [
        Line(
            entries=tuple(_told(event, numbers, own) for event in line),
            summary=_summary(line) if len(line) > 1 else "",
        )
        for line in page.lines
    ]


def _summary(line: Sequence[AuditEvent]) -> str:
    """Say how many of each routine: 12 mails sent, 11 papers stored."""
    counts = Counter(event.code for event in line)
    return ", ".join(
        count_text(counts[code], one, many)
        for code, (one, many) in ROUTINE.items()
        if counts[code]
    )


def _told(event: AuditEvent, numbers: dict[int, str], own: object) -> Told:
    changes = event_changes(event)
    subject, url = _subject(event, numbers, own)
    return Told(
        event=event,
        sentence=event_text(event),
        tone=event_tone(event.code),
        subject=subject,
        url=url,
        changes=changes[:MOST_CHANGES],
        more_changes=max(len(changes) - MOST_CHANGES, 0),
    )


def _subject(
    event: AuditEvent, numbers: dict[int, str], own: object
) -> tuple[str, str]:
    """Return what an entry is about, and where that is; nothing on its own page."""
    model: type[Model]
    if event.invoice_id is not None:
        model, pk = Invoice, event.invoice_id
    elif event.contract_id is not None:
        model, pk = Contract, event.contract_id
    elif event.bill_group_id is not None:
        model, pk = BillGroup, event.bill_group_id
    else:
        return event.subject, ""
    if isinstance(own, model) and own.pk == pk:
        # The mails and papers of its credits are among those of an invoice.
        is_credits = event.code.startswith(("credit_note.", "delivery."))
        return (event.subject if is_credits and event.subject != str(own) else ""), ""
    text = numbers.get(pk, event.subject) if model is Invoice else event.subject
    meta = model._meta
    return text, reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[pk])


def _numbers(invoice_ids: Iterable[int | None]) -> dict[int, str]:
    rows = Invoice.objects.filter(pk__in={i for i in invoice_ids if i is not None})
    return {
        pk: number or f"Draft {pk}" for pk, number in rows.values_list("pk", "number")
    }


def _panel(context: dict[str, Any] | None) -> Panel | None:
    return None if context is None else Panel(template=TEMPLATE, context=context)


def bill_group_history(request: HttpRequest, subject: Any) -> Panel | None:
    """Show the history of a bill group on its page."""
    return _panel(history_context(request, history_of_group(subject), subject))


def contract_history(request: HttpRequest, subject: Any) -> Panel | None:
    """Show the history of a contract on its page."""
    return _panel(history_context(request, history_of_contract(subject), subject))


registry.object_panels.setdefault(BillGroup, []).append(bill_group_history)
registry.object_panels.setdefault(Contract, []).append(contract_history)
