"""Forms of runs, imports, explanations, stopped groups and closings; amounts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from django import forms

from billing.display import count_text, day_text
from billing.domain.money import currency_digits
from billing.models import LegalEntity
from config.adminsite.model_admin import DateInput
from contracts.domain.decimals import NotANumber, parse_decimal
from invoicing.models import InvoiceRun
from invoicing.services.resuming import Choice, Missed


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


FOR_ALL = [
    ("", "As chosen for each below"),
    (Choice.BILL.value, "Bill all now"),
    (Choice.SKIP.value, "Skip all"),
    (Choice.LEAVE.value, "Leave all pending"),
]


class ResumeForm(forms.Form):
    """What becomes of each pending invoice that a bill group missed (S3).

    `cleaned_data` has `choices` by bill date; one for all outweighs those of each.
    Nothing is asked where none was missed.
    """

    reason = forms.CharField(
        label="Reason",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed where one is skipped; kept with it for whoever asks later.",
    )

    def __init__(self, *args: Any, missed: Sequence[Missed], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.missed = missed
        if not missed:
            del self.fields["reason"]
        if len(missed) > 1:
            self.fields["for_all"] = forms.ChoiceField(
                label="For all",
                choices=FOR_ALL,
                required=False,
                help_text="What can't be billed stays pending.",
            )
        for one in missed:
            self.fields[_name(one)] = forms.ChoiceField(
                label=f"Bill date {day_text(one.bill_date)}",
                choices=_offered(one),
                initial=Choice.LEAVE,
                widget=forms.Select(
                    attrs={"aria-label": f"Bill date {day_text(one.bill_date)}"}
                ),
            )

    @property
    def rows(self) -> list[tuple[Missed, forms.BoundField]]:
        """What was missed, each with its field."""
        return [(one, self[_name(one)]) for one in self.missed]

    def clean(self) -> dict[str, Any]:
        """Collect the choices, and insist on a reason where one is skipped."""
        given = super().clean() or self.cleaned_data
        for_all = given.get("for_all", "")
        choices = {
            one.bill_date: _possible(one, for_all or given[_name(one)])
            for one in self.missed
            if given.get(_name(one))
        }
        if Choice.SKIP in choices.values() and not given.get("reason"):
            self.add_error("reason", "Say why it is skipped.")
        return given | {"choices": choices}


class ClosingForm(forms.Form):
    """The confirmation that what people stopped stays pending over a closing (M6)."""

    seen = forms.BooleanField(
        error_messages={"required": "Confirm that they stay pending."}
    )

    def __init__(self, *args: Any, stopped: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not stopped:
            del self.fields["seen"]
            return
        self.fields["seen"].label = (
            f"{count_text(stopped, 'pending invoice')} stopped by people: I have seen "
            "the list, and what is on it stays pending"
        )


def _possible(missed: Missed, choice: str) -> Choice:
    """Return a choice for one of those missed: what can't be billed is left."""
    if choice == Choice.BILL and missed.refusal:
        return Choice.LEAVE
    return Choice(choice)


def _name(missed: Missed) -> str:
    return f"of_{missed.bill_date:%Y%m%d}"


def _offered(missed: Missed) -> list[tuple[str, str]]:
    offered = [
        (Choice.LEAVE.value, "Leave pending"),
        (Choice.BILL.value, "Bill now"),
        (Choice.SKIP.value, "Skip"),
    ]
    return [offered[0], offered[2]] if missed.refusal else offered
