"""What *Today* shows of invoicing: work for people, the last run, what comes next."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text
from config.adminsite import registry
from config.adminsite.registry import Count as NavigationCount
from config.adminsite.registry import Link, Panel, WorkItem
from invoicing.admin.invoice import local_today
from invoicing.choices import RUN_STATES
from invoicing.display import duration_text
from invoicing.domain.states import DeliveryState, InvoiceStatus
from invoicing.models import Delivery, Invoice, ParkedBillGroup
from invoicing.queries.plan import pending_totals
from invoicing.queries.runs import last_run, run_figures

DAYS_AHEAD: Final = 7


def links(request: HttpRequest) -> Iterator[Link]:
    """Offer what a day begins with."""
    if request.user.has_perm("contracts.add_contractimport"):
        yield Link(
            label="Import contracts",
            url=reverse("admin:contracts_contractimport_upload"),
        )
    if request.user.has_perm("invoicing.view_invoicerun"):
        yield Link(
            label="Dry run of tonight",
            url=reverse("admin:invoicing_dry_run"),
            tone="default",
        )


def work(request: HttpRequest) -> Iterator[WorkItem]:
    """Yield what waits for a person, the urgent first."""
    if not request.user.has_perm("invoicing.view_invoice"):
        return
    invoices = reverse("admin:invoicing_invoice_changelist")
    yield from _drafts(invoices)
    parked = ParkedBillGroup.objects.filter(released_at=None)
    yield WorkItem(
        count=parked.count(),
        label="Parked",
        detail=_first(parked.order_by("pk").values_list("reason", flat=True)),
        url=reverse("admin:invoicing_parkedbillgroup_changelist") + "?parked=yes",
        is_urgent=True,
    )
    failed = Delivery.objects.filter(state=DeliveryState.FAILED)
    yield WorkItem(
        count=failed.count(),
        label="Papers and mails that failed",
        detail=_first(failed.order_by("-pk").values_list("last_error", flat=True)),
        url=reverse("admin:invoicing_delivery_changelist") + "?state__exact=FAILED",
    )


def _drafts(invoices: str) -> Iterator[WorkItem]:
    rows = (
        Invoice.objects.filter(status=InvoiceStatus.DRAFT)
        .order_by()
        .values("currency")
        .annotate(
            held=Count("pk", filter=~Q(held_reason="")),
            held_total=Sum("total", filter=~Q(held_reason=""), default=Decimal(0)),
            review=Count("pk", filter=Q(held_reason="")),
            review_total=Sum("total", filter=Q(held_reason=""), default=Decimal(0)),
        )
    )
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    review: defaultdict[str, Decimal] = defaultdict(Decimal)
    held_count = review_count = 0
    for row in rows.order_by("currency"):
        held_count += row["held"]
        review_count += row["review"]
        if row["held"]:
            held[row["currency"]] += row["held_total"]
        if row["review"]:
            review[row["currency"]] += row["review_total"]
    reasons = Invoice.objects.filter(status=InvoiceStatus.DRAFT).exclude(held_reason="")
    yield WorkItem(
        count=held_count,
        label="Held for review",
        detail=_first(reasons.order_by("pk").values_list("held_reason", flat=True)),
        url=f"{invoices}?status=DRAFT",
        amounts=dict(held),
        is_urgent=True,
    )
    yield WorkItem(
        count=review_count,
        label="Drafts to review",
        detail="Made by the run; issue them one by one or together",
        url=f"{invoices}?status=DRAFT",
        amounts=dict(review),
    )


def _first(texts: object) -> str:
    for text in texts[:1]:  # type: ignore[index]  # a queryset of texts
        return str(text)
    return ""


def counts(request: HttpRequest) -> Iterator[NavigationCount]:
    """Count drafts beside Invoices, and parked groups beside Runs."""
    if not request.user.has_perm("invoicing.view_invoice"):
        return
    drafts = Invoice.objects.filter(status=InvoiceStatus.DRAFT).count()
    parked = ParkedBillGroup.objects.filter(released_at=None).count()
    yield NavigationCount(door="invoices", count=drafts, noun="drafts to review")
    yield NavigationCount(door="runs", count=parked, noun="parked", is_urgent=True)


def last_run_panel(request: HttpRequest) -> Panel | None:
    """Show what the last run did."""
    if not request.user.has_perm("invoicing.view_invoicerun"):
        return None
    run = last_run()
    if run is None:
        return Panel(
            template="admin/invoicing/includes/last_run_panel.html",
            context={"run": None},
        )
    figures = run_figures([run])[run.pk]
    return Panel(
        template="admin/invoicing/includes/last_run_panel.html",
        context={
            "run": run,
            "badge": RUN_STATES.badge(run.state),
            "took": duration_text((run.finished_at or run.started_at) - run.started_at),
            "figures": figures,
            "made": count_text(figures.generated, "invoice"),
            "totals": sorted(figures.totals.items()),
        },
    )


def pending_panel(request: HttpRequest) -> Panel | None:
    """Show what falls due in the next days."""
    if not request.user.has_perm("contracts.view_scheduledcharge"):
        return None
    through = local_today() + timedelta(days=DAYS_AHEAD)
    return Panel(
        template="admin/invoicing/includes/pending_panel.html",
        context={
            "through": through,
            "through_text": day_text(through),
            "totals": pending_totals(through=through),
        },
    )


registry.today_links.append(links)
registry.work.append(work)
registry.counts.append(counts)
registry.side_panels += [last_run_panel, pending_panel]
