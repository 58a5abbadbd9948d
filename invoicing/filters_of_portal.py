"""Filters of the portal worklist: portal, state, age, account and bill group."""

from datetime import timedelta
from typing import Any, Final

import django_filters
from django.db.models import QuerySet
from django.utils import timezone

from billing.models import PortalProfile
from config.clock import now
from invoicing.choices import PORTAL_STATES
from invoicing.domain.portal import PortalState
from invoicing.filter_kinds import AccountFilter, BillGroupFilter, DatesFilter
from invoicing.models import PortalSubmission
from invoicing.queries.portal import IS_PAID, that_stand, to_do

TO_DO: Final = "TO_DO"
STATES: Final = [(TO_DO, "To submit or disputed"), *PORTAL_STATES]
AGES: Final = [(days, f"More than {days} days") for days in ("3", "7", "14", "30")]
KINDS: Final = [("invoice", "Invoices"), ("credit_note", "Credit notes")]


def portals(request: Any) -> QuerySet[PortalProfile]:
    """Return the portals by name."""
    return PortalProfile.objects.order_by("name", "pk")


class PortalFilter(django_filters.FilterSet):
    """Which documents for portals a list shows."""

    state = django_filters.ChoiceFilter(
        choices=STATES, method="that_stand", empty_label="All"
    )
    portal = django_filters.ModelChoiceFilter(queryset=portals, empty_label="All")
    age = django_filters.ChoiceFilter(
        label="Waiting",
        choices=AGES,
        method="older_than",
        empty_label="However long",
        help_text="Since the issue, and not closed.",
    )
    kind = django_filters.ChoiceFilter(
        label="Kind", choices=KINDS, method="of_kind", empty_label="All"
    )
    issue_date = DatesFilter("Issued")
    account = AccountFilter("bill_group__account")
    bill_group = BillGroupFilter("bill_group")

    class Meta:
        model = PortalSubmission
        fields: list[str] = []

    def that_stand(
        self, rows: QuerySet[PortalSubmission], name: str, value: str
    ) -> QuerySet[PortalSubmission]:
        """Find those that stand so, or that wait for a person."""
        if value == TO_DO:
            return to_do(rows)
        return that_stand(rows, PortalState(value))

    def older_than(
        self, rows: QuerySet[PortalSubmission], name: str, value: str
    ) -> QuerySet[PortalSubmission]:
        """Find those that wait for longer than so many days since their issue."""
        day = timezone.localdate(now()) - timedelta(days=int(value))
        waiting = ["TO_SUBMIT", "SUBMITTED", "DISPUTED"]
        return rows.filter(issue_date__lt=day, state__in=waiting).exclude(IS_PAID)

    def of_kind(
        self, rows: QuerySet[PortalSubmission], name: str, value: str
    ) -> QuerySet[PortalSubmission]:
        """Find invoices or credit notes."""
        return rows.filter(credit_note__isnull=value == "invoice")
