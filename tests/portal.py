"""Customers with a portal, and their documents in the worklist."""

from datetime import date
from typing import Any

from billing.models import BillGroup, PortalProfile
from invoicing.models import Invoice, PortalSubmission
from tests.factories import BillGroupFactory
from tests.staff import active_contract, company

NEW_YEAR = date(2026, 1, 1)


def ariba(**fields: Any) -> PortalProfile:
    """Make the portal Ariba, which asks for a PO number."""
    values = {"name": "Ariba", "address": "https://service.ariba.example/supplier"}
    return PortalProfile.objects.create(**{**values, **fields})


def portal_group(portal: PortalProfile | None = None, **fields: Any) -> BillGroup:
    """Make a bill group that is delivered by portal only."""
    values: dict[str, Any] = {
        "legal_entity": company(),
        "delivery": "PORTAL",
        "po_number": "PO-7",
        "portal": portal or PortalProfile.objects.first() or ariba(),
    }
    group: BillGroup = BillGroupFactory.create(**{**values, **fields})
    return group


def portal_invoice(
    group: BillGroup | None = None, *, today: date = NEW_YEAR
) -> Invoice:
    """Issue an invoice of 100.00 USD to a portal's bill group."""
    contract = active_contract(group or portal_group(), today=today)
    return Invoice.objects.filter(bill_group=contract.bill_group).latest("pk")


def entry_of(invoice: Invoice) -> PortalSubmission:
    """Return the invoice's own entry of the worklist."""
    return PortalSubmission.objects.select_related(
        "invoice__account", "portal", "credit_note", "bill_group__legal_entity"
    ).get(invoice=invoice, credit_note=None)
