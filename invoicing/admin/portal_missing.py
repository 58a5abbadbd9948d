"""What a portal asks for and is not there, each with the page where it is filled in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from billing.admin.edit_fields import EditFields
from billing.domain.portal import Demand, Missing
from billing.models import BillGroup
from contracts.admin.fields import EditContractFields
from customfields.domain.definition import FieldObject
from customfields.forms.owner import field_name
from invoicing.admin.corrections import ReissueInvoice
from invoicing.admin.fields import EditInvoiceFields
from invoicing.domain.states import InvoiceStatus
from invoicing.models import PortalSubmission

PAGES: Final = {
    FieldObject.ACCOUNT: "admin:billing_account_change",
    FieldObject.BILL_GROUP: "admin:billing_billgroup_change",
    FieldObject.CONTRACT: "admin:contracts_contract_change",
}
EDITS: Final[dict[FieldObject, type[EditFields]]] = {
    FieldObject.CONTRACT: EditContractFields,
    FieldObject.INVOICE: EditInvoiceFields,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRow:
    """One thing that is missing: in words, what to do, and the links to do it."""

    text: str
    advice: str
    links: tuple[tuple[str, str], ...]


def rows_of_group(missing: Iterable[Missing], group: BillGroup) -> list[MissingRow]:
    """Return what a bill group's next documents will lack."""
    return [
        MissingRow(
            text=one.text,
            advice="Fill it in before the next invoice is made.",
            links=(_source(one, group),),
        )
        for one in missing
    ]


def rows_of_document(
    missing: Iterable[Missing], row: PortalSubmission, request: HttpRequest
) -> list[MissingRow]:
    """Return what a document lacks; what stands on the paper takes a reissue."""
    return [_row(one, row, request) for one in missing]


def _row(one: Missing, row: PortalSubmission, request: HttpRequest) -> MissingRow:
    invoice, group = row.invoice, row.bill_group
    is_credit_note = row.credit_note_id is not None
    if one.demand is Demand.CUSTOM_FIELD:
        return MissingRow(
            text=one.text, advice="Fill it in.", links=_field(one, group, request)
        )
    if is_credit_note or invoice.status == InvoiceStatus.CREDITED:
        return MissingRow(
            text=one.text,
            advice="It is not on the paper, which can't be changed any more. Upload it "
            "with its pair, or withdraw both.",
            links=(),
        )
    links = [_source(one, group)]
    if ReissueInvoice().is_offered(request, invoice):
        links.append(("Reissue the invoice", ReissueInvoice.url(invoice.pk)))
    return MissingRow(
        text=one.text,
        advice="It is not on the paper. Fill it in, then reissue the invoice.",
        links=tuple(links),
    )


def _field(
    one: Missing, group: BillGroup, request: HttpRequest
) -> tuple[tuple[str, str], ...]:
    """Return where a field is filled in: what is billed has an action, not a form."""
    if one.owner is None or one.owner.owner not in EDITS:
        return (_source(one, group),)
    edit = EDITS[one.owner.owner]
    if not edit().is_permitted(request):
        return ()
    return ((f"Edit {one.owner.name}", edit.url(one.owner.pk)),)


def _source(one: Missing, group: BillGroup) -> tuple[str, str]:
    """Return the page where it is filled in, with the name of its link."""
    if one.owner is not None:
        url = reverse(PAGES[one.owner.owner], args=[one.owner.pk])
        return f"Open {one.owner.name}", f"{url}#id_{field_name(one.key)}"
    match one.demand:
        case Demand.CUSTOMER_TAX_ID:
            name = "admin:billing_account_change"
            url = reverse(name, args=[group.account_id])
            return "Open the account", f"{url}#id_tax_id"
        case Demand.SELLER_TAX_ID:
            name = "admin:billing_legalentity_change"
            return "Open the legal entity", reverse(name, args=[group.legal_entity_id])
    url = reverse("admin:billing_billgroup_change", args=[group.pk])
    return "Open the bill group", f"{url}#id_po_number"
