"""Form fields that take only what can't be misread."""

from typing import Any

from django import forms


class PlainDecimalField(forms.DecimalField):
    """A number in the digits 0 to 9; full-width and other digits are refused."""

    def to_python(self, value: Any) -> Any:
        """Refuse what only looks like a number."""
        if isinstance(value, str) and not value.isascii():
            raise forms.ValidationError("Write the number with the digits 0 to 9.")
        return super().to_python(value)
