"""Filters of credit notes and payments."""

import django_filters
from django.db.models import QuerySet

from invoicing.choices import CREDIT_NOTE_STATUSES, CREDIT_REASONS
from invoicing.filter_kinds import (
    AccountFilter,
    AmountsFilter,
    BillGroupFilter,
    CurrencyFilter,
    DatesFilter,
)
from invoicing.models import CreditNote, Payment


class CreditNoteFilter(django_filters.FilterSet):
    """By status, kind, dates, amount, currency, account and bill group."""

    status = django_filters.ChoiceFilter(
        choices=list(CREDIT_NOTE_STATUSES), empty_label="All"
    )
    reason_code = django_filters.ChoiceFilter(
        label="Kind", choices=list(CREDIT_REASONS), empty_label="All"
    )
    issue_date = DatesFilter("Issued")
    total = AmountsFilter("Total")
    currency = CurrencyFilter()
    account = AccountFilter("invoice__account")
    bill_group = BillGroupFilter("invoice__bill_group")

    class Meta:
        model = CreditNote
        fields: list[str] = []


class PaymentFilter(django_filters.FilterSet):
    """By state, day, amount, currency, account and bill group."""

    state = django_filters.ChoiceFilter(
        choices=[("stands", "Received"), ("taken_back", "Taken back")],
        method="in_state",
        label="State",
        empty_label="All",
    )
    received_on = DatesFilter("Received")
    amount = AmountsFilter("Amount")
    currency = CurrencyFilter()
    account = AccountFilter("bill_group__account")
    bill_group = BillGroupFilter("bill_group")

    class Meta:
        model = Payment
        fields: list[str] = []

    def in_state(
        self, payments: QuerySet[Payment], name: str, value: str
    ) -> QuerySet[Payment]:
        """Find those that stand, or were taken back."""
        return payments.filter(taken_back_on__isnull=value == "stands")
