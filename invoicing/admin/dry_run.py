"""Dry runs: what a night would do, in figures; nothing is written (G15).

The figures of a night take one pass over all that is due. They are kept in memory for
the pages of the same result, the last few only; a page that finds them gone rehearses
anew.
"""

import secrets
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from billing.choices import Badge
from billing.models import BillGroup, LegalEntity
from config.adminsite.pages import SitePage, site_page
from config.clock import now, today_in
from invoicing.admin.run_pages import because
from invoicing.display import decision_badge
from invoicing.forms import DryRunForm
from invoicing.models import InvoiceRun
from invoicing.queries.dry_run import comparable_runs
from invoicing.queries.nights import due_nights
from invoicing.queries.runs import differences
from invoicing.services.assessment import Assessment
from invoicing.services.dry_run_report import (
    Change,
    ChangedGroup,
    DryRunReport,
    Shown,
    assessments_of,
    planned_amount,
    report_dry_run,
    unrated_charges,
)
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly

GROUPS_A_PAGE: Final = 50
REPORTS_KEPT: Final = 4
PARKED: Final = "parked"
LABELS: Final = {
    Shown.DUE: "What is due",
    Shown.ISSUED: "Invoices",
    Shown.DRAFTS: "Drafts",
    Shown.HELD: "Waiting",
    Shown.ZERO: "At zero",
    Shown.USAGE: "Usage may change",
    PARKED: "Would be parked",
    Change.NEW: "New",
    Change.CHANGED: "Changed",
    Change.GONE: "Gone",
}

_kept: OrderedDict[str, DryRunReport] = OrderedDict()
_kept_lock = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedRow:
    """One pending invoice, and what the night would do with it.

    `amount` is with tax; of what is held it is what the plan says, before tax.
    """

    group: BillGroup | None
    bill_date: date
    currency: str
    amount: Decimal
    unrated: int
    badge: Badge
    sentence: str


def keep(report: DryRunReport) -> str:
    """Keep a report for the pages of its result, and return its key."""
    key = secrets.token_urlsafe(9)
    with _kept_lock:
        _kept[key] = report
        while len(_kept) > REPORTS_KEPT:
            _kept.popitem(last=False)
    return key


def rehearsed_rows(
    report: DryRunReport, *, shown: Shown, page: int = 1
) -> list[RehearsedRow]:
    """Return a page of what would become of the pending invoices of a report."""
    ids = _page(report.groups[shown], page)
    groups = _groups(ids)
    return [
        _row(assessment, groups.get(assessment.group.bill_group_id))
        for assessment in assessments_of(report, shown=shown, bill_groups=ids)
    ]


def _row(assessment: Assessment, group: BillGroup | None) -> RehearsedRow:
    decision, document = assessment.decision, assessment.document
    makes = decision.generate
    return RehearsedRow(
        group=group,
        bill_date=document.bill_date,
        currency=assessment.group.currency,
        amount=document.totals.total if makes else planned_amount(assessment),
        unrated=unrated_charges(assessment),
        badge=decision_badge(decision),
        sentence=decision.sentence,
    )


def _groups(ids: Collection[int]) -> dict[int, BillGroup]:
    return BillGroup.objects.select_related("account").in_bulk(list(ids))


def _page(rows: Sequence[Any], page: int) -> Sequence[Any]:
    return rows[(page - 1) * GROUPS_A_PAGE : page * GROUPS_A_PAGE]


def tonight(legal_entity: LegalEntity) -> date:
    """Return the next night that has no run yet."""
    today = today_in(legal_entity.time_zone)
    due = due_nights(legal_entity, now=now())
    return due[-1] if due else today + timedelta(days=1)


@site_page
class DryRunPage(SitePage):
    """A dry run of tonight or of any date; it answers GET and writes nothing."""

    route = "invoicing/invoicerun/dry-run/"
    name = "invoicing_dry_run"
    permission = "invoicing.view_invoicerun"
    title = "Dry run"
    template = "admin/invoicing/invoicerun/dry_run.html"

    def context(self, request: HttpRequest) -> Mapping[str, Any]:
        """Return the form, and the result where a night was chosen."""
        entity = chosen_entity(request.GET)
        if entity is None:
            return {"form": None}
        data = request.GET.copy()
        data.setdefault("legal_entity", str(entity.pk))
        data.setdefault("as_of", tonight(entity).isoformat())
        runs = list(comparable_runs(entity))
        if data.get("compare_with", "") not in {str(run.pk) for run in runs}:
            data["compare_with"] = ""
        form = DryRunForm(data, label_suffix="")
        form.offer_runs(runs)
        if not form.is_valid():
            return {"form": form}
        wanted = form.cleaned_data["compare_with"]
        run = next((run for run in runs if run.pk == wanted), runs[0] if runs else None)
        try:
            return {"form": form} | _result(
                request, entity, form.cleaned_data["as_of"], run
            )
        except (PeriodClosed, IssueDateTooEarly) as refusal:
            return {"form": form, "legal_entity": entity, "refusal": str(refusal)}


def chosen_entity(data: QueryDict) -> LegalEntity | None:
    """Return the legal entity that an address names, or the first."""
    wanted = data.get("legal_entity", "")
    entities = LegalEntity.objects.order_by("pk")
    if wanted.isdecimal() and len(wanted) < 19:
        return entities.filter(pk=int(wanted)).first() or entities.first()
    return entities.first()


def _result(
    request: HttpRequest,
    legal_entity: LegalEntity,
    as_of: date,
    run: InvoiceRun | None,
) -> dict[str, Any]:
    key = request.GET.get("kept", "")
    report = _kept.get(key)
    if report is None or (report.legal_entity, report.as_of) != (legal_entity, as_of):
        report = report_dry_run(
            legal_entity=legal_entity, as_of=as_of, compare_with=run
        )
        key = keep(report)
    show = request.GET.get("show", Shown.DUE.value)
    show = show if show in LABELS else Shown.DUE.value
    number = request.GET.get("page", "1")
    page = int(number) if number.isdecimal() and 0 < len(number) < 9 else 1
    base = {
        "legal_entity": legal_entity.pk,
        "as_of": as_of.isoformat(),
        "compare_with": run.pk if run else "",
        "kept": key,
    }
    return {
        "report": report,
        "legal_entity": legal_entity,
        "base": urlencode(base),
        "counts": report.counts,
        "because": because(report.rules),
        "sums": sorted(report.sums.items()),
        "views": _views(report, show),
        "changes": _changes(report),
        "differences": _differences(report),
        "show": show,
        "show_label": LABELS[show],
        **_list(report, show, max(page, 1)),
    }


def _views(report: DryRunReport, show: str) -> list[dict[str, Any]]:
    counts: dict[str, int] = {shown: report.counts[shown] for shown in Shown}
    counts[PARKED] = report.failed
    views: tuple[str, ...] = (*Shown, PARKED)
    return [
        {"show": view, "label": LABELS[view], "count": counts.get(view, 0)}
        for view in views
        if counts.get(view) or view in {show, Shown.DUE}
    ]


def _changes(report: DryRunReport) -> list[dict[str, Any]]:
    if report.comparison is None:
        return []
    return [
        {
            "show": change.value,
            "label": LABELS[change],
            "count": report.comparison.counts[change],
        }
        for change in Change
    ]


def _differences(
    report: DryRunReport,
) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    if report.comparison is None:
        return []
    after = {
        currency: sums.issued_total + sums.drafted_total
        for currency, sums in report.sums.items()
        if sums.issued_total or sums.drafted_total
    }
    return differences(report.comparison.totals, after)


def _list(report: DryRunReport, show: str, page: int) -> dict[str, Any]:
    """Return a page of the rows to show, and the numbers of the pages beside it."""
    context: dict[str, Any] = {}
    if show in set(Change):
        kept: list[ChangedGroup] = (
            report.comparison.changes[Change(show)] if report.comparison else []
        )
        count = len(kept)
        changed = _page(kept, page)
        groups = _groups([row.bill_group_id for row in changed])
        context["changed_rows"] = [
            (row, groups.get(row.bill_group_id)) for row in changed
        ]
    elif show == PARKED:
        count = len(report.failures)
        failed = _page(report.failures, page)
        groups = _groups([group_id for group_id, _ in failed])
        context["failed_rows"] = [
            (groups.get(group_id), reason) for group_id, reason in failed
        ]
    else:
        count = len(report.groups[Shown(show)])
        context["rows"] = rehearsed_rows(report, shown=Shown(show), page=page)
    pages = max(1, -(-count // GROUPS_A_PAGE))
    return context | {
        "page": page,
        "pages": pages,
        "previous": page - 1 if page > 1 else 0,
        "following": page + 1 if page < pages else 0,
    }
