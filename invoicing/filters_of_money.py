"""Filters of credit notes and payments."""

import django_filters
from django import forms
from django.db.models import QuerySet

from billing.models import Account
from billing.queries import bill_group_by_public_id, search_accounts
from config.adminsite.filters import DaysFilter
from invoicing.choices import CREDIT_NOTE_STATUSES, CREDIT_REASONS
from invoicing.filters import LabelledAmounts, LabelledDates
from invoicing.models import CreditNote, Payment


def suggesting(source: str) -> forms.TextInput:
    """Return a text field with suggestions while typing."""
    return forms.TextInput(attrs={"data-suggest": source, "autocomplete": "off"})


def accounts_like(text: str) -> QuerySet[Account]:
    """Return the account with this number, or those like it."""
    exact = Account.objects.filter(number=text.strip())
    return exact if exact.exists() else search_accounts(Account.objects.all(), text)


class CreditNoteFilter(django_filters.FilterSet):
    """By status, kind, dates, amount, currency, account and bill group."""

    status = django_filters.ChoiceFilter(
        choices=list(CREDIT_NOTE_STATUSES), empty_label="All"
    )
    reason_code = django_filters.ChoiceFilter(
        label="Kind", choices=list(CREDIT_REASONS), empty_label="All"
    )
    issue_date = DaysFilter(label="Issued", widget=LabelledDates)
    total = django_filters.RangeFilter(label="Total", widget=LabelledAmounts)
    currency = django_filters.CharFilter(method="in_currency")
    account = django_filters.CharFilter(
        method="of_account",
        label="Account",
        help_text="Number or name.",
        widget=suggesting("billing.account"),
    )
    bill_group = django_filters.CharFilter(
        method="of_bill_group", label="Bill group", help_text="For example BG-000123."
    )

    class Meta:
        model = CreditNote
        fields: list[str] = []

    def in_currency(
        self, notes: QuerySet[CreditNote], name: str, value: str
    ) -> QuerySet[CreditNote]:
        """Take the code in small letters too."""
        return notes.filter(currency=value.strip().upper())

    def of_account(
        self, notes: QuerySet[CreditNote], name: str, value: str
    ) -> QuerySet[CreditNote]:
        """Find the credit notes of an account."""
        return notes.filter(invoice__account__in=accounts_like(value).values("pk"))

    def of_bill_group(
        self, notes: QuerySet[CreditNote], name: str, value: str
    ) -> QuerySet[CreditNote]:
        """Find the credit notes of one bill group by its public id."""
        group = bill_group_by_public_id(value)
        return notes.filter(invoice__bill_group=group) if group else notes.none()


class PaymentFilter(django_filters.FilterSet):
    """By state, day, amount, currency, account and bill group."""

    state = django_filters.ChoiceFilter(
        choices=[("stands", "Received"), ("taken_back", "Taken back")],
        method="in_state",
        label="State",
        empty_label="All",
    )
    received_on = DaysFilter(label="Received", widget=LabelledDates)
    amount = django_filters.RangeFilter(label="Amount", widget=LabelledAmounts)
    currency = django_filters.CharFilter(method="in_currency")
    account = django_filters.CharFilter(
        method="of_account",
        label="Account",
        help_text="Number or name.",
        widget=suggesting("billing.account"),
    )
    bill_group = django_filters.CharFilter(
        method="of_bill_group", label="Bill group", help_text="For example BG-000123."
    )

    class Meta:
        model = Payment
        fields: list[str] = []

    def in_state(
        self, payments: QuerySet[Payment], name: str, value: str
    ) -> QuerySet[Payment]:
        """Find those that stand, or were taken back."""
        return payments.filter(taken_back_on__isnull=value == "stands")

    def in_currency(
        self, payments: QuerySet[Payment], name: str, value: str
    ) -> QuerySet[Payment]:
        """Take the code in small letters too."""
        return payments.filter(currency=value.strip().upper())

    def of_account(
        self, payments: QuerySet[Payment], name: str, value: str
    ) -> QuerySet[Payment]:
        """Find the payments of an account."""
        return payments.filter(
            bill_group__account__in=accounts_like(value).values("pk")
        )

    def of_bill_group(
        self, payments: QuerySet[Payment], name: str, value: str
    ) -> QuerySet[Payment]:
        """Find the payments of one bill group by its public id."""
        group = bill_group_by_public_id(value)
        return payments.filter(bill_group=group) if group else payments.none()
