"""Forms of runs, imports and explanations, and the field for amounts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from django import forms

from billing.display import day_text
from billing.domain.money import currency_digits
from billing.models import LegalEntity
from config.adminsite.model_admin import DateInput
from contracts.domain.decimals import NotANumber, parse_decimal
from invoicing.models import InvoiceRun


class AmountField(forms.CharField):
    """An amount in a currency, more than zero, written so that it can't be misread."""

    def __init__(self, *, currency: str, **kwargs: Any) -> None:
        self.decimals = currency_digits(currency)
        attributes = {"inputmode": "decimal", "autocomplete": "off", "class": "amount"}
        super().__init__(widget=forms.TextInput(attrs=attributes), **kwargs)

    def clean(self, value: Any) -> Decimal | None:
        """Take digits with a decimal point; nothing where nothing is needed."""
        text: str = super().clean(value)
        if not text:
            return None
        try:
            amount = parse_decimal(text, decimals=self.decimals)
        except NotANumber as fault:
            raise forms.ValidationError(str(fault)) from fault
        if not amount:
            raise forms.ValidationError("Enter more than zero, or leave it blank.")
        return amount


class ImportDateForm(forms.Form):
    """As of which day a contract file is imported (I2, I3)."""

    import_date = forms.DateField(
        label="Import as of",
        widget=DateInput,
        help_text="Charges with an earlier bill date count as billed elsewhere. "
        "First invoices are dated this day.",
    )


class DryRunForm(forms.Form):
    """Which night to rehearse, for whom, and which run to compare it with."""

    legal_entity = forms.ModelChoiceField(
        LegalEntity.objects.order_by("pk"), empty_label=None
    )
    as_of = forms.DateField(label="Night of", widget=DateInput)
    compare_with = forms.TypedChoiceField(
        label="Compare with", coerce=int, empty_value=None, required=False
    )

    def offer_runs(self, runs: Sequence[InvoiceRun]) -> None:
        """Offer runs to compare with."""
        field = cast("forms.TypedChoiceField", self.fields["compare_with"])
        field.choices = [
            ("", "The last run"),
            *((run.pk, f"Run as of {day_text(run.as_of)}") for run in runs),
        ]


class RunForm(forms.Form):
    """Which night to look at before running it."""

    legal_entity = forms.ModelChoiceField(
        LegalEntity.objects.order_by("pk"), empty_label=None
    )
    as_of = forms.DateField(label="Night of", widget=DateInput)
