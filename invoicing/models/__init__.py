"""Documents, and the runs that make them."""

from invoicing.models.credit import (
    CreditLimit,
    CreditNote,
    CreditNoteLine,
    CreditNoteRevision,
)
from invoicing.models.delivery import Delivery
from invoicing.models.invoice import Invoice, InvoiceLine, InvoiceRevision
from invoicing.models.money import (
    BalanceEntry,
    BalanceUse,
    BalanceWithdrawal,
    Payment,
    PaymentAllocation,
)
from invoicing.models.payment_import import PaymentImport
from invoicing.models.portal import PortalFile, PortalStep, PortalSubmission
from invoicing.models.run import InvoiceRun, ParkedBillGroup, RunBatch, RunDecision
from invoicing.models.series import NumberSeries

__all__ = [
    "BalanceEntry",
    "BalanceUse",
    "BalanceWithdrawal",
    "CreditLimit",
    "CreditNote",
    "CreditNoteLine",
    "CreditNoteRevision",
    "Delivery",
    "Invoice",
    "InvoiceLine",
    "InvoiceRevision",
    "InvoiceRun",
    "NumberSeries",
    "ParkedBillGroup",
    "Payment",
    "PaymentAllocation",
    "PaymentImport",
    "PortalFile",
    "PortalStep",
    "PortalSubmission",
    "RunBatch",
    "RunDecision",
]
