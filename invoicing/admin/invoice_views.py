"""Ready-made views of the invoice list, and what a filtered set adds up to.

A view is an address of the list with filters set, so that its chips say what it shows.
Only what waits for a person is counted, up to the cap of the lists.
"""

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet, Sum
from django.http import QueryDict

from config.adminsite.paginator import CAP
from invoicing.domain.states import InvoiceStatus
from invoicing.filters import local_days
from invoicing.models import Invoice
from invoicing.queries.claims import not_credited_in_full, superseded
from invoicing.queries.overdue import overdue


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A tab over the list; `count` is None where nobody has to act."""

    label: str
    query: str
    is_current: bool
    count: int | None = None

    @property
    def count_text(self) -> str:
        """The count as people read it."""
        return f"{self.count:,}" if (self.count or 0) < CAP else f"{CAP:,}+"


def invoice_views(
    given: QueryDict, *, today: date, counted: QuerySet[Invoice]
) -> list[View]:
    """Return the views of the list; the current one is that whose filters are set."""
    last = calendar.monthrange(today.year, today.month)[1]
    month = {
        "issue_date_after": today.replace(day=1).isoformat(),
        "issue_date_before": today.replace(day=last).isoformat(),
    }
    drafts = counted.filter(status=InvoiceStatus.DRAFT)
    late = overdue(counted, local_days())
    replaced = not_credited_in_full(superseded(counted))
    return [
        view("All", {}, given),
        view("Drafts to review", {"status": "DRAFT"}, given, counted=drafts),
        view("Overdue", {"overdue": "yes"}, given, counted=late),
        view("Superseded", {"superseded": "to_credit"}, given, counted=replaced),
        view("Open", {"status": "OPEN"}, given),
        view(f"{today:%B}", month, given),
    ]


def view(
    label: str,
    filters: dict[str, str],
    given: QueryDict,
    *,
    counted: QuerySet[Any] | None = None,
) -> View:
    """Return a view with its filters; where somebody has to act, with its count."""
    is_set = {name: value for name, value in given.items() if value and name != "o"}
    return View(
        label=label,
        query=f"?{urlencode(filters)}",
        is_current=is_set == filters,
        count=counted.order_by()[:CAP].count() if counted is not None else None,
    )


def totals_by_currency(invoices: QuerySet[Invoice]) -> list[dict[str, Any]]:
    """Return count, total and what is still due of invoices, by currency.

    What is void counts for nothing; sums of different currencies are never added.
    """
    rows: Any = (
        invoices.exclude(status=InvoiceStatus.VOID)
        .order_by()
        .values("currency")
        .annotate(
            count=Count("pk"),
            total=Sum("total"),
            due=Sum("amount_due", filter=Q(status=InvoiceStatus.OPEN), default=0),
        )
        .order_by("currency")
    )
    return list(rows)
