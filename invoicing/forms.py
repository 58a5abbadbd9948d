"""Forms of runs, imports and explanations."""

from collections.abc import Sequence
from typing import cast

from django import forms

from billing.display import day_text
from billing.models import LegalEntity
from config.adminsite.model_admin import DateInput
from invoicing.models import InvoiceRun


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
