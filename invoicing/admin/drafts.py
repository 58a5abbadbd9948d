"""Drafts to review: the list, and one beside the invoice before it (G14, G17)."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from billing.domain.money import currency_digits
from config.adminsite.pages import ObjectPage, SitePage, object_page, site_page
from invoicing.admin.invoice import local_today
from invoicing.display import invoice_badge
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.queries.drafts import (
    WorkList,
    compared_lines,
    draft_totals,
    drafts,
    drafts_after,
    invoices_before,
    place_of,
)

DRAFTS_A_PAGE: Final = 50
LAST_ID: Final = 2**63
LABELS: Final = {
    WorkList.ALL: "All drafts",
    WorkList.HELD: "Held for review",
    WorkList.REVIEW: "To review",
    WorkList.REPLACING: "Replacements",
}


def work_list_of(request: HttpRequest) -> WorkList:
    """Return the work list that an address names; all drafts where it names none."""
    wanted = request.GET.get("list", "")
    return WorkList(wanted) if wanted in set(WorkList) else WorkList.ALL


def review_url(draft_id: int, which: WorkList) -> str:
    """Return where a draft is reviewed within its work list."""
    return f"{DraftReview.url(draft_id)}?list={which}"


def times_text(total: Decimal, before: Decimal) -> str:
    """Say how many times the earlier total a draft comes to; empty without one.

    >>> times_text(Decimal(1200), Decimal(100)), times_text(Decimal(5), Decimal(0))
    ('12.0 times', '')
    """
    return f"{total / before:,.1f} times" if before else ""


@site_page
class DraftsPage(SitePage):
    """The drafts that wait, with why and what they are compared with."""

    route = "invoicing/drafts/"
    name = "invoicing_drafts"
    permission = "invoicing.view_invoice"
    title = "Drafts"
    template = "admin/invoicing/drafts.html"

    def context(self, request: HttpRequest) -> Mapping[str, Any]:
        """Return a page of the work list and the totals of all of it."""
        which = work_list_of(request)
        after = _place(request.GET.get("after", ""))
        rows = drafts(which).select_related("account", "bill_group", "run")
        if after is not None:
            rows = drafts_after(rows, *after)
        found = list(rows[: DRAFTS_A_PAGE + 1])
        shown = found[:DRAFTS_A_PAGE]
        last = shown[-1] if len(found) > DRAFTS_A_PAGE else None
        totals = draft_totals()
        counts = Counter(dict.fromkeys(WorkList, 0))
        for _, of_list, count, _ in totals:
            counts[of_list] += count
            counts[WorkList.ALL] += count
        return {
            "list": which.value,
            "views": [
                {"list": view.value, "label": LABELS[view], "count": counts[view]}
                for view in WorkList
            ],
            "totals": [
                {"currency": currency, "count": count, "total": total}
                for currency, of_list, count, total in totals
                if which in {of_list, WorkList.ALL}
            ],
            "rows": _rows(shown, which),
            "is_first": after is None,
            "following": f"{last.pk}.{last.bill_date}" if last else "",
            "may_issue": request.user.has_perm("invoicing.issue_invoice"),
            "bulk_url": reverse("admin:invoicing_invoice_changelist")
            + f"?status={InvoiceStatus.DRAFT}",
        }


def _rows(shown: list[Invoice], which: WorkList) -> list[dict[str, Any]]:
    before = invoices_before(shown)
    return [
        {
            "draft": draft,
            "before": before.get(draft.pk),
            "times": times_text(draft.total, before[draft.pk].total)
            if draft.pk in before
            else "",
            "url": review_url(draft.pk, which),
            "minor": int(draft.total.scaleb(currency_digits(draft.currency))),
            "digits": currency_digits(draft.currency),
        }
        for draft in shown
    ]


def _place(text: str) -> tuple[date, int] | None:
    """Read `<id>.<bill date>`; nonsense begins at the first page."""
    pk, _, day = text.partition(".")
    try:
        place = date.fromisoformat(day), int(pk)
    except ValueError:
        return None
    return place if 0 <= place[1] < LAST_ID else None


@object_page
class DraftReview(ObjectPage):
    """One draft beside the invoice before it, with the way to the next one."""

    model = Invoice
    slug = "review"
    label = "Review"
    permission = "invoicing.view_invoice"
    template = "admin/invoicing/invoice/review.html"

    def is_offered(self, subject: Any) -> bool:
        """Offer it for drafts."""
        return bool(subject.status == InvoiceStatus.DRAFT)

    def context(self, request: HttpRequest, subject: Any) -> Mapping[str, Any]:
        """Return old and new side by side; of what is issued only its status."""
        which = work_list_of(request)
        context: dict[str, Any] = {
            "draft": subject,
            "status_badge": invoice_badge(subject, local_today()),
            "list": which.value,
            "list_label": LABELS[which],
            "is_draft": subject.status == InvoiceStatus.DRAFT,
        }
        if not context["is_draft"]:
            return context
        before = invoices_before([subject]).get(subject.pk)
        place = place_of(subject, which)
        return context | {
            "before": before,
            "lines": compared_lines(subject, before),
            "difference": subject.total - before.total if before else None,
            "times": times_text(subject.total, before.total) if before else "",
            "place": place,
            "previous_url": review_url(place.before, which) if place.before else "",
            "next_url": review_url(place.following, which) if place.following else "",
            "siblings": list(
                drafts(WorkList.ALL)
                .filter(bill_group=subject.bill_group_id)
                .exclude(pk=subject.pk)[:DRAFTS_A_PAGE]
            ),
            "may_issue": request.user.has_perm("invoicing.issue_invoice"),
        }
