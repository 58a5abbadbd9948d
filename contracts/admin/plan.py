"""The plan of a contract as its page shows it: every charge, and where it went.

Charges stand under their bill dates, some dozens to a page. What was replaced or
canceled is history: it has a view of its own and counts in no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from django.core.paginator import Page
from django.db.models import Count, Max, QuerySet, Sum
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
    is_late: bool
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
class PlanDate:
    """A bill date of the page: its rows, and what all its charges come to.

    `charges` and `amount` count those on other pages too.
    """

    bill_date: date
    charges: int
    amount: Decimal
    rows: tuple[PlanRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTab:
    """A view of the plan: how many charges it holds, and what they come to.

    `unrated` of them are usage without an amount yet.
    """

    label: str
    query: str
    count: int
    amount: Decimal
    unrated: int
    through: date | None
    is_current: bool


def plan_context(request: HttpRequest, contract: Contract) -> Mapping[str, Any]:
    """Return a page of the plan and its views, in four queries."""
    shown = request.GET.get("show", "")
    shown = shown if shown in TABS else ""
    of_tab = ScheduledCharge.objects.filter(contract=contract, state__in=TABS[shown][1])
    charges = of_tab.select_related(
        "contract_line__product", "invoice_line__invoice"
    ).order_by("bill_date", "contract_line__position", "period_start", "pk")
    page = CappedPaginator(charges, PER_PAGE).get_page(request.GET.get("page"))
    tabs = _tabs(contract, shown)
    plan = _by_date(of_tab, [plan_row(charge) for charge in page.object_list])
    return {
        "plan_tabs": tabs,
        "plan_totals": [tab for tab in tabs[1:] if tab.count],
        "plan_page": page,
        "plan_pages": _links(page, shown),
        "plan": plan,
        "plan_has_sums": any(day.charges > 1 for day in plan),
    }


def _by_date(
    charges: QuerySet[ScheduledCharge], rows: list[PlanRow]
) -> tuple[PlanDate, ...]:
    sums = {
        bill_date: (count, amount)
        for bill_date, count, amount in charges.filter(
            bill_date__in={row.bill_date for row in rows}
        )
        .values_list("bill_date")
        .annotate(count=Count("pk"), total=Sum("amount", default=Decimal(0)))
        .order_by()
    }
    return tuple(
        PlanDate(
            bill_date=bill_date,
            charges=sums[bill_date][0],
            amount=sums[bill_date][1],
            rows=tuple(same),
        )
        for bill_date, same in groupby(rows, key=lambda row: row.bill_date)
    )


def _tabs(contract: Contract, shown: str) -> list[PlanTab]:
    by_state = {
        state: (count, amount, rated, through)
        for state, count, amount, rated, through in ScheduledCharge.objects.filter(
            contract=contract
        )
        .values_list("state")
        .annotate(
            count=Count("pk"),
            total=Sum("amount", default=Decimal(0)),
            rated=Count("amount"),
            through=Max("bill_date"),
        )
        .order_by()
    }
    tabs = []
    for key, (label, states) in TABS.items():
        held = [by_state[state] for state in states if state in by_state]
        count = sum(row[0] for row in held)
        if count or key == shown:
            tabs.append(
                PlanTab(
                    label=label,
                    query=f"?show={key}" if key else "?",
                    count=count,
                    amount=sum((row[1] for row in held), Decimal(0)),
                    unrated=count - sum(row[2] for row in held),
                    through=None
                    if contract.end_date
                    else max((row[3] for row in held), default=None),
                    is_current=key == shown,
                )
            )
    return tabs


def _links(page: "Page[Any]", shown: str) -> list[tuple[str, str, bool]]:
    """Return the label, address and currency of pages; gaps have no address."""
    if page.paginator.num_pages < 2:
        return []
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=2)
    return [
        (
            str(number),
            f"?show={shown}&page={number}" if isinstance(number, int) else "",
            number == page.number,
        )
        for number in numbers
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
        is_late=charge.late_for_id is not None,
        invoice=str(invoice) if invoice else "",
        invoice_url=url,
        external_number=charge.external_number,
    )
