"""*Run the invoicing now*: tonight's, or that of a night that was missed (G12)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from billing.display import count_text, day_text, money_text
from billing.models import LegalEntity
from config.adminsite.actions import Done, Figure, ListAction, Review, list_action
from config.adminsite.actor import actor_of
from config.clock import today_in
from invoicing.admin.dry_run import chosen_entity, keep, rehearsed_rows
from invoicing.admin.run_pages import result_text, took_text
from invoicing.domain.states import RunState
from invoicing.forms import RunForm
from invoicing.models import InvoiceRun
from invoicing.queries.dry_run import comparable_runs
from invoicing.queries.runs import run_figures
from invoicing.services.batches import RunStopped
from invoicing.services.dry_run_report import DryRunReport, Shown, report_dry_run
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly
from invoicing.services.run_now import run_now

TEMPLATE: Final = "admin/invoicing/includes/rehearsal.html"


@list_action
class RunNow(ListAction):
    """Invoice now what a night would take, or has missed; the address names it."""

    model = InvoiceRun
    slug = "run-now"
    label = "Run tonight's invoicing now"
    confirm_label = "Run it now"
    permission = "invoicing.start_invoicerun"
    tone = "default"
    refusals = (RunStopped, PeriodClosed, IssueDateTooEarly)

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show the dry run of the night."""
        choice = _choice(request)
        if not choice.is_valid():
            return Review(
                refusal="Choose a legal entity and a night to look at."
                if LegalEntity.objects.exists()
                else "There is no legal entity yet. Add one in Settings.",
                template=TEMPLATE,
                context={"choice": choice},
            )
        entity, as_of = _night(choice)
        today = today_in(entity.time_zone)
        refusal, report = _rehearsed(entity, as_of, today)
        if report is None:
            return Review(
                refusal=refusal, template=TEMPLATE, context={"choice": choice}
            )
        issued = report.counts[Shown.ISSUED]
        totals = " · ".join(
            f"{money_text(total, currency)} {currency}"
            for currency, total in report.totals.items()
        )
        return Review(
            sentence=f"{count_text(issued, 'invoice')} for {entity}, dated "
            f"{day_text(as_of)}{f': {totals}' if totals else ''}.",
            figures=(
                Figure(label="Invoices", value=f"{issued:,}", note=totals),
                Figure(
                    label="Drafts for review",
                    value=f"{report.counts[Shown.DRAFTS]:,}",
                ),
                Figure(label="Waiting", value=f"{report.counts[Shown.HELD]:,}"),
                Figure(label="At zero", value=f"{report.counts[Shown.ZERO]:,}"),
                Figure(label="Would be parked", value=f"{report.failed:,}"),
            ),
            warnings=_warnings(as_of, today),
            template=TEMPLATE,
            context=_details(report, choice),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Start the run."""
        entity, as_of = _night(_choice(request))
        run = run_now(legal_entity=entity, actor=actor_of(request), today=as_of)
        url = reverse("admin:invoicing_invoicerun_change", args=[run.pk])
        if run.state == RunState.RUNNING:
            return Done(
                message="The run has started; this page shows how far it is.", url=url
            )
        figures = run_figures([run])[run.pk]
        return Done(
            message=f"Done in {took_text(run)}: {result_text(figures)}.", url=url
        )


def _choice(request: HttpRequest) -> RunForm:
    """Read the night to look at; without one it is today of the first legal entity."""
    data = request.GET.copy()
    entity = chosen_entity(data)
    if entity is not None:
        data.setdefault("legal_entity", str(entity.pk))
        data.setdefault("as_of", today_in(entity.time_zone).isoformat())
    choice = RunForm(data, label_suffix="")
    choice.full_clean()
    return choice


def _night(choice: RunForm) -> tuple[LegalEntity, date]:
    return choice.cleaned_data["legal_entity"], choice.cleaned_data["as_of"]


def _rehearsed(
    entity: LegalEntity, as_of: date, today: date
) -> tuple[str, DryRunReport | None]:
    if as_of > today:
        sentence = (
            f"{day_text(as_of)} has not come, and no document is dated ahead. Make a "
            "dry run of that night instead."
        )
        return sentence, None
    try:
        return "", report_dry_run(
            legal_entity=entity,
            as_of=as_of,
            compare_with=comparable_runs(entity).first(),
        )
    except (PeriodClosed, IssueDateTooEarly) as refusal:
        return str(refusal), None


def _warnings(as_of: date, today: date) -> tuple[str, ...]:
    if as_of == today:
        return ()
    sentence = (
        f"The invoices are dated {day_text(as_of)}. The run of today takes what a "
        "missed night left and dates it today: run this night only if the earlier "
        "date is wanted."
    )
    return (sentence,)


def _details(report: DryRunReport, choice: RunForm) -> dict[str, Any]:
    query = {
        "legal_entity": report.legal_entity.pk,
        "as_of": report.as_of.isoformat(),
        "kept": keep(report),
    }
    return {
        "choice": choice,
        "report": report,
        "sums": sorted(report.sums.items()),
        "rows": rehearsed_rows(report, shown=Shown.DUE),
        "dry_run_url": f"{reverse('admin:invoicing_dry_run')}?{urlencode(query)}",
    }
