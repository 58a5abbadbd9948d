"""Forms of accounts, bill groups and legal entities."""

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Model

from billing.domain.money import UnknownCurrency, currency_digits
from billing.models import Account, BillGroup, LegalEntity, Logo
from billing.services.logos import LogoRefused, draw_logo

if TYPE_CHECKING:
    ChoiceFieldBase = forms.ModelChoiceField[Any]
    BillGroupFormBase = forms.ModelForm[BillGroup]
    LegalEntityFormBase = forms.ModelForm[LegalEntity]
else:
    ChoiceFieldBase = forms.ModelChoiceField
    BillGroupFormBase = forms.ModelForm
    LegalEntityFormBase = forms.ModelForm


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

    def clean(self, value: Any) -> Any:
        """Refuse the one character that no code has and the database can't take."""
        if isinstance(value, str):
            ProhibitNullCharactersValidator()(value)
        return super().clean(value)

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


class LogoInput(forms.ClearableFileInput):
    """A file to upload, beside the picture that is there and a box to remove it."""

    template_name = "admin/widgets/picture.html"

    def get_context(
        self, name: str, value: Any, attrs: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Add the picture of the stored logo; `value` is its name or a refused file."""
        context = super().get_context(name, value, attrs)
        logo = Logo.objects.filter(pk=value).first() if isinstance(value, str) else None
        picture = b64encode(logo.png).decode() if logo else ""
        context["widget"]["picture"] = picture
        return context


class LogoField(forms.FileField):
    """A logo, drawn from an uploaded file; the stored one stays if there is none."""

    widget = LogoInput(attrs={"accept": "image/png,image/jpeg"})

    def clean(self, data: Any, initial: Any = None) -> Logo | None:
        """Return the logo, unsaved if it is new; None where it is removed."""
        uploaded = super().clean(data, initial)
        if not uploaded:
            return None
        if isinstance(uploaded, str):
            return Logo.objects.get(pk=uploaded)
        try:
            return draw_logo(uploaded.read())
        except LogoRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class LegalEntityForm(LegalEntityFormBase):
    """A company that issues invoices."""

    logo = LogoField(
        required=False, help_text=LegalEntity._meta.get_field("logo").help_text
    )

    class Meta:
        model = LegalEntity
        fields = "__all__"

    def _get_validation_exclusions(self) -> set[str]:
        """Let the logo not be stored yet; it is kept when the company is saved."""
        excluded = super()._get_validation_exclusions()  # type: ignore[misc]  # no stub
        return {*excluded, "logo"}
