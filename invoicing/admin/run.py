"""Invoice runs: the list with the last nights, and the page of one (G12)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from billing.display import badge, day_text
from billing.models import LegalEntity
from config.adminsite.changelist import FinanceChangeList
from config.adminsite.model_admin import ReadOnlyAdmin
from config.clock import now
from invoicing.admin.invoice import local_today
from invoicing.admin.parked import reason_text
from invoicing.admin.run_now import RunNow
from invoicing.admin.run_pages import because, result_text, took_text, totals_text
from invoicing.choices import RUN_STATES
from invoicing.display import (
    NIGHT_STATES,
    invoice_badge,
    night_text,
)
from invoicing.domain.states import RunState
from invoicing.models import Invoice, InvoiceRun, ParkedBillGroup
from invoicing.queries.calendar import Night, NightsOf, NightState, calendar
from invoicing.queries.parked import rates_to_mend
from invoicing.queries.runs import run_figures

INVOICES_SHOWN = 25


class RunChangeList(FinanceChangeList):
    """The runs of a page, with what they did."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the figures of all runs on the page at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        figures = run_figures(self.result_list)
        for run in self.result_list:
            run.figures = figures[run.pk]


@admin.register(InvoiceRun)
class InvoiceRunAdmin(ReadOnlyAdmin):
    """Every run, by night or by hand."""

    change_form_template = "admin/invoicing/invoicerun/change_form.html"
    change_list_template = "admin/invoicing/invoicerun/change_list.html"
    list_display = (
        "shown_as_of",
        "legal_entity",
        "shown_state",
        "started_at",
        "shown_duration",
        "shown_result",
        "shown_totals",
    )
    list_select_related = ("legal_entity",)
    list_filter = ("state",)
    list_note = "Nightly after 04:15, and whenever someone starts one. Never twice."
    ordering = ("-id",)
    sortable_by = ()
    column_classes = {
        "shown_as_of": "m1 nowrap",
        "shown_state": "m2",
        "legal_entity": "m4",
        "started_at": "",
        "shown_duration": "w2",
        "shown_result": "m5",
        "shown_totals": "num m6",
    }

    def list_context(
        self, request: HttpRequest, changes: FinanceChangeList
    ) -> dict[str, Any]:
        """Show the last nights above the list."""
        return {"calendar": strip(calendar(now=now()))}

    def get_changelist(
        self, request: HttpRequest, **kwargs: Any
    ) -> type[FinanceChangeList]:
        """Read the figures with the list."""
        return RunChangeList

    @admin.display(description="as of")
    def shown_as_of(self, run: InvoiceRun) -> str:
        """Show the night it stands for."""
        return day_text(run.as_of)

    @admin.display(description="state")
    def shown_state(self, run: InvoiceRun) -> SafeString:
        """Show whether it is finished."""
        return badge(RUN_STATES.badge(run.state))

    @admin.display(description="took")
    def shown_duration(self, run: InvoiceRun) -> str:
        """Show how long it took, or has been going on."""
        return took_text(run)

    @admin.display(description="result")
    def shown_result(self, run: Any) -> str:
        """Say what it did."""
        return result_text(run.figures)

    @admin.display(description="invoiced")
    def shown_totals(self, run: Any) -> SafeString | str:
        """Show the totals by currency."""
        return totals_text(run.figures)

    def form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show what the run did."""
        return run_context(obj)


def strip(entities: Iterable[NightsOf]) -> dict[str, Any]:
    """Return the last nights as the list shows them: a row for each legal entity."""
    rows = [
        {
            "entity": of_entity.legal_entity,
            "nights": [
                {
                    "night": night,
                    "tone": NIGHT_STATES[night.state].tone,
                    "text": night_text(night),
                    "url": _night_url(night, of_entity.legal_entity),
                }
                for night in of_entity.nights
            ],
        }
        for of_entity in entities
    ]
    return {"rows": rows, "legend": list(NIGHT_STATES.values())}


def _night_url(night: Night, legal_entity: LegalEntity) -> str:
    """Lead to the run of a night, or to its dry run where there was none."""
    if night.run is not None:
        return reverse("admin:invoicing_invoicerun_change", args=[night.run.pk])
    if night.state is NightState.BEFORE:
        return ""
    if night.state is NightState.COMING:
        query = urlencode({"legal_entity": legal_entity.pk, "as_of": night.day})
        return f"{reverse('admin:invoicing_dry_run')}?{query}"
    query = urlencode({"legal_entity": legal_entity.pk, "as_of": night.day})
    return f"{RunNow.url()}?{query}"


def run_context(run: InvoiceRun) -> dict[str, Any]:
    """Return what the page of a run shows, in a constant number of queries."""
    figures = run_figures([run])[run.pk]
    today = local_today()
    invoices = (
        Invoice.objects.filter(run=run)
        .select_related("account", "bill_group")
        .order_by("pk")
    )
    parked = list(
        ParkedBillGroup.objects.filter(run=run)
        .select_related("bill_group__account")
        .order_by("pk")[:INVOICES_SHOWN]
    )
    rates = rates_to_mend(parked)
    currencies = sorted({*figures.totals, *figures.draft_totals})
    return {
        "run": run,
        "status_badge": RUN_STATES.badge(run.state),
        "is_running": run.state == RunState.RUNNING,
        "figures": figures,
        "totals": [
            (code, figures.totals.get(code), figures.draft_totals.get(code))
            for code in currencies
        ],
        "because": because(figures.rules),
        "took": took_text(run),
        "invoices": [
            {"invoice": invoice, "badge": invoice_badge(invoice, today)}
            for invoice in invoices[:INVOICES_SHOWN]
        ],
        "parked": [
            {
                "pk": row.pk,
                "bill_group": row.bill_group,
                "shown_reason": reason_text(row.reason, rates.get(row.pk)),
            }
            for row in parked
        ],
    }
