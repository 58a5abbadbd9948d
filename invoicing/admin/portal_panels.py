"""Where the portal shows elsewhere: Today, navigation, bill group, invoice, credit."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.admin.portal_profile import portal_link
from billing.display import count_text
from billing.models import BillGroup
from config.adminsite import registry
from config.adminsite.registry import Count, Panel, WorkItem
from invoicing.admin.portal_missing import rows_of_group
from invoicing.choices import PORTAL_STATES
from invoicing.domain.portal import PortalState
from invoicing.models import CreditNote, Invoice, PortalStep, PortalSubmission
from invoicing.queries.portal import (
    PortalCounts,
    counts_of_groups,
    missing_of_group,
    that_stand,
    waiting_counts,
)

NOTHING_WAITS = PortalCounts(to_submit=0, submitted=0, disputed=0)


def worklist_url(state: PortalState, **filters: str) -> str:
    """Return the worklist filtered by state."""
    rest = "".join(f"&{name}={value}" for name, value in filters.items())
    base = reverse("admin:invoicing_portalsubmission_changelist")
    return f"{base}?state={state}{rest}"


def waiting_text(counts: PortalCounts) -> str:
    """Say what waits in a portal, in a few words."""
    said = (
        (counts.to_submit, "to submit"),
        (counts.disputed, "disputed"),
        (counts.submitted, "without an answer"),
    )
    return ", ".join(f"{count:,} {what}" for count, what in said if count)


def _counts(request: HttpRequest) -> PortalCounts:
    """Count once a request: Today and the navigation both show it."""
    kept: PortalCounts | None = vars(request).get("_portal_counts")
    if kept is None:
        kept = waiting_counts(PortalSubmission.objects.all())
        vars(request)["_portal_counts"] = kept
    return kept


def work(request: HttpRequest) -> Iterator[WorkItem]:
    """Yield disputes first, then what is to be uploaded."""
    if not request.user.has_perm("invoicing.view_portalsubmission"):
        return
    counts = _counts(request)
    yield WorkItem(
        count=counts.disputed,
        label="Disputed in a portal",
        detail=_latest_dispute() if counts.disputed else "",
        url=worklist_url(PortalState.DISPUTED),
        is_urgent=True,
    )
    yield WorkItem(
        count=counts.to_submit,
        label="To submit to a portal",
        detail="Download a bundle, upload it, and mark the documents submitted",
        url=worklist_url(PortalState.TO_SUBMIT),
    )


def _latest_dispute() -> str:
    disputed = that_stand(PortalSubmission.objects.all(), PortalState.DISPUTED)
    newest = disputed.order_by("-step_date", "-pk").values("pk")[:1]
    steps = PortalStep.objects.filter(submission__in=newest, state=PortalState.DISPUTED)
    return steps.order_by("-pk").values_list("note", flat=True).first() or ""


def counts(request: HttpRequest) -> Iterator[Count]:
    """Count disputes and uploads beside Portal."""
    if not request.user.has_perm("invoicing.view_portalsubmission"):
        return
    waiting = _counts(request)
    yield Count(
        door="portal",
        count=waiting.disputed,
        noun="disputed in a portal",
        is_urgent=True,
    )
    yield Count(door="portal", count=waiting.to_submit, noun="to submit to a portal")


def group_panel(request: HttpRequest, group: Any) -> Panel | None:
    """Show the portal of a bill group, what it asks for and lacks, and what waits."""
    if not request.user.has_perm("invoicing.view_portalsubmission"):
        return None
    waiting = counts_of_groups([group]).get(group.pk)
    if not group.is_by_portal and waiting is None:
        return None
    portal = group.portal
    return Panel(
        template="admin/invoicing/includes/portal_panel.html",
        context={
            "portal": portal,
            "is_by_portal": group.is_by_portal,
            "link": portal_link(portal) if portal and portal.address else "",
            "missing": rows_of_group(missing_of_group(group), group),
            "waiting": waiting_text(waiting or NOTHING_WAITS),
            "worklist": reverse("admin:invoicing_portalsubmission_changelist")
            + f"?bill_group={group.public_id}",
        },
    )


def invoice_panel(request: HttpRequest, invoice: Any) -> Panel | None:
    """Show how an invoice and its credit notes stand in their portal."""
    return _document_panel(request, invoice.pk)


def credit_note_panel(request: HttpRequest, note: Any) -> Panel | None:
    """Show how a credit note and its invoice stand in their portal."""
    return _document_panel(request, note.invoice_id)


def _document_panel(request: HttpRequest, invoice_id: int) -> Panel | None:
    if not request.user.has_perm("invoicing.view_portalsubmission"):
        return None
    rows = list(
        PortalSubmission.objects.filter(invoice=invoice_id)
        .select_related("invoice", "credit_note", "portal")
        .order_by("pk")
    )
    if not rows:
        return None
    return Panel(
        template="admin/invoicing/includes/portal_documents_panel.html",
        context={
            "portal": rows[0].portal,
            "documents": [
                {"row": row, "badge": PORTAL_STATES.badge(row.standing)} for row in rows
            ],
            "count": count_text(len(rows), "document"),
        },
    )


registry.work.insert(1, work)
registry.counts.append(counts)
registry.object_panels.setdefault(BillGroup, []).insert(0, group_panel)
registry.object_panels.setdefault(Invoice, []).append(invoice_panel)
registry.object_panels.setdefault(CreditNote, []).append(credit_note_panel)
