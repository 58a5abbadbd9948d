"""Filters of invoices: one set for the list and its export, one for an account's page.

The second is the first without what an account's page has no use for, so that its
filters lead to the list and the export as they stand.
"""

from datetime import date
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from billing.models import Account
from billing.queries import bill_group_by_public_id, search_accounts
from config.adminsite.filters import DaysFilter
from config.clock import today_in
from invoicing.choices import INVOICE_STATUSES
from invoicing.models import Invoice
from invoicing.queries.claims import not_credited_in_full, superseded
from invoicing.queries.overdue import overdue, time_zones


def local_days() -> dict[int, date]:
    """Return the date of today where each legal entity is, by its id."""
    return {pk: today_in(zone) for pk, zone in time_zones().items()}


class LabelledDates(django_filters.widgets.DateRangeWidget):
    """From and to, each with its own label."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for widget, label in zip(self.widgets, ("From", "To"), strict=True):
            widget.attrs |= {"aria-label": label, "type": "date"}
            widget.input_type = "date"


class LabelledAmounts(django_filters.widgets.RangeWidget):
    """At least and at most, each with its own label."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for widget, label in zip(self.widgets, ("At least", "At most"), strict=True):
            widget.attrs |= {
                "aria-label": label,
                "placeholder": label,
                "inputmode": "decimal",
            }


class InvoiceFilter(django_filters.FilterSet):
    """By status, dates, amount, currency, account, bill group, run and marks."""

    status = django_filters.ChoiceFilter(
        choices=list(INVOICE_STATUSES), empty_label="All"
    )
    issue_date = DaysFilter(label="Issued", widget=LabelledDates)
    due_date = DaysFilter(label="Due", widget=LabelledDates)
    total = django_filters.RangeFilter(label="Total", widget=LabelledAmounts)
    currency = django_filters.CharFilter(method="in_currency")
    account = django_filters.CharFilter(
        method="of_account",
        help_text="Number or name.",
        widget=forms.TextInput(
            attrs={"data-suggest": "billing.account", "autocomplete": "off"}
        ),
    )
    bill_group = django_filters.CharFilter(
        method="of_bill_group", label="Bill group", help_text="For example BG-000123."
    )
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

    def in_currency(
        self, invoices: QuerySet[Invoice], name: str, value: str
    ) -> QuerySet[Invoice]:
        """Take the code in small letters too."""
        return invoices.filter(currency=value.strip().upper())

    def of_account(
        self, invoices: QuerySet[Invoice], name: str, value: str
    ) -> QuerySet[Invoice]:
        """Find the invoices of the account with this number, or of those like it."""
        exact = Account.objects.filter(number=value.strip())
        accounts = (
            exact if exact.exists() else search_accounts(Account.objects.all(), value)
        )
        return invoices.filter(account__in=accounts.values("pk"))

    def of_bill_group(
        self, invoices: QuerySet[Invoice], name: str, value: str
    ) -> QuerySet[Invoice]:
        """Find the invoices of one bill group by its public id."""
        group = bill_group_by_public_id(value)
        return invoices.filter(bill_group=group) if group else invoices.none()


class AccountInvoiceFilter(InvoiceFilter):
    """The same filters for the invoices of one account."""

    account = None
    run = None
