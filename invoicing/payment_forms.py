"""The form of a payment: how much, when, and which invoices it pays (M4)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django import forms

from billing.models import BillGroup
from config.adminsite.model_admin import DateInput
from invoicing.domain.allocation import NotAllocatable
from invoicing.domain.states import InvoiceStatus
from invoicing.forms import AmountField
from invoicing.models import Invoice
from invoicing.services.payment_preview import preview_payment
from invoicing.services.payments import NotAPayment, RecordedBefore

OLDEST: Final = "OLDEST"
CHOSEN: Final = "CHOSEN"
PAYS: Final = "pays_"
INVOICES_SHOWN: Final = 200


class PaymentForm(forms.Form):
    """A payment of one of `groups`; with an `invoice`, that one is chosen at first.

    Once valid, `group` in the answers is the bill group, `chosen` the amounts by
    invoice id (None: oldest due first), `preview` what it pays.
    """

    received_on = forms.DateField(label="Received on", widget=DateInput)
    reference = forms.CharField(
        max_length=100,
        required=False,
        help_text="As on the bank statement. It tells a second entry of the same "
        "payment.",
    )
    how = forms.ChoiceField(
        label="Which invoices it pays",
        choices=[
            (OLDEST, "What is due, oldest first"),
            (CHOSEN, "The amounts below; the rest goes to the credit balance"),
        ],
        widget=forms.RadioSelect,
        initial=OLDEST,
    )

    def __init__(
        self,
        *args: Any,
        groups: Sequence[BillGroup],
        today: date,
        invoice: Invoice | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.groups = {group.pk: group for group in groups}
        self.today = today
        group = self._typed_group()
        self.fields["bill_group"] = forms.TypedChoiceField(
            label="Bill group",
            coerce=int,
            choices=[(g.pk, f"{g.public_id} {g.name}, {g.currency}") for g in groups],
            initial=group.pk,
        )
        self.fields["amount"] = AmountField(
            currency=group.currency, label="Amount", help_text="As it came in."
        )
        self.fields["received_on"].initial = today
        if invoice is not None:
            self.fields["how"].initial = CHOSEN
            self.fields["amount"].initial = f"{invoice.amount_due.normalize():f}"
        self.open = list(
            Invoice.objects.filter(
                bill_group__in=self.groups, status=InvoiceStatus.OPEN
            )
            .select_related("bill_group")
            .order_by("due_date", "sequence")[:INVOICES_SHOWN]
        )
        for row in self.open:
            self.fields[f"{PAYS}{row.pk}"] = AmountField(
                currency=row.currency,
                required=False,
                label=f"Pays of {row}",
                initial=f"{row.amount_due.normalize():f}" if row == invoice else None,
            )

    def _typed_group(self) -> BillGroup:
        typed = str(self.data.get("bill_group", ""))
        pk = int(typed) if typed.isascii() and typed.isdigit() else 0
        return self.groups.get(pk) or next(iter(self.groups.values()))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The open invoices, each with the field for what it is paid."""
        return [{"invoice": row, "field": self[f"{PAYS}{row.pk}"]} for row in self.open]

    @property
    def noted(self) -> list[forms.BoundField]:
        """The fields above the invoices."""
        names = ["bill_group"] if len(self.groups) > 1 else []
        names += ["amount", "received_on", "reference"]
        return [self[name] for name in names]

    @property
    def only_group(self) -> forms.BoundField | None:
        """The bill group where there is nothing to choose."""
        return self["bill_group"] if len(self.groups) == 1 else None

    def clean(self) -> dict[str, Any]:
        """Work out what it pays, and say why it can't."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if any(n.startswith(PAYS) and n not in self.fields for n in self.data):
            raise forms.ValidationError(
                "A chosen invoice has nothing due any more, or is another customer's. "
                "Open the form again."
            )
        if self.errors:
            return cleaned
        amounts = {
            int(name.removeprefix(PAYS)): amount
            for name, amount in cleaned.items()
            if name.startswith(PAYS) and amount is not None
        }
        if amounts and cleaned["how"] == OLDEST:
            raise forms.ValidationError(
                "You entered amounts for invoices, but chose to pay the oldest first. "
                "Choose one of them."
            )
        cleaned["chosen"] = None if cleaned["how"] == OLDEST else amounts
        cleaned["group"] = self.groups[cleaned["bill_group"]]
        try:
            cleaned["preview"] = preview_payment(
                bill_group=cleaned["group"],
                amount=cleaned["amount"],
                received_on=cleaned["received_on"],
                reference=cleaned["reference"],
                today=self.today,
                chosen=cleaned["chosen"],
            )
        except (NotAPayment, RecordedBefore, NotAllocatable) as refused:
            raise forms.ValidationError(str(refused)) from refused
        return cleaned
