"""The form of a custom field's definition: choices as lines, the default as text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms

from customfields.choices import OWNERS
from customfields.domain.definition import FieldObject
from customfields.domain.kinds import InvalidValue, Kind, is_blank, parse, show
from customfields.models import CustomField
from customfields.queries import count_holders

if TYPE_CHECKING:
    CustomFieldModelForm = forms.ModelForm[CustomField]
else:
    CustomFieldModelForm = forms.ModelForm


class LinesField(forms.CharField):
    """A list of texts, one a line; blank lines don't count."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """Return the text of a list."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the list of a text."""
        lines = str(value or "").splitlines()
        return [line.strip() for line in lines if not is_blank(line)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, not texts."""
        return bool(self.to_python(data) != (initial or []))


class CustomFieldForm(CustomFieldModelForm):
    """Defines a custom field; its object, key and type only when it is added."""

    choices = LinesField(
        required=False,
        widget=forms.Textarea({"rows": 6, "class": "vLargeTextField"}),
        help_text="For the type choice: one a line, in the order they are offered.",
    )
    default = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 2, "class": "vLargeTextField"}),
        help_text="What a new object starts with. Yes/no: yes or no. "
        "Dates: YYYY-MM-DD.",
    )

    class Meta:
        model = CustomField
        fields = [
            "object",
            "key",
            "label",
            "kind",
            "choices",
            "required",
            "default",
            "help_text",
            "position",
            "printed",
            "archived",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.default is not None:
            kind = Kind(self.instance.kind)
            self.initial["default"] = show(kind, self.instance.default)

    def clean(self) -> dict[str, Any] | None:
        """Turn the default into its stored value; refuse to orphan a held choice."""
        cleaned = super().clean()
        kind = self.cleaned_data.get("kind", self.instance.kind)
        choices = self.cleaned_data.get("choices", [])
        self._read_default(Kind(kind) if kind in set(Kind) else Kind.TEXT, choices)
        if self.instance.pk is not None:
            self._refuse_orphans(choices)
        return cleaned

    def _read_default(self, kind: Kind, choices: Sequence[str]) -> None:
        text = self.cleaned_data.get("default", "")
        if is_blank(text):
            self.cleaned_data["default"] = None
            return
        try:
            self.cleaned_data["default"] = parse(kind, text, choices=choices)
        except InvalidValue as fault:
            self.add_error("default", str(fault))

    def _refuse_orphans(self, choices: Sequence[str]) -> None:
        words = OWNERS[FieldObject(self.instance.object)]
        for choice in self.instance.choices:
            if choice in choices:
                continue
            count = count_holders(self.instance, value=choice)
            if count:
                self.add_error(
                    "choices",
                    f"{words.counted(count)} {'holds' if count == 1 else 'hold'} the "
                    f"choice {choice}. Keep it here, or change it there first.",
                )
