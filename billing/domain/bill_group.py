"""What a bill group can be: its status, its invoicing mode, its delivery.

The values are those stored; `billing/choices.py` gives them labels and colours.
"""

from enum import StrEnum


class BillGroupStatus(StrEnum):
    """Whether anything is generated for a bill group (G2, S3)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    CANCELED = "CANCELED"


class InvoicingMode(StrEnum):
    """Who generates invoices: the nightly run, or only a person (G1, G3, S5)."""

    AUTOMATIC = "AUTOMATIC"
    MANUAL = "MANUAL"


class DeliveryMethod(StrEnum):
    """How an issued invoice reaches the customer (G11, F3)."""

    EMAIL = "EMAIL"
    PORTAL = "PORTAL"
    BOTH = "BOTH"
    NONE = "NONE"


PORTAL_DELIVERIES = (DeliveryMethod.PORTAL, DeliveryMethod.BOTH)
