"""The credit balance on the page of a bill group (M4)."""

from decimal import Decimal
from typing import Any, Final

from django.http import HttpRequest

from billing.models import BillGroup
from config.adminsite import registry
from config.adminsite.registry import Panel
from invoicing.queries.balances import balance_left, entries_left

ENTRIES_SHOWN: Final = 10


def balance_panel(request: HttpRequest, group: Any) -> Panel | None:
    """Show what is left, by source; nothing to those who may not see payments."""
    if not request.user.has_perm("invoicing.view_balanceentry"):
        return None
    entries = entries_left([group]).select_related("credit_note", "payment")
    return Panel(
        template="admin/invoicing/includes/balance_panel.html",
        context={
            "group": group,
            "left": balance_left([group]).get(group.currency, Decimal(0)),
            "entries": list(entries.order_by("pk")[:ENTRIES_SHOWN]),
        },
    )


registry.object_panels.setdefault(BillGroup, []).append(balance_panel)
