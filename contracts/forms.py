"""Forms of contracts, their lines, usage, and charges billed elsewhere."""

from typing import TYPE_CHECKING, Any

from django import forms

from billing.forms import CodeField
from billing.models import BillGroup, LegalEntity, public_id
from billing.queries import bill_group_by_public_id, search_bill_groups
from config.adminsite.fields import PlainDecimalField
from config.adminsite.file_import import FileForm
from config.adminsite.model_admin import DateInput, FinanceInlineFormSet
from contracts.domain.rating import InvalidTiers, format_tiers, parse_tiers
from contracts.domain.terms import ChargeType, Timing
from contracts.models import Contract, ContractLine
from contracts.queries import search_contracts

if TYPE_CHECKING:
    ContractFormBase = forms.ModelForm[Contract]
    LineFormBase = forms.ModelForm[ContractLine]
else:
    ContractFormBase = forms.ModelForm
    LineFormBase = forms.ModelForm

FREQUENCIES = {1: "Monthly", 3: "Quarterly", 6: "Semiannual", 12: "Annual"}
FREQUENCY_CHOICES = [
    ("", "Once"),
    *FREQUENCIES.items(),
    *((n, f"Every {n} months") for n in range(2, 61) if n not in FREQUENCIES),
]


class BillGroupField(CodeField):
    """A bill group, typed by its public id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            model=BillGroup, source="billing.billgroup", lookup="pk", **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        """Show the public id."""
        if isinstance(value, BillGroup):
            return value.public_id
        if isinstance(value, int):
            return public_id(value)
        return value

    def to_python(self, value: Any) -> BillGroup | None:
        """Take a public id such as BG-000123."""
        if value in self.empty_values:
            return None
        group = bill_group_by_public_id(str(value))
        if group is not None:
            return group
        found = search_bill_groups(BillGroup.objects.all(), str(value).strip())
        match list(found.order_by("pk")[:2]):
            case [only]:
                return only
            case []:
                raise forms.ValidationError(
                    "There is no bill group with this id, PO number or customer. An id "
                    "looks like BG-000123."
                )
        raise forms.ValidationError(
            "More than one bill group fits. Choose one of those offered while you type."
        )


class ContractForm(ContractFormBase):
    """A draft contract; the bill group is typed by its public id."""

    bill_group = BillGroupField(
        help_text="Type its id (BG-000123), PO number or customer and choose. It says "
        "who is billed, and in which currency.",
    )

    class Meta:
        model = Contract
        fields = "__all__"


class ContractLineForm(LineFormBase):
    """A line as it was sold; what its type leaves open is filled in."""

    frequency_months = forms.TypedChoiceField(
        label="Frequency",
        choices=FREQUENCY_CHOICES,
        coerce=int,
        empty_value=None,
        required=False,
        initial=1,
    )

    class Meta:
        model = ContractLine
        exclude = ("position",)
        labels = {"unit_price": "Unit price", "proration": "Part periods"}
        help_texts = {
            "unit_price": "Of one for a billing period; of usage, for each unit used."
        }

    def clean(self) -> dict[str, Any]:
        """Usage is billed in arrears; a one-time line has no frequency."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        match cleaned.get("charge_type"):
            case ChargeType.USAGE:
                cleaned["timing"] = Timing.ARREARS
                cleaned["quantity"] = None
            case ChargeType.ONE_TIME:
                cleaned["frequency_months"] = None
                cleaned["timing"] = Timing.ADVANCE
        return cleaned

    def clean_tiers(self) -> str:
        """Write tiers in their one form; refuse what can't be read."""
        text = str(self.cleaned_data["tiers"]).strip()
        if not text:
            return ""
        try:
            return format_tiers(*parse_tiers(text))
        except InvalidTiers as fault:
            raise forms.ValidationError(str(fault)) from fault


class ContractLineFormSet(FinanceInlineFormSet):
    """The lines of a draft; the choices are read once for all of them."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Share the choices among the lines."""
        super().add_fields(form, index)
        for name in ("product", "tax_rate"):
            if name in form.fields:
                form.fields[name].choices = self._choices_of(form, name)

    def _choices_of(self, form: Any, name: str) -> Any:
        cache = self.__dict__.setdefault("shared_choices", {})
        if name not in cache:
            cache[name] = list(form.fields[name].choices)
        return cache[name]

    def save_new(self, form: Any, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 Django's signature
        """Put a new line after the others."""
        line = form.instance
        line.position = self._next_position()
        return super().save_new(form, commit=commit)

    def _next_position(self) -> int:
        last = (
            ContractLine.objects.filter(contract=self.instance)
            .order_by("-position")
            .values_list("position", flat=True)
            .first()
        )
        return (last or 0) + 1


class ContractField(CodeField):
    """A contract, typed by its number or its customer."""

    def to_python(self, value: Any) -> Contract | None:
        """Take a number, or what fits one contract only."""
        try:
            contract: Contract | None = super().to_python(value)
        except forms.ValidationError:
            found = search_contracts(Contract.objects.all(), str(value).strip())
            match list(found.order_by("number", "pk")[:2]):
                case [only]:
                    return only
                case []:
                    raise
            raise forms.ValidationError(
                "More than one contract fits. Choose one of those offered while you "
                "type."
            ) from None
        return contract


class UsageForm(forms.Form):
    """What was used of a usage line on a day."""

    contract = ContractField(
        model=Contract,
        source="contracts.contract",
        lookup="number",
        help_text="Type its number or its customer and choose.",
        error_messages={
            "invalid_choice": "There is no contract with this number or customer."
        },
    )
    line = forms.IntegerField(
        min_value=1,
        required=False,
        help_text="Its number on the contract, counted from 1; blank where only one "
        "line is usage.",
    )
    usage_date = forms.DateField(label="Day", widget=DateInput)
    quantity = PlainDecimalField(max_digits=18, decimal_places=6, min_value=0)
    idempotency_key = forms.CharField(
        label="Key",
        max_length=200,
        help_text="A text of your own that no other record has. The same record with "
        "the same key is taken once.",
    )

    def clean(self) -> dict[str, Any]:
        """Find the line on the contract."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        contract, position = cleaned.get("contract"), cleaned.get("line")
        if contract is None or "line" in self.errors:
            return cleaned
        lines = ContractLine.objects.select_related(
            "contract__bill_group__legal_entity", "product"
        ).filter(contract=contract)
        if position is not None:
            line = lines.filter(position=position).first()
            if line is None:
                self.add_error("line", f"{contract} has no line {position}.")
        else:
            usage = list(lines.filter(charge_type=ChargeType.USAGE).order_by("pk")[:2])
            line = usage[0] if len(usage) == 1 else None
            if line is None:
                fault = (
                    f"{contract} has more than one usage line. Say which."
                    if usage
                    else f"{contract} has no usage line."
                )
                self.add_error("line", fault)
        cleaned["contract_line"] = line
        return cleaned


class ReasonForm(forms.Form):
    """Why something is done; kept in the audit trail."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the change, for whoever asks later.",
    )


class OutsideNumberForm(forms.Form):
    """The number of an invoice of another system."""

    number = forms.CharField(
        label="Number of the outside invoice",
        max_length=100,
        required=False,
        help_text="Blank removes it.",
    )


class ContractFileForm(FileForm):
    """A contract CSV to check, and who invoices it."""

    field_order = ("legal_entity", "file")
    legal_entity = forms.ModelChoiceField(
        LegalEntity.objects.order_by("pk"),
        empty_label=None,
        help_text="New bill groups are invoiced by this company.",
    )
