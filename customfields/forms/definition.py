"""The form of a custom field's definition: choices as lines, the default as text."""

import unicodedata
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
        lines = unicodedata.normalize("NFC", str(value or "")).splitlines()
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

    keep_held = forms.BooleanField(
        required=False,
        label="remove choices that are held",
        help_text="Where such a choice is held it stays and is shown as no longer "
        "offered. Nobody can choose it anew.",
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
            "in_list",
            "in_filter",
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
        if self.instance._state.adding:
            self._refuse_held_key()
        else:
            self._retire(choices)
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

    def _refuse_held_key(self) -> None:
        """Values of a field that was deleted meanwhile would become the new one's."""
        name: Any = self.cleaned_data.get("object")
        key = self.cleaned_data.get("key")
        if name not in set(FieldObject) or not key:
            return
        count = count_holders(CustomField(object=name, key=key))
        if count:
            words = OWNERS[FieldObject(name)]
            self.add_error(
                "key",
                f"{words.counted(count)} {'holds' if count == 1 else 'hold'} a value "
                f"under the key {key} from before. Choose another key.",
            )

    def _retire(self, choices: Sequence[str]) -> None:
        """Note the held choices that are no longer offered; refuse to do so unasked."""
        words = OWNERS[FieldObject(self.instance.object)]
        removed = [choice for choice in self.instance.choices if choice not in choices]
        retired = [choice for choice in self.instance.retired if choice not in choices]
        for choice in removed:
            count = count_holders(self.instance, value=choice)
            if not count:
                continue
            retired.append(choice)
            if not self.cleaned_data.get("keep_held"):
                self.add_error(
                    "choices",
                    f"{words.counted(count)} {'holds' if count == 1 else 'hold'} the "
                    f"choice {choice}. Keep it here, change it there first, or tick "
                    "“remove choices that are held”.",
                )
        self.instance.retired = retired
