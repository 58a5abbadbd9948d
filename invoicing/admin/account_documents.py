"""The issued documents and the timeline of the Account Overview."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

from billing.display import money_text
from billing.domain.money import UnknownCurrency
from billing.events import event_sentence, event_tone
from billing.models import Account, AuditEvent
from invoicing.admin.invoice_views import totals_by_currency
from invoicing.display import invoice_badge
from invoicing.domain.states import InvoiceStatus
from invoicing.filters import AccountInvoiceFilter
from invoicing.models import Invoice

PREFIX: Final = "d"
INVOICES_SHOWN: Final = 12
EVENTS_SHOWN: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An entry of the audit as a sentence, with the document it speaks of."""

    event: AuditEvent
    sentence: str
    tone: str
    link: str = ""


def documents_context(
    request: HttpRequest, account: Account, today: date
) -> dict[str, Any]:
    """Return drafts and newest invoices as filtered, and their totals by currency.

    Filters that can't be read find nothing and say why. The list of all invoices and
    the export take the same filters.
    """
    invoices = Invoice.objects.filter(account=account)
    filters = AccountInvoiceFilter(request.GET, queryset=invoices, prefix=PREFIX)
    found: QuerySet[Invoice] = filters.qs if filters.is_valid() else invoices.none()
    if not filters.data.get(f"{PREFIX}-status"):
        found = found.exclude(status=InvoiceStatus.VOID)
    start = f"{PREFIX}-"
    given = {
        name.removeprefix(start): value
        for name, value in request.GET.items()
        if name.startswith(start) and value
    }
    shown = found.select_related("bill_group").order_by("-issue_date", "-id")
    return {
        "invoices": [
            {"invoice": invoice, "badge": invoice_badge(invoice, today)}
            for invoice in shown[:INVOICES_SHOWN]
        ],
        "invoice_filters": filters,
        "invoices_are_filtered": bool(given),
        "invoice_totals": totals_by_currency(found),
        "same_filters": urlencode({"account": account.number} | given),
    }


def timeline(account: Account) -> list[Event]:
    """Return the newest entries of an account's audit, in sentences."""
    entries = list(
        AuditEvent.objects.filter(account_id=account.pk).order_by("-id")[:EVENTS_SHOWN]
    )
    numbers = _numbers(event.invoice_id for event in entries)
    return [
        Event(
            event=event,
            sentence=_sentence(event),
            tone=event_tone(event.code),
            link=numbers.get(event.invoice_id or 0, event.subject),
        )
        for event in entries
    ]


def _numbers(invoice_ids: Iterable[int | None]) -> dict[int, str]:
    rows = Invoice.objects.filter(pk__in={i for i in invoice_ids if i is not None})
    return {
        pk: number or f"Draft {pk}" for pk, number in rows.values_list("pk", "number")
    }


def _sentence(event: AuditEvent) -> str:
    """Say what happened, and for how much where the entry holds a total."""
    sentence = event_sentence(event.code)
    total, currency = event.after.get("total"), event.after.get("currency")
    if not total or not currency:
        return sentence
    try:
        return f"{sentence} for {money_text(Decimal(total), currency)} {currency}"
    except (InvalidOperation, UnknownCurrency, TypeError):
        return sentence
