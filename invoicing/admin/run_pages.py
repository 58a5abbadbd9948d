"""Pages of one run: how far it is, for the script to ask, and what it did not issue."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from billing.display import count_text, money_text
from config.adminsite.pages import ObjectPage, object_page
from config.clock import now
from invoicing.display import NOT_ISSUED_BECAUSE, duration_text
from invoicing.domain.states import RunState
from invoicing.models import InvoiceRun
from invoicing.queries.runs import RunFigures, not_issued_by, run_figures

ROWS_A_PAGE: Final = 50
CURRENCIES_IN_A_ROW: Final = 2
LAST_ID: Final = 2**63


def took_text(run: InvoiceRun) -> str:
    """Say how long a run took, or has been going on."""
    return duration_text((run.finished_at or now()) - run.started_at)


def result_text(figures: RunFigures) -> str:
    """Say in a line what a run did."""
    parts = [count_text(figures.generated, "invoice")]
    for count, word in (
        (figures.drafted, "drafted"),
        (figures.held, "waiting"),
        (figures.parked, "parked"),
        (figures.zero, "at zero"),
    ):
        if count:
            parts.append(f"{count:,} {word}")
    return ", ".join(parts)


def totals_text(figures: RunFigures) -> str:
    """Write the totals of a run by currency; of many the first few and their number."""
    totals = sorted(figures.totals.items())
    texts = [
        f"{money_text(total, currency)} {currency}"
        for currency, total in totals[:CURRENCIES_IN_A_ROW]
    ]
    more = len(totals) - len(texts)
    return " · ".join(texts) + (f" and {more} more" if more else "")


@object_page
class RunProgress(ObjectPage):
    """How far a run is, as JSON: texts by the name of their place on the page."""

    model = InvoiceRun
    slug = "progress"
    label = "Progress"
    permission = "invoicing.view_invoicerun"

    def respond(
        self, request: HttpRequest, subject: Any, frame: Mapping[str, Any]
    ) -> HttpResponse:
        """Answer in a constant number of queries and of bytes."""
        figures = run_figures([subject])[subject.pk]
        texts = {
            name: f"{getattr(figures, name):,}"
            for name in (
                *("candidates", "done", "generated", "drafted"),
                *("held", "zero", "parked", "made", "batches", "open_batches"),
            )
        } | {
            f"total-{currency}": money_text(total, currency)
            for currency, total in figures.totals.items()
        }
        return JsonResponse(
            {
                "is_running": subject.state == RunState.RUNNING,
                "done": figures.done,
                "candidates": figures.candidates,
                "texts": texts | {"took": took_text(subject)},
            },
            headers={"Cache-Control": "no-store"},
        )


@object_page
class NotIssued(ObjectPage):
    """What a run left waiting or billed at zero by one rule, page by page (G16)."""

    model = InvoiceRun
    slug = "held"
    label = "Not issued, and why"
    permission = "invoicing.view_invoicerun"
    template = "admin/invoicing/invoicerun/not_issued.html"

    def context(self, request: HttpRequest, subject: Any) -> Mapping[str, Any]:
        """Return a page of one rule, and the counts of all."""
        figures = run_figures([subject])[subject.pk]
        counts = because(figures.rules)
        rule = request.GET.get("rule", "")
        if rule not in NOT_ISSUED_BECAUSE and counts:
            rule = str(counts[0]["rule"])
        after = _place(request.GET.get("after", ""))
        found = not_issued_by(
            subject, rule=rule, after=after or (0, date.min), size=ROWS_A_PAGE + 1
        )
        rows = found[:ROWS_A_PAGE]
        last = rows[-1] if len(found) > ROWS_A_PAGE else None
        name, advice = NOT_ISSUED_BECAUSE.get(rule, ("", ""))
        return {
            "run": subject,
            "rule": rule,
            "rule_name": name,
            "advice": advice,
            "counts": counts,
            "rows": rows,
            "is_first": after is None,
            "following": f"{last.bill_group_id}.{last.bill_date}" if last else "",
        }


def because(rules: Mapping[str, int]) -> list[dict[str, str | int | bool]]:
    """Return by rule how many were not issued, what it means and what to do next."""
    return [
        {
            "rule": rule,
            "name": name,
            "advice": advice,
            "count": rules[rule],
            "is_draft": rule in {"G14", "G17"},
        }
        for rule, (name, advice) in NOT_ISSUED_BECAUSE.items()
        if rules.get(rule)
    ]


def _place(text: str) -> tuple[int, date] | None:
    """Read `<bill group>.<bill date>`; nonsense begins at the first page."""
    group, _, day = text.partition(".")
    try:
        place = int(group), date.fromisoformat(day)
    except ValueError:
        return None
    return place if 0 <= place[0] < LAST_ID else None
