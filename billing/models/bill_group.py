"""Bill groups: one billing relationship of an account."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from billing.choices import BILL_GROUP_STATUSES, DELIVERY_METHODS, INVOICING_MODES
from billing.domain.address import Address
from billing.domain.bill_group import (
    PORTAL_DELIVERIES,
    BillGroupStatus,
    DeliveryMethod,
    InvoicingMode,
)
from billing.models.account import Account
from billing.models.address import AddressFields
from billing.models.legal_entity import LegalEntity
from billing.models.portal import PortalProfile
from customfields.models import owner_indexes

PUBLIC_ID_PREFIX = "BG-"


class BillGroup(AddressFields):
    """Who gets one invoice, where, in which currency and how (rules, section 0)."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="bill_groups"
    )
    legal_entity = models.ForeignKey(
        LegalEntity, on_delete=models.PROTECT, related_name="bill_groups"
    )
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    status = models.CharField(
        max_length=10,
        choices=list(BILL_GROUP_STATUSES),
        default=BillGroupStatus.ACTIVE.value,
    )
    invoicing = models.CharField(
        max_length=10,
        choices=list(INVOICING_MODES),
        default=InvoicingMode.AUTOMATIC.value,
    )
    awaiting_manual_invoice = models.BooleanField(
        default=False,
        help_text="Set back to Active; its next invoice is made by hand (G4).",
    )
    net_terms = models.PositiveSmallIntegerField(
        default=30,
        validators=[MaxValueValidator(365)],
        help_text="Days from the issue date to the due date.",
    )
    po_number = models.CharField("PO number", max_length=100, blank=True)
    delivery = models.CharField(
        max_length=10,
        choices=list(DELIVERY_METHODS),
        default=DeliveryMethod.EMAIL.value,
    )
    portal = models.ForeignKey(
        PortalProfile,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="bill_groups",
        help_text="Where its invoices are uploaded, if it is delivered by portal.",
    )
    portal_since = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Since when it is delivered by portal; the database sets it.",
    )
    email = models.EmailField(blank=True)
    bill_to = models.CharField(
        max_length=200, blank=True, help_text="Blank: the name of the account."
    )
    custom_fields = models.JSONField(default=dict, blank=True)

    class Meta:
        permissions = [
            ("deactivate_billgroup", "Can deactivate bill groups"),
            ("reactivate_billgroup", "Can set bill groups back to Active"),
            ("cancel_billgroup", "Can cancel bill groups"),
            ("request_deactivation", "Can request the deactivation of bill groups"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"],
                name="bill_group_name_once_in_an_account",
                violation_error_message="The account has a bill group of that name.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=BILL_GROUP_STATUSES.condition_values()),
                name="bill_group_status_known",
            ),
            models.CheckConstraint(
                condition=Q(invoicing__in=INVOICING_MODES.condition_values()),
                name="bill_group_invoicing_known",
            ),
            models.CheckConstraint(
                condition=Q(delivery__in=DELIVERY_METHODS.condition_values()),
                name="bill_group_delivery_known",
            ),
            models.CheckConstraint(
                condition=~Q(delivery__in=["PORTAL", "BOTH"]) | Q(portal__isnull=False),
                name="bill_group_by_portal_names_it",
                violation_error_message="Choose the portal that its invoices are "
                "uploaded to. Portals are kept in Settings.",
            ),
            models.CheckConstraint(
                condition=Q(net_terms__range=(0, 365)),
                name="bill_group_net_terms_up_to_a_year",
                violation_error_message="Net terms lie between 0 and 365 days.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["po_number"],
                name="bill_group_by_po_number",
                condition=~Q(po_number=""),
            ),
            *owner_indexes("bill_group"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @property
    def public_id(self) -> str:
        """The id that support uses, for example `BG-000123`."""
        return public_id(self.pk)

    @property
    def is_by_portal(self) -> bool:
        """Whether its invoices are uploaded to a portal (F3)."""
        return self.delivery in PORTAL_DELIVERIES

    @property
    def bill_to_address(self) -> Address:
        """Where invoices go: the group's own address, or else the account's."""
        owner: AddressFields = self if self.has_address else self.account
        return owner.address_for(self.bill_to or self.account.name)


class DeactivationRequest(models.Model):
    """Finance asks support to deactivate a bill group, and what came of it (S3)."""

    class State(models.TextChoices):
        REQUESTED = "REQUESTED", "requested"
        APPROVED = "APPROVED", "approved"
        DECLINED = "DECLINED", "declined"

    bill_group = models.ForeignKey(
        BillGroup, on_delete=models.PROTECT, related_name="deactivation_requests"
    )
    reason = models.TextField()
    requested_by_name = models.CharField(max_length=150)
    requested_at = models.DateTimeField(db_default=Now())
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.REQUESTED
    )
    decided_by_name = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bill_group"],
                condition=Q(state="REQUESTED"),
                name="deactivation_requested_once",
                violation_error_message="The deactivation was requested already.",
            ),
            models.CheckConstraint(
                condition=Q(state="REQUESTED", decided_at__isnull=True)
                | Q(state__in=["APPROVED", "DECLINED"], decided_at__isnull=False),
                name="deactivation_decided_when_it_is",
            ),
        ]

    def __str__(self) -> str:
        return f"Request to deactivate {self.bill_group.public_id}"


def public_id(bill_group_id: int) -> str:
    """Return the public id of a bill group.

    >>> public_id(123)
    'BG-000123'
    """
    return f"{PUBLIC_ID_PREFIX}{bill_group_id:06d}"
