"""Who is billed, by whom, and what was done."""

from billing.models.account import Account
from billing.models.address import AddressFields
from billing.models.audit import AuditEvent
from billing.models.bill_group import BillGroup, DeactivationRequest, public_id
from billing.models.legal_entity import (
    AccountingPeriod,
    InvoicingSettings,
    LegalEntity,
)
from billing.models.logo import Logo
from billing.models.portal import DEFAULT_PROFILE, PortalProfile
from billing.models.tax import TaxRate, TaxRateStep

__all__ = [
    "DEFAULT_PROFILE",
    "Account",
    "AccountingPeriod",
    "AddressFields",
    "AuditEvent",
    "BillGroup",
    "DeactivationRequest",
    "InvoicingSettings",
    "LegalEntity",
    "Logo",
    "PortalProfile",
    "TaxRate",
    "TaxRateStep",
    "public_id",
]
