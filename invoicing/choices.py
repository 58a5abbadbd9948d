"""Labels and badge tones of the words that documents, runs and deliveries store."""

from billing.choices import Badge, ChoiceSet
from invoicing.domain.portal import PortalState
from invoicing.domain.states import (
    CreditNoteStatus,
    CreditReason,
    CreditSettlement,
    DeliveryKind,
    DeliveryState,
    InvoiceStatus,
    RunState,
    SeriesKind,
)

INVOICE_STATUSES = ChoiceSet(
    {
        InvoiceStatus.DRAFT: Badge("Draft", "pencil"),
        InvoiceStatus.OPEN: Badge("Open", "ink"),
        InvoiceStatus.PAID: Badge("Paid", "done"),
        InvoiceStatus.CREDITED: Badge("Credited", "past"),
        InvoiceStatus.VOID: Badge("Void", "struck"),
    }
)

SERIES_KINDS = ChoiceSet(
    {
        SeriesKind.INVOICE: Badge("Invoices", "ink"),
        SeriesKind.CREDIT_NOTE: Badge("Credit notes", "ink"),
    }
)

RUN_STATES = ChoiceSet(
    {
        RunState.RUNNING: Badge("Running", "ink"),
        RunState.FINISHED: Badge("Finished", "done"),
        RunState.STOPPED: Badge("Stopped", "stop"),
    }
)

DELIVERY_KINDS = ChoiceSet(
    {
        DeliveryKind.PDF: Badge("PDF", "ink"),
        DeliveryKind.EMAIL: Badge("Mail", "ink"),
    }
)

DELIVERY_STATES = ChoiceSet(
    {
        DeliveryState.QUEUED: Badge("Queued", "pencil"),
        DeliveryState.SENT: Badge("Done", "done"),
        DeliveryState.FAILED: Badge("Failed", "stop"),
        DeliveryState.REPLACED: Badge("Replaced", "past"),
    }
)

CREDIT_NOTE_STATUSES = ChoiceSet(
    {
        CreditNoteStatus.TO_APPROVE: Badge("To approve", "wait"),
        CreditNoteStatus.ISSUED: Badge("Issued", "ink"),
        CreditNoteStatus.DECLINED: Badge("Declined", "struck"),
        CreditNoteStatus.VOID: Badge("Void", "struck"),
    }
)

CREDIT_REASONS = ChoiceSet(
    {
        CreditReason.BILLING_ERROR: Badge("Billing error", "past"),
        CreditReason.SERVICE_ISSUE: Badge("Service issue", "past"),
        CreditReason.CANCELLATION: Badge("Cancellation", "past"),
        CreditReason.GOODWILL: Badge("Goodwill", "past"),
        CreditReason.OTHER: Badge("Other", "past"),
    }
)

CREDIT_SETTLEMENTS = ChoiceSet(
    {
        CreditSettlement.BALANCE: Badge("To the credit balance", "ink"),
        CreditSettlement.REFUND: Badge("Refunded", "past"),
    }
)

PORTAL_STATES = ChoiceSet(
    {
        PortalState.TO_SUBMIT: Badge("To submit", "out"),
        PortalState.SUBMITTED: Badge("Submitted", "ink"),
        PortalState.ACCEPTED: Badge("Accepted", "done"),
        PortalState.DISPUTED: Badge("Disputed", "stop"),
        PortalState.PAID: Badge("Paid", "done"),
        PortalState.WITHDRAWN: Badge("Withdrawn", "past"),
    }
)
