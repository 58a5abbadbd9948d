"""Which statement of an account is meant."""

from datetime import date, timedelta
from typing import cast

from django import forms

from billing.models import Account, BillGroup
from config.adminsite.model_admin import DateInput


class StatementForm(forms.Form):
    """The range of dates, both inclusive, and one bill group or all of them."""

    first = forms.DateField(label="From", widget=DateInput)
    last = forms.DateField(label="To", widget=DateInput)
    bill_group = forms.ModelChoiceField(
        BillGroup.objects.none(),
        label="Bill group",
        required=False,
        empty_label="Whole account",
    )

    def offer_groups_of(self, account: Account) -> None:
        """Offer the bill groups of an account."""
        field = cast("forms.ModelChoiceField[BillGroup]", self.fields["bill_group"])
        field.queryset = (
            BillGroup.objects.filter(account=account)
            .select_related("account")
            .order_by("pk")
        )


def usual_range(today: date) -> tuple[date, date]:
    """Return the dates a statement is mostly asked for: last month until today."""
    last_month = today.replace(day=1) - timedelta(days=1)
    return last_month.replace(day=1), today
