"""Pending invoices of all bill groups: the plan, by bill date (not documents yet)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.http import HttpRequest

from billing.choices import BILL_GROUP_AWAITING, BILL_GROUP_STATUSES, Badge
from billing.domain.bill_group import BillGroupStatus, InvoicingMode
from billing.models import BillGroup, InvoicingSettings
from config.adminsite.model_admin import DateInput
from config.adminsite.pages import SitePage, site_page
from invoicing.admin.invoice import local_today
from invoicing.queries.pending import parked_reasons
from invoicing.queries.plan import PendingRow, pending_page, pending_totals

PER_PAGE: Final = 60
DAYS_AHEAD: Final = 30


class PendingFilterForm(forms.Form):
    """Which bill dates."""

    through = forms.DateField(label="Bill date through", widget=DateInput)


@site_page
class PendingInvoices(SitePage):
    """What will be invoiced, group by group, oldest first."""

    route = "invoicing/pending/"
    name = "invoicing_pending"
    permission = "contracts.view_scheduledcharge"
    title = "Pending invoices"
    template = "admin/invoicing/pending.html"

    def context(self, request: HttpRequest) -> Mapping[str, Any]:
        """Read one page in index order, and the totals by currency."""
        today = local_today()
        form = PendingFilterForm(
            {"through": request.GET.get("through") or today + timedelta(DAYS_AHEAD)},
            label_suffix="",
        )
        if not form.is_valid():
            return {"form": form, "rows": [], "totals": []}
        through = form.cleaned_data["through"]
        after = _position(request.GET.get("after", ""))
        rows = pending_page(through=through, after=after, size=PER_PAGE + 1)
        groups = (
            BillGroup.objects.filter(pk__in={row.bill_group_id for row in rows})
            .select_related("account")
            .in_bulk()
        )
        parked = parked_reasons(groups)
        manual = _entities_by_hand()
        shown = rows[:PER_PAGE]
        last = shown[-1] if len(rows) > PER_PAGE else None
        return {
            "form": form,
            "through": through,
            "rows": [
                _row(
                    row,
                    groups[row.bill_group_id],
                    today,
                    is_parked=row.bill_group_id in parked,
                    by_hand=groups[row.bill_group_id].legal_entity_id in manual,
                )
                for row in shown
            ],
            "totals": pending_totals(through=through),
            "is_first": after is None,
            "following": f"{last.bill_date}_{last.bill_group_id}" if last else "",
        }


def _entities_by_hand() -> set[int]:
    """Return the legal entities whose invoicing is manual (G1)."""
    rows = InvoicingSettings.objects.filter(invoicing=InvoicingMode.MANUAL)
    return set(rows.values_list("legal_entity_id", flat=True))


def _row(
    row: PendingRow, group: BillGroup, today: date, *, is_parked: bool, by_hand: bool
) -> dict[str, Any]:
    badge = _badge(row, group, today, by_hand=by_hand)
    is_stopped = group.status != BillGroupStatus.ACTIVE
    shown = Badge("Parked", "stop") if is_parked and not is_stopped else badge
    return {"row": row, "group": group, "badge": shown}


def _badge(row: PendingRow, group: BillGroup, today: date, *, by_hand: bool) -> Badge:
    """Return what stands in the way on the group's side; the run decides the rest."""
    if group.status != BillGroupStatus.ACTIVE:
        return BILL_GROUP_STATUSES.badge(group.status)
    if by_hand or group.invoicing == InvoicingMode.MANUAL:
        return Badge("By hand only", "past")
    if group.awaiting_manual_invoice:
        return BILL_GROUP_AWAITING
    if row.bill_date <= today:
        return Badge("Due", "wait")
    return Badge("Planned", "pencil")


def _position(text: str) -> tuple[date, int] | None:
    """Return the bill date and group after which a page begins."""
    day, _, group = text.partition("_")
    try:
        return date.fromisoformat(day), int(group)
    except ValueError:
        return None
