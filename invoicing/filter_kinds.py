"""Kinds of filters that several lists share, with their widgets."""

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from billing.models import Account
from billing.queries import bill_group_by_public_id, search_accounts
from config.adminsite.filters import DaysFilter


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


class DatesFilter(DaysFilter):
    """Between two dates, both included."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, widget=LabelledDates)


class AmountsFilter(django_filters.RangeFilter):
    """Between two amounts, both included."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, widget=LabelledAmounts)


class CurrencyFilter(django_filters.CharFilter):
    """In a currency, by its code in capital or small letters."""

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Find the rows with this code; all without one."""
        return rows.filter(currency=value.upper()) if value else rows


class AccountFilter(django_filters.CharFilter):
    """Of the account with a number, or of those whose number or name begins so."""

    def __init__(self, field_name: str) -> None:
        typed = forms.TextInput(
            attrs={"data-suggest": "billing.account", "autocomplete": "off"}
        )
        super().__init__(
            field_name, label="Account", help_text="Number or name.", widget=typed
        )

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Find the rows of these accounts; all without a text."""
        if not value:
            return rows
        accounts = Account.objects.filter(number=value)
        if not accounts.exists():
            accounts = search_accounts(Account.objects.all(), value)
        return rows.filter(**{f"{self.field_name}__in": accounts.values("pk")})


class BillGroupFilter(django_filters.CharFilter):
    """Of a bill group, by its public id."""

    def __init__(self, field_name: str) -> None:
        super().__init__(
            field_name, label="Bill group", help_text="For example BG-000123."
        )

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Find the rows of this bill group; all without an id."""
        if not value:
            return rows
        group = bill_group_by_public_id(value)
        return rows.filter(**{self.field_name: group}) if group else rows.none()
