"""Documents, and the runs that make them."""

from invoicing.models.delivery import Delivery
from invoicing.models.invoice import Invoice, InvoiceLine, InvoiceRevision
from invoicing.models.run import InvoiceRun, ParkedBillGroup, RunBatch, RunDecision
from invoicing.models.series import NumberSeries

__all__ = [
    "Delivery",
    "Invoice",
    "InvoiceLine",
    "InvoiceRevision",
    "InvoiceRun",
    "NumberSeries",
    "ParkedBillGroup",
    "RunBatch",
    "RunDecision",
]
