"""Edit the address of an invoice, old and new beside each other (D2, D3)."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from billing.domain.address import Address
from billing.models.address import COUNTRY_CODE
from billing.services.reasons import ReasonMissing
from config.adminsite.actions import Done, Figure, ObjectAction, Review, object_action
from config.adminsite.actor import actor_of
from invoicing.admin.send_again import SendInvoiceAgain
from invoicing.domain.states import InvoiceStatus
from invoicing.models import Invoice
from invoicing.services.addresses import (
    AddressStays,
    change_invoice_address,
    check_address,
    shown_address,
)
from invoicing.services.rendering import GlyphsMissing, PangoMissing

PARTS: Final = ("name", "line1", "line2", "city", "region", "postal_code", "country")


class AddressForm(forms.Form):
    """The address as it stands on the paper, and why it changes."""

    name = forms.CharField(max_length=200)
    line1 = forms.CharField(label="Address", max_length=200, required=False)
    line2 = forms.CharField(label="Address, line 2", max_length=200, required=False)
    postal_code = forms.CharField(max_length=20, required=False)
    city = forms.CharField(max_length=100, required=False)
    region = forms.CharField(max_length=100, required=False)
    country = forms.CharField(
        max_length=2, required=False, help_text="Two letters, such as DE or US."
    )
    also_future = forms.BooleanField(
        label="Also for future invoices",
        required=False,
        help_text="Writes it to the bill group too.",
    )
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)

    def clean_country(self) -> str:
        """Take small letters too."""
        country = str(self.cleaned_data["country"]).upper()
        if country:
            COUNTRY_CODE(country)
        return country


@object_action
class EditAddress(ObjectAction):
    """Change where one invoice goes; number and amounts stay."""

    model = Invoice
    slug = "edit-address"
    label = "Edit address"
    confirm_label = "Change the address"
    permission = "invoicing.readdress_invoice"
    form_class = AddressForm
    asks_first = True
    refusals = (AddressStays, ReasonMissing, PangoMissing, GlyphsMissing)

    def refusal(self, subject: Any) -> str:
        """Not of a draft that was thrown away."""
        if subject.status == InvoiceStatus.VOID:
            return f"{subject} is void and has no paper."
        return ""

    def form_arguments(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Begin with the address on the paper."""
        return {"initial": shown_address(subject).as_dict()}

    def review(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Review:
        """Show old and new, and what is kept."""
        address = _address(answers)
        check_address(subject, address)
        old = shown_address(subject)
        paper = (
            "The draft gets it; nothing was sent yet."
            if not subject.is_issued
            else "A new revision of the paper is made with the same number and "
            "amounts; the old one is kept."
        )
        group = subject.bill_group
        return Review(
            sentence=f"{paper} "
            + (
                f"Future invoices of {group} go there too."
                if answers["also_future"]
                else f"{group} keeps its own address."
            ),
            figures=(
                Figure(label="Now", value=old.name, note=_lines(old)),
                Figure(label="Then", value=address.name, note=_lines(address)),
            ),
        )

    def perform(
        self, request: HttpRequest, subject: Any, answers: Mapping[str, Any]
    ) -> Done:
        """Change it."""
        changed = change_invoice_address(
            invoice=subject,
            address=_address(answers),
            reason=answers["reason"],
            actor=actor_of(request),
            also_future=answers["also_future"],
        )
        may_send = SendInvoiceAgain().is_offered(request, changed)
        return Done(
            message="The address of the invoice is changed. It was not sent again.",
            url=reverse("admin:invoicing_invoice_change", args=[changed.pk]),
            link="Send it again" if may_send else "",
            link_url=SendInvoiceAgain.url(changed.pk),
        )


def _address(answers: Mapping[str, Any]) -> Address:
    return Address(**{part: answers[part] for part in PARTS})


def _lines(address: Address) -> str:
    parts = address.as_dict()
    return ", ".join(parts[part] for part in PARTS[1:] if parts[part])
