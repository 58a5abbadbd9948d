"""Accounting periods: the months of each legal entity, closed and reopened (M6)."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from billing.choices import Badge
from billing.display import count_text, day_text, money_text
from billing.domain.dates import month_end, month_text
from billing.models import AccountingPeriod, LegalEntity
from billing.queries import closable_month, closed_through
from billing.services.periods import (
    PeriodStays,
    close_period,
    reopen_period,
)
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from config.adminsite.pages import SitePage, site_page
from config.clock import today_in
from contracts.forms import ReasonForm
from invoicing.forms import ClosingForm
from invoicing.queries.closing import (
    DRAFT,
    PENDING,
    STOPPED,
    SUPERSEDED,
    Checklist,
    closing_checklist,
)

MONTHS_BEFORE: Final = 12
MONTHS_SHOWN: Final = 24
ROWS_SHOWN: Final = 20
CLOSED: Final = Badge("Closed", "past")
OPEN: Final = Badge("Open", "ink")
REOPENED: Final = Badge("Reopened", "wait")
RUNNING: Final = Badge("Not ended", "pencil")
HEADINGS: Final = {
    DRAFT: ("Drafts", "Issue or discard them"),
    PENDING: ("Pending invoices", "Generate or stop them"),
    SUPERSEDED: ("Superseded invoices not credited", "Credit the remainder"),
    STOPPED: ("Stopped by people", "They stay pending"),
}


@site_page
class PeriodsPage(SitePage):
    """The months of each legal entity, with the one to close next."""

    route = "invoicing/periods/"
    name = "invoicing_periods"
    permission = "billing.view_accountingperiod"
    title = "Accounting periods"
    template = "admin/invoicing/periods.html"

    def context(self, request: HttpRequest) -> Mapping[str, Any]:
        """Read all stored months at once; a month without a row was never closed."""
        stored: dict[int, dict[date, str]] = {}
        for period in AccountingPeriod.objects.order_by("month"):
            of_entity = stored.setdefault(period.legal_entity_id, {})
            of_entity[period.month] = period.state
        may_close = request.user.has_perm(CloseMonth.permission)
        may_reopen = request.user.has_perm(ReopenMonth.permission)
        return {
            "entities": [
                _entity_rows(
                    entity,
                    stored.get(entity.pk, {}),
                    may_close=may_close,
                    may_reopen=may_reopen,
                )
                for entity in LegalEntity.objects.order_by("pk")
            ]
        }


def _entity_rows(
    entity: LegalEntity,
    stored: Mapping[date, str],
    *,
    may_close: bool,
    may_reopen: bool,
) -> dict[str, Any]:
    """Return the months of a legal entity, the newest first."""
    closed = max((m for m, state in stored.items() if state == "CLOSED"), default=None)
    this_month = today_in(entity.time_zone).replace(day=1)
    first = _months_before(closed or this_month, MONTHS_BEFORE)
    months = [m for m in _months(first, MONTHS_SHOWN) if m <= this_month]
    following = month_end(closed) + timedelta(days=1) if closed else None
    rows = []
    for month in months:
        has_ended = month < this_month
        is_next = month == following if following else has_ended
        rows.append(
            {
                "month": month,
                "last_day": month_end(month),
                "badge": _badge(month, closed, stored.get(month), has_ended=has_ended),
                "close_url": f"{CloseMonth.url(entity.pk)}?month={month:%Y-%m}"
                if may_close and has_ended and is_next
                else "",
                "reopen_url": ReopenMonth.url(entity.pk)
                if may_reopen and month == closed
                else "",
            }
        )
    return {
        "entity": entity,
        "closed": month_end(closed) if closed else None,
        "rows": rows[::-1],
    }


def _badge(
    month: date, closed: date | None, state: str | None, *, has_ended: bool
) -> Badge:
    if closed and month <= closed:
        return CLOSED
    if state == AccountingPeriod.State.OPEN:
        return REOPENED
    return OPEN if has_ended else RUNNING


def _months(first: date, count: int) -> Iterable[date]:
    for _ in range(count):
        yield first
        first = month_end(first) + timedelta(days=1)


def _months_before(month: date, count: int) -> date:
    for _ in range(count):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


class PeriodAction(ObjectAction):
    """What closing and reopening share: the page of periods."""

    model = LegalEntity
    refusals = (PeriodStays, ReasonMissing)

    def back_url(self, subject: Any) -> str:
        """Return to the accounting periods."""
        return reverse("admin:invoicing_periods")


@object_action
class CloseMonth(PeriodAction):
    """Close a month: what is in the way, and what people stopped (M6).

    The address may name the month (`?month=2026-01`); else it is the next to close.
    """

    slug = "close-month"
    label = "Close month"
    confirm_label = "Close the month"
    permission = "billing.close_accountingperiod"
    form_class = ClosingForm
    form_heading = "What stays pending"

    def refusal(self, subject: Any) -> str:
        """Only while a month has ended and is open."""
        if closable_month(subject, today=today_in(subject.time_zone)):
            return ""
        return f"Every month of {subject} that has ended is closed."

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Ask to confirm what people stopped, once nothing is in the way."""
        found = closing_checklist(subject, _month(request, subject), most=0)
        return {"stopped": 0 if found.in_the_way else found.counts[STOPPED]}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show the checklist."""
        month = _month(request, subject)
        found = closing_checklist(subject, month, most=ROWS_SHOWN)
        refusal = _why_not(subject, month, found)
        return Review(
            sentence=""
            if refusal
            else f"{month_text(month)} is closed for {subject}: no document is dated "
            f"up to {day_text(month_end(month))} any more. What stays pending is "
            "billed later, with its own dates.",
            refusal=refusal,
            figures=(
                Figure(label="Month", value=month_text(month), note=str(subject)),
                Figure(
                    label="In the way",
                    value=f"{found.in_the_way:,}",
                    note=_counted(found),
                ),
                Figure(
                    label="Stopped by people",
                    value=count_text(found.counts[STOPPED], "pending invoice"),
                    note=_sums(found.sums[STOPPED]),
                ),
            ),
            template="admin/invoicing/includes/checklist.html",
            context={
                "sections": [
                    {
                        "kind": kind,
                        "heading": heading,
                        "advice": advice,
                        "count": found.counts[kind],
                        "rows": found.rows[kind],
                        "more": found.counts[kind] - len(found.rows[kind]),
                    }
                    for kind, (heading, advice) in HEADINGS.items()
                ],
                "through": month_end(month),
            },
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Close it."""
        period = close_period(
            period=AccountingPeriod(
                legal_entity=subject, month=_month(request, subject)
            ),
            actor=actor_of(request),
        )
        return Done(
            message=f"{month_text(period.month)} is closed for {subject}.",
            url=self.back_url(subject),
        )


@object_action
class ReopenMonth(PeriodAction):
    """Reopen the last closed month, with a reason (M6)."""

    slug = "reopen-month"
    label = "Reopen last month"
    confirm_label = "Reopen the month"
    permission = "billing.reopen_accountingperiod"
    form_class = ReasonForm
    form_heading = "Why"
    tone = "danger"

    def refusal(self, subject: Any) -> str:
        """Only what was closed."""
        return "" if closed_through(subject) else _none_closed(subject)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show which month, and what stays closed."""
        last_day = month_end(_last_closed(subject).month)
        before = last_day.replace(day=1) - timedelta(days=1)
        return Review(
            sentence=f"{month_text(last_day)} is open again for {subject}: documents "
            "can be dated in it, as far as numbers and dates still rise together. "
            "Close it again when done.",
            figures=(
                Figure(label="Month", value=month_text(last_day), note=str(subject)),
                Figure(label="Stays closed", value=f"to {day_text(before)}"),
            ),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Reopen it."""
        period = reopen_period(
            period=_last_closed(subject),
            reason=answers["reason"],
            actor=actor_of(request),
        )
        return Done(
            message=f"{month_text(period.month)} is open again for {subject}.",
            url=self.back_url(subject),
        )


def _none_closed(entity: LegalEntity) -> str:
    return f"No month of {entity} is closed."


def _last_closed(entity: LegalEntity) -> AccountingPeriod:
    closed = AccountingPeriod.objects.filter(
        legal_entity=entity, state=AccountingPeriod.State.CLOSED
    )
    last = closed.order_by("-month").first()
    if last is None:
        raise PeriodStays(_none_closed(entity))
    return last


def _month(request: HttpRequest, entity: LegalEntity) -> date:
    """Return the month that the address names, or else the next to close."""
    today = today_in(entity.time_zone)
    fallback = closable_month(entity, today=today) or today.replace(day=1)
    try:
        return date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return fallback


def _why_not(entity: LegalEntity, month: date, found: Checklist) -> str:
    """Say what the closing would be refused for; empty when it would be done."""
    today = today_in(entity.time_zone)
    if month >= today.replace(day=1):
        return f"{month_text(month)} has not ended yet. A month is closed after that."
    following = closable_month(entity, today=today)
    if following and closed_through(entity) and month != following:
        return f"Months are closed in order: the next one is {month_text(following)}."
    if found.in_the_way:
        return (
            f"{month_text(month)} can't be closed yet. Settle what is in the way: "
            f"{_counted(found)}."
        )
    return ""


def _counted(found: Checklist) -> str:
    counted = (
        (found.counts[DRAFT], "draft"),
        (found.counts[PENDING], "pending invoice"),
        (found.counts[SUPERSEDED], "superseded invoice"),
    )
    said = [count_text(count, noun) for count, noun in counted if count]
    return ", ".join(said) or "nothing"


def _sums(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(
        f"{money_text(amount, currency)} {currency}"
        for currency, amount in sorted(amounts.items())
    )
