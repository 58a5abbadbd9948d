"""Filters of invoices: one set for the list and its export, one for an account's page.

The second is the first without what an account's page has no use for, so that its
filters lead to the list and the export as they stand.
"""

from datetime import date

import django_filters
from django.db.models import QuerySet

from config.clock import today_in
from invoicing.choices import INVOICE_STATUSES
from invoicing.filter_kinds import (
    AccountFilter,
    AmountsFilter,
    BillGroupFilter,
    CurrencyFilter,
    DatesFilter,
)
from invoicing.models import Invoice
from invoicing.queries.claims import not_credited_in_full, superseded
from invoicing.queries.overdue import overdue, time_zones


def local_days() -> dict[int, date]:
    """Return the date of today where each legal entity is, by its id."""
    return {pk: today_in(zone) for pk, zone in time_zones().items()}


class InvoiceFilter(django_filters.FilterSet):
    """By status, dates, amount, currency, account, bill group, run and marks."""

    status = django_filters.ChoiceFilter(
        choices=list(INVOICE_STATUSES), empty_label="All"
    )
    issue_date = DatesFilter("Issued")
    due_date = DatesFilter("Due")
    total = AmountsFilter("Total")
    currency = CurrencyFilter()
    account = AccountFilter("account")
    bill_group = BillGroupFilter("bill_group")
    run = django_filters.NumberFilter(label="Run")
    overdue = django_filters.ChoiceFilter(
        label="Overdue",
        choices=[("yes", "Overdue")],
        empty_label="All",
        method="by_overdue",
    )
    superseded = django_filters.ChoiceFilter(
        label="Superseded",
        choices=[("yes", "Superseded"), ("to_credit", "Superseded, not credited")],
        empty_label="All",
        method="by_superseded",
    )

    class Meta:
        model = Invoice
        fields: list[str] = []

    def by_overdue(
        self, invoices: QuerySet[Invoice], name: str, value: str
    ) -> QuerySet[Invoice]:
        """Find what is open past its due date, where its legal entity is."""
        return overdue(invoices, local_days())

    def by_superseded(
        self, invoices: QuerySet[Invoice], name: str, value: str
    ) -> QuerySet[Invoice]:
        """Find what was replaced, or is only to be credited (A3)."""
        found = superseded(invoices)
        return not_credited_in_full(found) if value == "to_credit" else found


class AccountInvoiceFilter(InvoiceFilter):
    """The same filters for the invoices of one account."""

    account = None  # type: ignore[assignment]  # leaves it out
    run = None
