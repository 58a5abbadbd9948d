"""Documents on their way through customers' portals, and what was noted of each (F3).

A submission is made in the transaction that issues its document and is never deleted;
its document and portal stay. Its state is that of its last step, and steps and files
are never changed: they are the history.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from billing.domain.dates import day_text
from billing.models import BillGroup, PortalProfile
from invoicing.choices import PORTAL_STATES
from invoicing.domain.portal import (
    STORED,
    PortalState,
    StepNotPossible,
    check_step,
    standing,
)
from invoicing.domain.states import CreditNoteStatus, InvoiceStatus
from invoicing.models.credit import CreditNote
from invoicing.models.invoice import Invoice

STORED_STATES = [state.value for state in STORED]


class PortalSubmission(models.Model):
    """One invoice, or one credit note of `invoice`, to be uploaded to a portal.

    `portal` is the bill group's at issue, `issue_date` the document's. `reference`
    and `step_date` are those of the last step that named one.
    """

    invoice = models.ForeignKey(
        Invoice,
        on_delete=models.PROTECT,
        related_name="portal_submissions",
        db_index=False,
    )
    credit_note = models.ForeignKey(
        CreditNote,
        on_delete=models.PROTECT,
        null=True,
        related_name="portal_submissions",
        db_index=False,
    )
    bill_group = models.ForeignKey(
        BillGroup, on_delete=models.PROTECT, related_name="portal_submissions"
    )
    portal = models.ForeignKey(
        PortalProfile, on_delete=models.PROTECT, related_name="submissions"
    )
    issue_date = models.DateField()
    state = models.CharField(
        max_length=10,
        choices=list(PORTAL_STATES),
        default=PortalState.TO_SUBMIT.value,
        db_default=PortalState.TO_SUBMIT.value,
    )
    reference = models.CharField(max_length=100, blank=True, db_default="")
    step_date = models.DateField(null=True)

    class Meta:
        verbose_name = "document for a portal"
        verbose_name_plural = "portal worklist"
        permissions = [
            ("bundle_portalsubmission", "Can download bundles for portals"),
            ("submit_portalsubmission", "Can mark documents submitted to a portal"),
            ("accept_portalsubmission", "Can mark documents accepted by a portal"),
            ("dispute_portalsubmission", "Can mark documents disputed in a portal"),
            ("withdraw_portalsubmission", "Can withdraw documents from a portal"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(credit_note__isnull=True),
                name="invoice_once_in_the_portal_worklist",
            ),
            models.UniqueConstraint(
                fields=["credit_note"], name="credit_note_once_in_the_portal_worklist"
            ),
            models.CheckConstraint(
                condition=Q(state__in=STORED_STATES), name="portal_state_known"
            ),
            models.CheckConstraint(
                condition=Q(step_date__isnull=True)
                | Q(step_date__gte=models.F("issue_date")),
                name="portal_step_not_before_issue",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "issue_date", "id"],
                name="portal_open",
                condition=Q(state__in=["TO_SUBMIT", "SUBMITTED", "DISPUTED"]),
            ),
            models.Index(fields=["issue_date", "id"], name="portal_by_date"),
            models.Index(
                fields=["issue_date", "id"],
                name="portal_to_do",
                condition=Q(state__in=["TO_SUBMIT", "DISPUTED"]),
            ),
            models.Index(fields=["invoice"], name="portal_of_invoice"),
            models.Index(
                fields=["reference"],
                name="portal_by_reference",
                condition=~Q(reference=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.document)

    @property
    def document(self) -> Invoice | CreditNote:
        """The invoice or credit note that is uploaded."""
        return self.credit_note or self.invoice

    @property
    def standing(self) -> PortalState:
        """Where it stands: what was noted, or paid."""
        status = None if self.credit_note_id else InvoiceStatus(self.invoice.status)
        return standing(PortalState(self.state), invoice_status=status)

    @property
    def is_void(self) -> bool:
        """Whether it is a credit note that was voided."""
        return (
            self.credit_note is not None
            and self.credit_note.status == CreditNoteStatus.VOID
        )

    def why_not(self, to: PortalState) -> str:
        """Say why it can't be taken to a state; empty where it can."""
        try:
            check_step(str(self), now=self.standing, to=to, is_void=self.is_void)
        except StepNotPossible as refusal:
            return str(refusal)
        return ""


class PortalFile(models.Model):
    """A screenshot or confirmation, whose content was checked to be what it claims."""

    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=60)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    uploaded_by_name = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class PortalStep(models.Model):
    """What somebody noted: the state it led to, the day, and the proof."""

    submission = models.ForeignKey(
        PortalSubmission, on_delete=models.PROTECT, related_name="steps"
    )
    state = models.CharField(max_length=10, choices=list(PORTAL_STATES))
    on = models.DateField()
    reference = models.CharField(max_length=100, blank=True)
    note = models.TextField(blank=True)
    file = models.ForeignKey(
        PortalFile, on_delete=models.PROTECT, null=True, related_name="steps"
    )
    made_by_name = models.CharField(max_length=150)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="SUBMITTED", reference__gt="")
                | Q(state="ACCEPTED")
                | Q(state__in=["DISPUTED", "WITHDRAWN"], note__gt=""),
                name="portal_step_says_what_it_must",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} on {day_text(self.on)}"
