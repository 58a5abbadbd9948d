"""What an amendment asks: each line at its terms now, new lines, a day, a reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from billing.display import day_text
from config.adminsite.fields import PlainDecimalField
from config.adminsite.model_admin import DateInput
from contracts.display import rates_text, usage_text
from contracts.domain.rating import InvalidTiers, format_tiers, parse_tiers
from contracts.domain.term_changes import LineEdit, NewLine, TermChanges
from contracts.domain.term_differences import Stage
from contracts.domain.terms import ChargeType, LineTerms, Proration, Timing
from contracts.forms import FREQUENCY_CHOICES, ContractLineForm
from contracts.models import Contract, ContractLine
from contracts.queries import terms_of
from contracts.services.amendments import Tariffs, tariffs_of
from invoicing.domain.states import InvoiceStatus
from invoicing.models import CreditNote, Invoice

EDITED = ("quantity", "unit_price", "discount_percent", "included_quantity", "tiers")
LABELS = {
    "quantity": "New quantity",
    "unit_price": "New unit price",
    "discount_percent": "New discount, %",
    "included_quantity": "New included quantity",
    "tiers": "New tiers",
    "ends": "Ends the day before",
}


NEW_LINE_ROWS = (
    ("product", "description"),
    ("charge_type", "frequency_months", "timing"),
    ("quantity", "unit_price", "discount_percent"),
    ("included_quantity", "tiers"),
    ("end_date", "proration", "tax_rate"),
)


NUMBERS = ("quantity", "unit_price", "discount_percent", "included_quantity")


class NewLineForm(ContractLineForm):
    """A line to add; it is served from the effective date on."""

    class Meta:
        model = ContractLine
        labels = ContractLineForm.Meta.labels
        fields = tuple(name for row in NEW_LINE_ROWS for name in row)
        widgets = {"end_date": DateInput}
        field_classes = dict.fromkeys(NUMBERS, PlainDecimalField)

    use_required_attribute = False

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """The fields as they stand together."""
        return [[self[name] for name in row] for row in NEW_LINE_ROWS]


NewLineFormSet = forms.formset_factory(NewLineForm, extra=0, max_num=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One line on the form: what it is, what holds now, and its fields."""

    line: ContractLine
    now: str
    billed: str
    fields: tuple[forms.BoundField, ...]
    ends: forms.BoundField


class AmendForm(forms.Form):
    """An amendment; blank fields stay as they are."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    effective_date = forms.DateField(
        label="Effective from",
        widget=DateInput,
        help_text="The first day at the new terms.",
    )
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with the amendment, for whoever asks later.",
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        contract: Contract,
        today: date,
        first_day: date | None = None,
        new_rows: int = 0,
        **kwargs: Any,
    ) -> None:
        """Ask about the lines; `first_day` is offered instead of the start (A1)."""
        super().__init__(data, files, **kwargs)
        self.contract = contract
        self.today = today
        self.fields["version"].initial = contract.version
        effective_date = self.fields["effective_date"]
        effective_date.initial = first_day or contract.start_date
        effective_date.help_text += (
            " To correct what was wrong from the beginning, take the contract's start, "
            f"{day_text(contract.start_date)}: every invoice since then is replaced."
        )
        self.contract_lines = list(
            contract.lines.select_related("product").order_by("position")
        )
        for line in self.contract_lines:
            self._add_fields(line)
        of_group = Invoice.objects.filter(bill_group_id=contract.bill_group_id)
        self.fields["replace_credited"] = forms.ModelMultipleChoiceField(
            of_group.filter(status=InvoiceStatus.CREDITED), required=False
        )
        self.fields["give_again"] = forms.ModelMultipleChoiceField(
            CreditNote.objects.filter(invoice__in=of_group.values("pk")), required=False
        )
        self.new_lines = NewLineFormSet(
            data, prefix="new", form_kwargs={"label_suffix": ""}
        )
        self.new_lines.extra = new_rows
        self._share_choices()

    def _add_fields(self, line: ContractLine) -> None:
        usage = line.charge_type == ChargeType.USAGE
        for name in EDITED:
            if (name == "quantity" and usage) or (
                name in {"included_quantity", "tiers"} and not usage
            ):
                continue
            field = FIELDS[name]()
            field.label = LABELS[name]
            self.fields[_name(line, name)] = field
        self.fields[_name(line, "ends")] = forms.BooleanField(
            label=LABELS["ends"], required=False
        )

    def _share_choices(self) -> None:
        """Read the products and tax rates once for all new lines."""
        shared: dict[str, Any] = {}
        for form in [*self.new_lines.forms, self.empty_line]:
            for name in ("product", "tax_rate"):
                field = form.fields[name]
                shared.setdefault(name, list(field.choices))
                field.choices = shared[name]

    @property
    def empty_line(self) -> Any:
        """The row that the script copies for one more line."""
        if not hasattr(self, "_empty_line"):
            self._empty_line = self.new_lines.empty_form
        return self._empty_line

    def is_valid(self) -> bool:
        """Check the lines that are added too."""
        lines_are_valid = not self.is_bound or self.new_lines.is_valid()
        return super().is_valid() and lines_are_valid

    def clean(self) -> dict[str, Any]:
        """Put all changes into one value; nothing changed is refused."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        edits = tuple(
            edit
            for line in self.contract_lines
            if not (edit := self._edit(line, cleaned)).changes_nothing
        )
        added: tuple[NewLine, ...] = ()
        if self.new_lines.is_valid():
            added = tuple(
                _new_line(form.cleaned_data)
                for form in self.new_lines.forms
                if form.has_changed()
            )
            if not (edits or added) and not self.errors:
                self.add_error(
                    None, "Nothing is changed. Change a line, end one, or add one."
                )
        cleaned["changes"] = TermChanges(
            version=cleaned.get("version") or 0, edits=edits, new_lines=added
        )
        return cleaned

    def _edit(self, line: ContractLine, cleaned: dict[str, Any]) -> LineEdit:
        given = {name: cleaned.get(_name(line, name)) for name in EDITED}
        tiers = given["tiers"] or None
        if tiers is not None:
            try:
                tiers = format_tiers(*parse_tiers(tiers))
            except InvalidTiers as fault:
                self.add_error(_name(line, "tiers"), str(fault))
        return LineEdit(
            line_id=line.pk,
            quantity=given["quantity"],
            unit_price=given["unit_price"],
            discount_percent=given["discount_percent"],
            included_quantity=given["included_quantity"],
            tiers=tiers,
            ends=bool(cleaned.get(_name(line, "ends"))),
        )

    @property
    def rows(self) -> Iterator[LineRow]:
        """The lines of the contract, with what holds today."""
        terms = {line.line_id: line for line in terms_of(self.contract).lines}
        tariffs = tariffs_of(self.contract)
        frequencies = dict(FREQUENCY_CHOICES)
        for line in self.contract_lines:
            yield LineRow(
                line=line,
                now=self._now(terms[line.pk], tariffs.get(line.pk)),
                billed=str(frequencies.get(line.frequency_months or "", "")).lower(),
                fields=tuple(
                    self[_name(line, name)]
                    for name in EDITED
                    if _name(line, name) in self.fields
                ),
                ends=self[_name(line, "ends")],
            )

    def _now(self, line: LineTerms, tariffs: Tariffs | None) -> str:
        rates = line.stretches[0].rates
        for stretch in line.stretches:
            if stretch.from_date <= self.today:
                rates = stretch.rates
        currency = self.contract.bill_group.currency
        if tariffs is None:
            text = rates_text(rates, currency)
        else:
            text = usage_text(
                Stage(
                    rates=rates,
                    tiers=tariffs.tiers_on(self.today),
                    included_quantity=tariffs.included_on(self.today),
                ),
                currency,
            )
        if line.last_day is not None:
            text += f", last day {day_text(line.last_day)}"
        return text

    @property
    def hidden_parts(self) -> Iterator[Any]:
        """All that was answered, to be carried along on the review page."""
        for field in self:
            if field.name not in {"replace_credited", "give_again"}:
                yield field.as_hidden()
        yield self.new_lines.management_form
        for form in self.new_lines.forms:
            for field in form:
                yield field.as_hidden()


def _number(**limits: Any) -> forms.DecimalField:
    return PlainDecimalField(required=False, min_value=0, **limits)


FIELDS: Any = {
    "quantity": lambda: _number(max_digits=18, decimal_places=6),
    "unit_price": lambda: _number(max_digits=18, decimal_places=6),
    "discount_percent": lambda: _number(max_digits=6, decimal_places=3, max_value=100),
    "included_quantity": lambda: _number(max_digits=18, decimal_places=6),
    "tiers": lambda: forms.CharField(required=False, max_length=1000),
}


def _name(line: ContractLine, field: str) -> str:
    return f"line_{line.pk}_{field}"


def _new_line(given: dict[str, Any]) -> NewLine:
    return NewLine(
        product_id=given["product"].pk,
        charge_type=ChargeType(given["charge_type"]),
        timing=Timing(given["timing"]),
        frequency_months=given["frequency_months"],
        quantity=given["quantity"],
        unit_price=given["unit_price"],
        discount_percent=given["discount_percent"] or Decimal(0),
        included_quantity=given["included_quantity"] or Decimal(0),
        tiers=given["tiers"],
        proration=Proration(given["proration"]),
        description=given["description"],
        tax_rate_id=given["tax_rate"].pk if given["tax_rate"] else None,
        end_date=given["end_date"],
    )
