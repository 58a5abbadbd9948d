"""Forms of accounts and bill groups."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Model

from billing.domain.money import UnknownCurrency, currency_digits
from billing.models import Account, BillGroup

if TYPE_CHECKING:
    ChoiceFieldBase = forms.ModelChoiceField[Any]
    BillGroupFormBase = forms.ModelForm[BillGroup]
else:
    ChoiceFieldBase = forms.ModelChoiceField
    BillGroupFormBase = forms.ModelForm


class CodeField(ChoiceFieldBase):
    """A choice among many rows, typed by its number, with suggestions while typing."""

    def __init__(
        self, *, model: type[Model], source: str, lookup: str, **kwargs: Any
    ) -> None:
        self.model = model
        self.lookup = lookup
        widget = forms.TextInput(
            attrs={"data-suggest": source, "autocomplete": "off", "spellcheck": "false"}
        )
        super().__init__(
            queryset=model._default_manager.all(),
            to_field_name=lookup,
            widget=widget,
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        """Show the code of the chosen row; a form is given its id."""
        if isinstance(value, int):
            rows = self.model._default_manager.filter(pk=value)
            return rows.values_list(self.lookup, flat=True).first() or ""
        return super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        """Take the code as it was typed, blanks around it left out."""
        return super().to_python(value.strip() if isinstance(value, str) else value)


class BillGroupForm(BillGroupFormBase):
    """A bill group; the account is typed by its number."""

    account = CodeField(
        model=Account,
        source="billing.account",
        lookup="number",
        help_text="The account number, for example ACC-00417.",
        error_messages={"invalid_choice": "There is no account with this number."},
    )

    class Meta:
        model = BillGroup
        fields = "__all__"

    def clean_currency(self) -> str:
        """Take a currency in which invoices can be made, in capitals."""
        currency = str(self.cleaned_data["currency"]).strip().upper()
        try:
            currency_digits(currency)
        except UnknownCurrency as unknown:
            raise forms.ValidationError(str(unknown)) from unknown
        return currency
