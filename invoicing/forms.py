"""Forms of runs, imports and explanations."""

from django import forms

from billing.models import LegalEntity
from config.adminsite.model_admin import DateInput


class ImportDateForm(forms.Form):
    """As of which day a contract file is imported (I2, I3)."""

    import_date = forms.DateField(
        label="Import as of",
        widget=DateInput,
        help_text="Charges with an earlier bill date count as billed elsewhere. "
        "First invoices are dated this day.",
    )


class DryRunForm(forms.Form):
    """Which night to rehearse, for whom."""

    legal_entity = forms.ModelChoiceField(
        LegalEntity.objects.order_by("pk"), empty_label=None
    )
    as_of = forms.DateField(label="Night of", widget=DateInput)


class RunForm(forms.Form):
    """For whom to run tonight's invoicing now."""

    legal_entity = forms.ModelChoiceField(
        LegalEntity.objects.order_by("pk"), empty_label=None
    )
