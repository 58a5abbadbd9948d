"""The forms of the steps through a portal: reference, day, note, proof (F3)."""

from datetime import date
from typing import Any

from django import forms

from config.adminsite.model_admin import DateInput
from invoicing.services.portal import (
    LONGEST_NOTE,
    LONGEST_REFERENCE,
    StepIncomplete,
    checked_note,
    checked_reference,
)
from invoicing.services.portal_files import (
    ACCEPTED,
    MOST_BYTES,
    CheckedFile,
    FileRefused,
    check_file,
)


class ProofField(forms.FileField):
    """A file that proves a step, checked for what it is."""

    widget = forms.ClearableFileInput(attrs={"accept": ACCEPTED})

    def clean(self, data: Any, initial: Any = None) -> CheckedFile | None:
        """Return the file as it is stored; None without one."""
        uploaded = super().clean(data, initial)
        if not uploaded:
            return None
        try:
            # One byte more than fits: enough to tell that it is too large.
            return check_file(name=uploaded.name, content=uploaded.read(MOST_BYTES + 1))
        except FileRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


def _file() -> ProofField:
    return ProofField(
        label="Screenshot or confirmation",
        required=False,
        help_text="PNG, JPEG, PDF or a mail (EML), at most 5 MB.",
    )


class StepForm(forms.Form):
    """The day of a step; it starts as today, and is not after the `latest` day."""

    on = forms.DateField(label="Date", widget=DateInput)

    def __init__(
        self, *args: Any, today: date, latest: date | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.latest = latest or today
        self.fields["on"].initial = today

    def clean_on(self) -> date:
        """Refuse a day that has not come."""
        on: date = self.cleaned_data["on"]
        if on > self.latest:
            raise forms.ValidationError(
                "This day lies in the future. Write a day by today."
            )
        return on

    def clean_reference(self) -> str:
        """Take a reference that can be stored and shown."""
        return _checked(checked_reference, self.cleaned_data["reference"])

    def clean_note(self) -> str:
        """Take a note that can be stored and shown."""
        return _checked(checked_note, self.cleaned_data["note"])


class SubmitForm(StepForm):
    """What is noted of an upload."""

    field_order = ("reference", "on", "note", "file")
    reference = forms.CharField(
        max_length=LONGEST_REFERENCE,
        strip=False,
        help_text="The number that the portal shows for the upload.",
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    file = _file()


class AcceptForm(StepForm):
    """What is noted when the portal accepts; a reference only where it gives one."""

    field_order = ("reference", "on", "note", "file")
    reference = forms.CharField(
        required=False,
        strip=False,
        max_length=LONGEST_REFERENCE,
        help_text="Blank: the one of the upload stays.",
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    file = _file()


class DisputeForm(StepForm):
    """Why the customer or the portal rejected it."""

    field_order = ("note", "on", "file")
    note = forms.CharField(
        label="Reason",
        max_length=LONGEST_NOTE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the portal says; it is shown with the document.",
    )
    file = _file()


class WithdrawForm(StepForm):
    """Why a document is not uploaded (any more)."""

    field_order = ("note", "on")
    note = forms.CharField(
        label="Reason",
        max_length=LONGEST_NOTE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _checked(check: Any, text: str) -> str:
    try:
        return str(check(text))
    except StepIncomplete as refusal:
        raise forms.ValidationError(str(refusal)) from refusal
