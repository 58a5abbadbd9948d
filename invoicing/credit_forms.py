"""The form of a credit: the remainder, or amounts of lines (A5, A9)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django import forms

from billing.display import money_text
from billing.domain.dates import period_text
from billing.domain.money import is_currency, round_money
from invoicing.choices import CREDIT_REASONS, CREDIT_SETTLEMENTS
from invoicing.domain.credit import NotCreditable
from invoicing.domain.states import CreditSettlement
from invoicing.forms import AmountField
from invoicing.models import CreditLimit, Invoice, InvoiceLine
from invoicing.queries.claims import creditable_of, superseded_among
from invoicing.services.credit_preview import CreditPreview, preview_credit

if TYPE_CHECKING:
    LimitFormBase = forms.ModelForm[CreditLimit]
else:
    LimitFormBase = forms.ModelForm

REMAINDER: Final = "REMAINDER"
LINES: Final = "LINES"
LINE: Final = "line_"


class CreditForm(forms.Form):
    """What to credit of an invoice, why, and where paid money goes.

    Once valid, `preview` in the answers says what it does, `amounts` the lines chosen
    by id (None: the remainder).
    """

    what = forms.ChoiceField(
        label="What to credit",
        choices=[
            (REMAINDER, "All that is due"),
            (LINES, "Amounts of chosen lines, before tax"),
        ],
        widget=forms.RadioSelect,
        initial=REMAINDER,
    )
    with_paid = forms.BooleanField(
        label="Give back what was paid, too",
        required=False,
        help_text="With all that is due. Chosen lines lower what is due first and give "
        "back the rest by themselves.",
    )
    settlement = forms.ChoiceField(
        label="What was paid goes",
        choices=list(CREDIT_SETTLEMENTS),
        initial=CreditSettlement.BALANCE.value,
        help_text="Balance is used by the next invoices. Refunded records that you "
        "paid it out.",
    )
    reason_code = forms.ChoiceField(label="Kind", choices=list(CREDIT_REASONS))
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the credit note.",
    )

    def __init__(self, *args: Any, invoice: Invoice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invoice = invoice
        self.fields["with_paid"].initial = invoice.pk in superseded_among([invoice.pk])
        self.creditable: list[tuple[InvoiceLine, Decimal]] = list(_left_of(invoice))
        for line, left in self.creditable:
            self.fields[f"{LINE}{line.pk}"] = AmountField(
                currency=invoice.currency,
                required=False,
                label=f"{line.product_name}, "
                f"{period_text(line.period_start, line.period_end)}",
                help_text=f"{money_text(left, invoice.currency)} left",
            )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The lines with what is left of them and the field for the amount."""
        return [
            {"line": line, "left": left, "field": self[f"{LINE}{line.pk}"]}
            for line, left in self.creditable
        ]

    @property
    def noted(self) -> list[forms.BoundField]:
        """The fields below the lines."""
        return [self[name] for name in ("settlement", "reason_code", "reason")]

    def clean(self) -> dict[str, Any]:
        """Work out what it does, and say why it can't be done."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if any(n.startswith(LINE) and n not in self.fields for n in self.data):
            raise forms.ValidationError("A chosen line is not on this invoice.")
        if self.errors:
            return cleaned
        amounts = {
            int(name.removeprefix(LINE)): amount
            for name, amount in cleaned.items()
            if name.startswith(LINE) and amount is not None
        }
        if amounts and cleaned["what"] == REMAINDER:
            raise forms.ValidationError(
                "You entered amounts of lines, but chose to credit all that is due. "
                "Choose one of them."
            )
        cleaned["amounts"] = None if cleaned["what"] == REMAINDER else amounts
        cleaned["preview"] = self._preview(cleaned)
        return cleaned

    def _preview(self, cleaned: dict[str, Any]) -> CreditPreview:
        try:
            return preview_credit(
                invoice=self.invoice,
                lines=cleaned["amounts"],
                with_paid=cleaned["with_paid"],
            )
        except NotCreditable as refused:
            raise forms.ValidationError(str(refused)) from refused


def _left_of(invoice: Invoice) -> Iterable[tuple[InvoiceLine, Decimal]]:
    left = {line.line_id: line.left for line in creditable_of(invoice).lines}
    for line in invoice.lines.order_by("position"):
        yield line, left[line.pk]


class CreditLimitForm(LimitFormBase):
    """A limit, in a currency with its digits."""

    class Meta:
        model = CreditLimit
        fields = ("legal_entity", "currency", "amount")
        help_texts = {"amount": "A credit above it needs a second person's approval."}

    def clean_currency(self) -> str:
        """Take a currency in which invoices can be made, in capitals."""
        currency = str(self.cleaned_data["currency"]).strip().upper()
        if not is_currency(currency):
            raise forms.ValidationError("Write its ISO 4217 code, for example EUR.")
        return currency

    def clean(self) -> dict[str, Any]:
        """Refuse digits that the currency has not."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        currency = cleaned.get("currency") or self.instance.currency
        amount = cleaned.get("amount")
        if currency and amount and round_money(amount, currency) != amount:
            self.add_error("amount", f"{amount} has more digits than {currency}.")
        return cleaned
