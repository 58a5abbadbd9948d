"""The plan of a contract as its page shows it: every charge, and where it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.core.paginator import Page
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from billing.choices import Badge
from config.adminsite.paginator import CappedPaginator
from contracts.choices import CHARGE_STATES
from contracts.domain.terms import LIVE_STATES, ChargeState
from contracts.models import Contract, ScheduledCharge

PER_PAGE: Final = 60
TABS: Final[dict[str, tuple[str, frozenset[ChargeState]]]] = {
    "": ("All", LIVE_STATES),
    "pending": ("Pending", frozenset({ChargeState.PENDING, ChargeState.DRAFTED})),
    "invoiced": ("Invoiced", frozenset({ChargeState.INVOICED})),
    "external": ("Billed elsewhere", frozenset({ChargeState.EXTERNAL})),
    "skipped": ("Skipped", frozenset({ChargeState.SKIPPED})),
    "replaced": (
        "Replaced and canceled",
        frozenset({ChargeState.SUPERSEDED, ChargeState.CANCELED}),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One charge; `invoice` names the document it stands on."""

    charge_id: int
    bill_date: date
    period_start: date
    period_end: date
    product: str
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal | None
    badge: Badge
    invoice: str
    invoice_url: str
    external_number: str

    @property
    def is_pending(self) -> bool:
        """Tell whether it is only planned."""
        return self.badge.tone == "pencil"

    @property
    def is_external(self) -> bool:
        """Tell whether it was billed elsewhere."""
        return self.badge.tone == "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTab:
    """A view of the plan, with how many charges it holds."""

    label: str
    query: str
    count: int
    is_current: bool


def plan_context(request: HttpRequest, contract: Contract) -> Mapping[str, Any]:
    """Return a page of the plan and its tabs, in three queries."""
    shown = request.GET.get("show", "")
    shown = shown if shown in TABS else ""
    charges = (
        ScheduledCharge.objects.filter(contract=contract, state__in=TABS[shown][1])
        .select_related("contract_line__product", "invoice_line__invoice")
        .order_by("bill_date", "period_start", "pk")
    )
    page = CappedPaginator(charges, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "plan_tabs": _tabs(contract, shown),
        "plan_page": page,
        "plan_pages": _links(page, shown),
        "plan": [plan_row(charge) for charge in page.object_list],
    }


def _tabs(contract: Contract, shown: str) -> list[PlanTab]:
    counts = dict(
        ScheduledCharge.objects.filter(contract=contract)
        .values_list("state")
        .annotate(count=Count("pk"))
        .order_by()
    )
    tabs = [
        PlanTab(
            label=label,
            query=f"?show={key}" if key else "?",
            count=sum(counts.get(state, 0) for state in states),
            is_current=key == shown,
        )
        for key, (label, states) in TABS.items()
    ]
    return [tab for tab in tabs if tab.count or tab.is_current]


def _links(page: "Page[Any]", shown: str) -> list[tuple[int, str, bool]]:
    """Return the number, address and currency of each page, where there are several."""
    if page.paginator.num_pages < 2:
        return []
    return [
        (number, f"?show={shown}&page={number}", number == page.number)
        for number in page.paginator.page_range
    ]


def plan_row(charge: ScheduledCharge) -> PlanRow:
    """Return a charge as the plan shows it."""
    line = getattr(charge, "invoice_line", None)
    invoice = line.invoice if line is not None else None
    url = (
        reverse("admin:invoicing_invoice_change", args=[invoice.pk]) if invoice else ""
    )
    return PlanRow(
        charge_id=charge.pk,
        bill_date=charge.bill_date,
        period_start=charge.period_start,
        period_end=charge.period_end,
        product=str(charge.contract_line.product),
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        amount=charge.amount,
        badge=CHARGE_STATES.badge(charge.state),
        invoice=str(invoice) if invoice else "",
        invoice_url=url,
        external_number=charge.external_number,
    )
