"""The words that documents, runs and deliveries store."""

from enum import StrEnum


class InvoiceStatus(StrEnum):
    """Where an invoice stands; issued is any but draft and void."""

    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAID = "PAID"
    CREDITED = "CREDITED"
    VOID = "VOID"


ISSUED = (InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.CREDITED)


class SeriesKind(StrEnum):
    """The number series of a legal entity (M2)."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


class RunState(StrEnum):
    """Where an invoice run stands; a stopped one is over and was not finished."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    STOPPED = "STOPPED"


class DeliveryKind(StrEnum):
    """What a delivery does for its document."""

    PDF = "PDF"
    EMAIL = "EMAIL"


class DeliveryState(StrEnum):
    """Where a delivery stands; one is replaced when it is sent anew instead."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"
    REPLACED = "REPLACED"


class CreditNoteStatus(StrEnum):
    """Where a credit note stands."""

    TO_APPROVE = "TO_APPROVE"
    ISSUED = "ISSUED"
    DECLINED = "DECLINED"
    VOID = "VOID"


class CreditReason(StrEnum):
    """Why an invoice is credited (A9)."""

    BILLING_ERROR = "BILLING_ERROR"
    SERVICE_ISSUE = "SERVICE_ISSUE"
    CANCELLATION = "CANCELLATION"
    GOODWILL = "GOODWILL"
    OTHER = "OTHER"


class CreditSettlement(StrEnum):
    """Where paid money goes that a credit gives back (A5)."""

    BALANCE = "BALANCE"
    REFUND = "REFUND"
