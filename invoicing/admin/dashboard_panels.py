"""The panels of *Today*: the nightly run, the books, receivables, what comes next."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.models import LegalEntity
from billing.queries import closed_through
from config.adminsite import registry
from config.adminsite.registry import Panel
from config.clock import today_in
from contracts.domain.terms import ChargeState
from contracts.models import Contract, ScheduledCharge
from invoicing.admin.invoice import local_today
from invoicing.choices import RUN_STATES
from invoicing.display import duration_text
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.plan import pending_totals
from invoicing.queries.receivables import Age, Receivables, receivables_by_age
from invoicing.queries.runs import last_run, run_figures
from invoicing.services.forecast import NightForecast, forecast_night, next_night

DAYS_AHEAD: Final = 7
BAR_WIDTH: Final = 1000
BAR_GAP: Final = 3
INCLUDES: Final = "admin/invoicing/includes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a bar of receivables, in the units of its drawing."""

    number: int
    x: str
    width: str
    title: str


def first_steps_panel(request: HttpRequest) -> Panel | None:
    """Say what to do first, while no contract is there."""
    if Contract.objects.exists() or not request.user.has_perm(
        "contracts.view_contract"
    ):
        return None
    entity = LegalEntity.objects.order_by("pk").first()
    return Panel(
        template=f"{INCLUDES}/first_steps.html",
        context={
            "legal_entity": entity,
            "entity_url": reverse("admin:billing_legalentity_change", args=[entity.pk])
            if entity
            else reverse("admin:billing_legalentity_add"),
            "may_set": request.user.has_perm(
                "billing.change_legalentity" if entity else "billing.add_legalentity"
            ),
            "may_import": request.user.has_perm("contracts.add_contractimport"),
        },
    )


def nightly_panel(request: HttpRequest) -> Panel | None:
    """Show what the last run of each company did, beside what its next one will do."""
    if not request.user.has_perm("invoicing.view_invoicerun"):
        return None
    entities = list(LegalEntity.objects.order_by("pk"))
    if not entities:
        return None
    return Panel(
        template=f"{INCLUDES}/nightly_panel.html",
        context={"nights": [_night_of(entity) for entity in entities]},
    )


def _night_of(entity: LegalEntity) -> dict[str, Any]:
    run = last_run(entity)
    figures = run_figures([run])[run.pk] if run else None
    as_of = next_night(entity, today=today_in(entity.time_zone))
    forecast = forecast_night(legal_entity=entity, as_of=as_of)
    before = dict(figures.totals) if figures else {}
    after = dict(forecast.totals) if forecast else {}
    return {
        "run": run,
        "figures": figures,
        "made": count_text(figures.generated, "invoice") if figures else "",
        "badge": RUN_STATES.badge(run.state) if run else None,
        "took": duration_text((run.finished_at or run.started_at) - run.started_at)
        if run
        else "",
        "as_of": as_of,
        "legal_entity": entity,
        "forecast": forecast,
        "rows": [
            {
                "currency": currency,
                "before": before.get(currency),
                "after": after.get(currency),
                "count": forecast.counts[currency] if forecast else 0,
            }
            for currency in sorted({*before, *after})
        ],
        "asides": _asides(forecast),
    }


def _asides(forecast: NightForecast | None) -> list[str]:
    """Say what the night does beside issuing invoices."""
    if forecast is None:
        return []
    said = (
        (forecast.drafts, "for review"),
        (forecast.held, "held for review"),
        (forecast.waiting, "waiting for a person"),
        (forecast.failing, "to be parked"),
    )
    return [f"{count} {words}" for count, words in said if count]


def books_panel(request: HttpRequest) -> Panel | None:
    """Show which month of each company is closed, and what is in the way of the next.

    M6. Superseded invoices that are not credited are looked for when a month is closed;
    here only drafts and pending invoices are counted, which indexes find at once.
    """
    if not request.user.has_perm("billing.view_accountingperiod"):
        return None
    entities = list(LegalEntity.objects.order_by("pk"))
    if not entities:
        return None
    return Panel(
        template=f"{INCLUDES}/books_panel.html",
        context={
            "books": [_books_of(entity) for entity in entities],
            "may_close": request.user.has_perm("billing.close_accountingperiod"),
        },
    )


def _books_of(entity: LegalEntity) -> dict[str, Any]:
    today = today_in(entity.time_zone)
    closed = closed_through(entity)
    last_ended = today.replace(day=1) - timedelta(days=1)
    following = _month_end(closed + timedelta(days=1)) if closed else last_ended
    through = min(following, last_ended)
    is_open = closed is None or closed < through
    return {
        "legal_entity": entity,
        "closed": closed,
        "month_end": through if is_open else None,
        "drafts": _drafts(entity, through) if is_open else 0,
        "pending": _pending(entity, through) if is_open else 0,
    }


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _drafts(entity: LegalEntity, through: date) -> int:
    return Invoice.objects.filter(
        legal_entity=entity, status=InvoiceStatus.DRAFT, bill_date__lte=through
    ).count()


def _pending(entity: LegalEntity, through: date) -> int:
    """Count pending invoices: bill groups and bill dates with a pending charge."""
    rows = ScheduledCharge.objects.filter(
        state=ChargeState.PENDING,
        bill_date__lte=through,
        bill_group__legal_entity=entity,
    )
    dates = rows.order_by().values("bill_date")
    per_date = dates.annotate(groups=Count("bill_group", distinct=True))
    return sum(per_date.values_list("groups", flat=True))


def receivables_panel(request: HttpRequest) -> Panel | None:
    """Show what is due by age: a bar a currency, and the table behind it."""
    if not request.user.has_perm("invoicing.view_invoice"):
        return None
    rows = receivables_by_age(today=local_today())
    return Panel(
        template=f"{INCLUDES}/receivables_panel.html",
        context={
            "heads": [age.label for age in rows[0].ages] if rows else [],
            "rows": [
                {
                    "receivables": row,
                    "segments": segments(row),
                    "cells": [(age, _link(row.currency, age)) for age in row.ages],
                }
                for row in rows
            ],
        },
    )


def segments(row: Receivables) -> list[Segment]:
    """Return the pieces of a currency's bar: their widths are as their amounts.

    Empty buckets have no piece. Only lengths are worked out here, never money.
    """
    shown = [(n, age) for n, age in enumerate(row.ages) if age.amount > 0]
    room = BAR_WIDTH - BAR_GAP * (len(shown) - 1)
    x = Decimal(0)
    pieces = []
    for number, age in shown:
        width = room * age.amount / row.total
        money = f"{money_text(age.amount, row.currency)} {row.currency}"
        pieces.append(
            Segment(
                number=number,
                x=f"{x:.1f}",
                width=f"{width:.1f}",
                title=f"{age.label}: {money}",
            )
        )
        x += width + BAR_GAP
    return pieces


def _link(currency: str, age: Age) -> str:
    """Return the invoices of a bucket in the list."""
    filters: dict[str, Any] = {"status": "OPEN", "currency": currency}
    if age.due_from is not None:
        filters["due_date_after"] = age.due_from.isoformat()
    if age.due_to is not None:
        filters["due_date_before"] = age.due_to.isoformat()
    return f"{reverse('admin:invoicing_invoice_changelist')}?{urlencode(filters)}"


def pending_panel(request: HttpRequest) -> Panel | None:
    """Show what falls due in the next days."""
    if not request.user.has_perm("contracts.view_scheduledcharge"):
        return None
    through = local_today() + timedelta(days=DAYS_AHEAD)
    return Panel(
        template=f"{INCLUDES}/pending_panel.html",
        context={
            "through": through,
            "through_text": day_text(through),
            "totals": pending_totals(through=through),
        },
    )


registry.main_panels += [first_steps_panel, receivables_panel]
registry.side_panels += [nightly_panel, books_panel, pending_panel]
