"""The form of a portal: what it demands, how its files are named, its columns (F3)."""

from typing import TYPE_CHECKING, Any

from django import forms

from billing.domain.portal_files import (
    EXAMPLE,
    Column,
    InvalidColumns,
    InvalidPattern,
    check_pattern,
    field_source,
    file_name,
    parse_columns,
    write_columns,
)
from billing.models import PortalProfile
from billing.models.portal import default_columns
from customfields.choices import OWNERS
from customfields.domain.kinds import InvalidValue, Kind, parse
from customfields.queries import labels_in_use

if TYPE_CHECKING:
    ProfileFormBase = forms.ModelForm[PortalProfile]
else:
    ProfileFormBase = forms.ModelForm


class ColumnsField(forms.CharField):
    """The columns of the index as text, one a line; kept as pairs."""

    widget = forms.Textarea(attrs={"rows": 12, "spellcheck": "false"})
    fields: frozenset[str] = frozenset()

    def prepare_value(self, value: Any) -> Any:
        """Return the text of stored pairs."""
        if isinstance(value, list):
            return write_columns(
                Column(header=pair[0], source=pair[1]) for pair in value
            )
        return value

    def clean(self, value: Any) -> list[list[str]]:
        """Return the pairs of a text."""
        text = super().clean(value)
        try:
            columns = parse_columns(text, fields=self.fields)
        except InvalidColumns as fault:
            raise forms.ValidationError(str(fault)) from fault
        return [[column.header, column.source] for column in columns]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is written."""
        before = str(self.prepare_value(initial) or "").split("\n")
        return before != str(data or "").replace("\r\n", "\n").strip().split("\n")


class PortalProfileForm(ProfileFormBase):
    """A portal; custom fields are offered as they are defined now."""

    columns = ColumnsField(
        label="Columns",
        initial=default_columns,
        help_text="One a line: Header = source. The sources are listed below.",
    )
    required_fields = forms.MultipleChoiceField(
        label="Custom fields",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = PortalProfile
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = custom_sources()
        stored = [
            *self.instance.required_fields,
            *(source for _, source in self.instance.columns),
        ]
        if "required_fields" in self.fields:
            gone = [s for s in self.instance.required_fields if s not in named]
            self.fields["required_fields"].choices = [  # type: ignore[attr-defined]
                *named.items(),
                *(
                    (source, f"{source} (archived or deleted: not asked for)")
                    for source in gone
                ),
            ]
        if "columns" in self.fields:
            self.fields["columns"].fields = frozenset(  # type: ignore[attr-defined]
                {*named, *(source for source in stored if "." in source)}
            )
        if "file_pattern" in self.fields:
            pattern = self.fields["file_pattern"]
            name = self.add_prefix("file_pattern")
            stored = self.get_initial_for_field(pattern, "file_pattern")
            pattern.help_text = _named_like(str(self.data.get(name) or stored or ""))

    def clean_name(self) -> str:
        """Take a name that can be read on one line."""
        try:
            return str(parse(Kind.TEXT, str(self.cleaned_data["name"])))
        except InvalidValue as fault:
            raise forms.ValidationError(str(fault)) from fault


def _named_like(pattern: str) -> str:
    """Say how a pattern names a file, also where the paper has no PO number."""
    said = "How the PDFs of a bundle are named, from the placeholders listed below."
    try:
        check_pattern(pattern)
    except InvalidPattern:
        return said
    said += f" An example: {file_name(pattern, EXAMPLE)}"
    if "{po_number}" not in pattern:
        return f"{said}."
    bare = file_name(pattern, {**EXAMPLE, "po_number": ""})
    return (
        f"{said}; without a PO number on the paper: {bare}, because nothing is made up "
        "for it, and the page before the download names such files."
    )


def custom_sources() -> dict[str, str]:
    """Return the sources of the custom fields in use, with what people read."""
    return {
        field_source(owner, key): f"{OWNERS[owner].singular.capitalize()}: {label}"
        for (owner, key), label in labels_in_use().items()
    }
