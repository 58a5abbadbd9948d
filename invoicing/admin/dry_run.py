"""Dry runs: what a night would do, in figures; nothing is written (G15)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest

from billing.choices import Badge
from billing.models import BillGroup, LegalEntity, public_id
from config.adminsite.pages import SitePage, site_page
from config.clock import now, today_in
from invoicing.display import decision_badge
from invoicing.domain.eligibility import Outcome
from invoicing.forms import DryRunForm
from invoicing.queries.nights import due_nights
from invoicing.queries.runs import differences, last_run, run_figures
from invoicing.services.assessment import Assessment
from invoicing.services.rehearsal import dry_run_invoicing

ROWS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedRow:
    """One pending invoice, and what the night would do with it."""

    group_id: int
    public_id: str
    account_id: int
    account_number: str
    bill_date: date
    currency: str
    total: Decimal
    badge: Badge
    sentence: str


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """The result of a dry run; `rows` are the first of `count`."""

    as_of: date
    issued: int = 0
    drafts: int = 0
    held: int = 0
    zero: int = 0
    count: int = 0
    totals: defaultdict[str, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    rows: list[RehearsedRow] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)


def rehearse(legal_entity: LegalEntity, *, as_of: date) -> Rehearsal:
    """Return what the run of a night would do, without writing."""
    dry_run = dry_run_invoicing(as_of=as_of, legal_entity=legal_entity)
    rehearsal = Rehearsal(as_of=as_of)
    for assessment in dry_run.assessments:
        rehearsal.count += 1
        _count(rehearsal, assessment)
        if len(rehearsal.rows) < ROWS_SHOWN:
            rehearsal.rows.append(_row(assessment))
    rehearsal.failures = [
        (public_id(group_id), reason) for group_id, reason in dry_run.failures.items()
    ]
    return rehearsal


def _count(rehearsal: Rehearsal, assessment: Assessment) -> None:
    match assessment.decision.outcome:
        case Outcome.GENERATE:
            rehearsal.issued += 1
        case Outcome.HOLD:
            rehearsal.held += 1
            return
        case Outcome.ZERO:
            rehearsal.zero += 1
            return
        case _:
            rehearsal.drafts += 1
    document = assessment.document
    rehearsal.totals[document.currency] += document.totals.total


def _row(assessment: Assessment) -> RehearsedRow:
    document, group = assessment.document, assessment.group
    return RehearsedRow(
        group_id=group.bill_group_id,
        public_id=public_id(group.bill_group_id),
        account_id=group.account_id,
        account_number=group.account_number,
        bill_date=document.bill_date,
        currency=document.currency,
        total=document.totals.total,
        badge=decision_badge(assessment.decision),
        sentence=assessment.decision.sentence,
    )


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
        first = LegalEntity.objects.order_by("pk").first()
        if first is None:
            return {"form": None}
        if not request.GET.get("as_of"):
            initial = {"legal_entity": first.pk, "as_of": tonight(first)}
            form = DryRunForm(initial=initial, label_suffix="")
            return {"form": form} | _result(first, tonight(first))
        form = DryRunForm(request.GET, label_suffix="")
        if not form.is_valid():
            return {"form": form}
        return {"form": form} | _result(
            form.cleaned_data["legal_entity"], form.cleaned_data["as_of"]
        )


def _result(legal_entity: LegalEntity, as_of: date) -> dict[str, Any]:
    rehearsal = rehearse(legal_entity, as_of=as_of)
    run = last_run(legal_entity)
    before = run_figures([run])[run.pk] if run else None
    accounts = dict(
        BillGroup.objects.filter(
            pk__in={row.group_id for row in rehearsal.rows}
        ).values_list("pk", "account__name")
    )
    return {
        "rehearsal": rehearsal,
        "legal_entity": legal_entity,
        "last_run": run,
        "last_figures": before,
        "differences": differences(before.totals if before else {}, rehearsal.totals),
        "rows": [(row, accounts.get(row.group_id, "")) for row in rehearsal.rows],
    }
