"""Ready-made views of the portal worklist, and what a filtered set adds up to (F3)."""

from dataclasses import replace
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from invoicing.admin.invoice_views import View, view
from invoicing.choices import PORTAL_STATES
from invoicing.domain.portal import PortalState
from invoicing.filters_of_portal import TO_DO
from invoicing.models import PortalSubmission
from invoicing.queries.portal import that_stand, to_do


def portal_views(request: HttpRequest) -> list[View]:
    """Return what is to do, all, and the states; counted is what waits for a person."""
    every = PortalSubmission.objects.all()
    given = request.GET
    waiting = {PortalState.TO_SUBMIT, PortalState.DISPUTED}
    return [
        view("To do", {"state": TO_DO}, given, counted=to_do(every)),
        replace(view("All", {}, given), query="?state="),
        *(
            view(
                PORTAL_STATES.badge(state).label,
                {"state": state.value},
                given,
                counted=that_stand(every, state) if state in waiting else None,
            )
            for state in PORTAL_STATES.badges
            if isinstance(state, PortalState)
        ),
    ]


def portal_totals(rows: QuerySet[PortalSubmission]) -> list[dict[str, Any]]:
    """Return count and total of invoices, and what credit notes take, by currency."""
    found: Any = (
        rows.order_by()
        .values("invoice__currency")
        .annotate(
            count=Count("pk"),
            total=Coalesce(
                Sum("invoice__total", filter=Q(credit_note=None)),
                Sum("invoice__total") * 0,
            ),
            second=Coalesce(Sum("credit_note__total"), Sum("invoice__total") * 0),
        )
        .order_by("invoice__currency")
    )
    return [
        {**row, "currency": row["invoice__currency"], "second_label": "in credit notes"}
        for row in found
    ]
