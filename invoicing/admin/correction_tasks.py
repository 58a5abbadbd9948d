"""Corrections that wait: superseded invoices to credit, replacement drafts (A7)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, Sum
from django.http import HttpRequest
from django.urls import reverse

from billing.display import day_text
from config.adminsite import registry
from config.adminsite.pages import SitePage, site_page
from config.adminsite.registry import WorkItem
from invoicing.admin.finish import FinishReplacement
from invoicing.domain.states import InvoiceStatus
from invoicing.queries.corrections import (
    OpenCorrection,
    open_corrections,
    replacement_drafts,
    superseded_uncredited,
)

SHOWN: Final = 100


@site_page
class CorrectionsPage(SitePage):
    """What was corrected half-way, with the step that is left."""

    route = "invoicing/corrections/"
    name = "invoicing_corrections"
    permission = "invoicing.view_invoice"
    title = "Corrections"
    template = "admin/invoicing/corrections.html"

    def context(self, request: HttpRequest) -> Mapping[str, Any]:
        """Return superseded invoices with what is left, and replacement drafts."""
        may_finish = request.user.has_perm(FinishReplacement.permission)
        drafts = (
            replacement_drafts()
            .select_related("account", "replaces")
            .order_by("bill_date", "pk")
        )
        return {
            "rows": [_row(one, may_finish) for one in open_corrections(SHOWN)],
            "count": superseded_uncredited().count(),
            "drafts": list(drafts[:SHOWN]),
            "draft_count": drafts.count(),
            "shown": SHOWN,
        }


def _row(one: OpenCorrection, may_finish: bool) -> dict[str, Any]:  # noqa: FBT001
    """Say which step is left, and where it is taken."""
    invoice, replacement = one.invoice, one.replacement
    url = reverse("admin:invoicing_invoice_change", args=[invoice.pk])
    row = {
        "invoice": invoice,
        "replacement": replacement,
        "left": invoice.total - invoice.credited_due - invoice.credited_paid,
        "url": url,
        "step": "Credit the remainder",
        "button": "Open",
    }
    if one.waits_for_approval:
        return row | {"step": "Its credit waits for a second person's approval"}
    if replacement is None:
        return row | {"step": "Nothing replaces it: credit it"}
    if replacement.status != InvoiceStatus.DRAFT:
        issued = day_text(replacement.issue_date)
        return row | {"step": f"Replaced on {issued}: credit the remainder"}
    row["step"] = "Review the replacement, issue it, and credit the old one"
    if may_finish:
        row |= {
            "url": FinishReplacement.url(replacement.pk),
            "button": "Issue and credit",
        }
    return row


def work(request: HttpRequest) -> Iterator[WorkItem]:
    """Ask for what was corrected half-way."""
    if not request.user.has_perm("invoicing.view_invoice"):
        return
    page = reverse("admin:invoicing_corrections")
    rows = (
        superseded_uncredited()
        .order_by()
        .values("currency")
        .annotate(
            count=Count("pk"),
            left=Sum(F("total") - F("credited_due") - F("credited_paid")),
        )
    )
    left: defaultdict[str, Decimal] = defaultdict(Decimal)
    count = 0
    for row in rows:
        count += row["count"]
        left[row["currency"]] += row["left"]
    yield WorkItem(
        count=count,
        label="Superseded, not credited",
        detail="Invoices that were wrong; the customer still has the old claim",
        url=page,
        amounts=dict(left),
        is_urgent=True,
    )


registry.work.append(work)
