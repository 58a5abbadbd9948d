"""Credit notes: documents that reduce what one invoice claims (A5, A9).

One is issued at once or waits for a second person; issued it has a number and never
changes but to be voided. Amounts are in the invoice's currency, rounded to its digits.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from billing.domain.money import round_money
from billing.models import LegalEntity
from invoicing.choices import CREDIT_NOTE_STATUSES, CREDIT_REASONS, CREDIT_SETTLEMENTS
from invoicing.domain.states import CreditNoteStatus
from invoicing.models.invoice import Invoice, InvoiceLine


class CreditLimit(models.Model):
    """Above this, a credit in the currency needs a second person's approval (A9)."""

    legal_entity = models.ForeignKey(
        LegalEntity, on_delete=models.PROTECT, related_name="credit_limits"
    )
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=18, decimal_places=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "currency"],
                name="credit_limit_once_a_currency",
                violation_error_message="This currency has a limit already.",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="credit_limit_is_not_negative",
                violation_error_message="The limit is zero or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"{round_money(self.amount, self.currency)} {self.currency}"


class CreditNote(models.Model):
    """What one credit takes of one invoice.

    `due_part` lowers what is due; `paid_part` gives back money that had come in, to the
    balance or as a refund. Both are null until it is issued: only then is known what
    is due. A payment taken back later moves one to the other (M4); `given_back` stays
    what the second was at issue, as the paper says. `bill_to` and `seller` are the
    invoice's, as they were at the credit.
    """

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="credit_notes"
    )
    legal_entity = models.ForeignKey(
        LegalEntity, on_delete=models.PROTECT, db_index=False
    )
    status = models.CharField(max_length=10, choices=list(CREDIT_NOTE_STATUSES))
    sequence = models.BigIntegerField(null=True)
    number = models.CharField(max_length=40, null=True)  # noqa: DJ001 null: no number
    issue_date = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    subtotal = models.DecimalField(max_digits=18, decimal_places=3)
    tax = models.DecimalField(max_digits=18, decimal_places=3)
    total = models.DecimalField(max_digits=18, decimal_places=3)
    taxes = models.JSONField(
        default=list, help_text="One entry a rate: {name, percent, taxable, tax}."
    )
    due_part = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    paid_part = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    given_back = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    settlement = models.CharField(max_length=8, choices=list(CREDIT_SETTLEMENTS))
    reason_code = models.CharField(max_length=16, choices=list(CREDIT_REASONS))
    reason = models.TextField()
    issues_replacement = models.BooleanField(
        default=False,
        help_text="Its approval issues the invoice's replacement with it (A7).",
    )
    bill_to = models.JSONField()
    seller = models.JSONField()
    made_by_id = models.BigIntegerField(null=True)
    made_by_name = models.CharField(max_length=150)
    made_at = models.DateTimeField(db_default=Now())
    decided_by_name = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    voided_on = models.DateField(null=True)
    void_reason = models.TextField(blank=True)

    class Meta:
        permissions = [
            ("approve_creditnote", "Can approve credits above the limit"),
            ("void_creditnote", "Can void credit notes"),
            ("send_creditnote", "Can send credit notes again"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "sequence"], name="credit_note_sequence_once"
            ),
            models.UniqueConstraint(
                fields=["number", "legal_entity"], name="credit_note_number_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["ISSUED", "VOID"],
                    sequence__isnull=False,
                    number__isnull=False,
                    issue_date__isnull=False,
                    due_part__isnull=False,
                    paid_part__isnull=False,
                )
                | Q(
                    status__in=["TO_APPROVE", "DECLINED"],
                    sequence__isnull=True,
                    number__isnull=True,
                    issue_date__isnull=True,
                    due_part__isnull=True,
                    paid_part__isnull=True,
                ),
                name="credit_note_numbered_when_issued",
            ),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") + F("tax"))
                & Q(subtotal__gte=0)
                & Q(tax__gte=0)
                & Q(total__gt=0),
                name="credit_note_total_is_subtotal_and_tax",
            ),
            models.CheckConstraint(
                condition=Q(due_part__isnull=True)
                | (
                    Q(total=F("due_part") + F("paid_part"))
                    & Q(due_part__gte=0)
                    & Q(paid_part__gte=0)
                ),
                name="credit_note_parts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True, given_back__isnull=True)
                | Q(
                    number__isnull=False,
                    given_back__isnull=False,
                    given_back__gte=F("paid_part"),
                    given_back__lte=F("total"),
                ),
                name="credit_note_keeps_what_it_gave_back",
            ),
            models.CheckConstraint(
                condition=Q(status="VOID", voided_on__isnull=False)
                & Q(voided_on__gte=F("issue_date"))
                & ~Q(void_reason="")
                | ~Q(status="VOID") & Q(voided_on__isnull=True),
                name="credit_note_void_has_its_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="credit_note_to_approve",
                condition=Q(status="TO_APPROVE"),
            ),
            models.Index(fields=["issue_date", "id"], name="credit_note_by_date"),
        ]

    def __str__(self) -> str:
        return self.number or f"Credit of {self.invoice}"

    @property
    def is_void(self) -> bool:
        """Whether it was issued and has no effect any more."""
        return self.status == CreditNoteStatus.VOID


class CreditNoteLine(models.Model):
    """What a credit takes of one invoice line, net of tax."""

    credit_note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, related_name="lines"
    )
    invoice_line = models.ForeignKey(
        InvoiceLine, on_delete=models.PROTECT, related_name="credit_lines"
    )
    amount = models.DecimalField(max_digits=18, decimal_places=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["credit_note", "invoice_line"],
                name="credit_takes_a_line_once",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="credited_amount_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.invoice_line}"


class CreditNoteRevision(models.Model):
    """One rendering of a credit note's paper: as issued, and as void; kept for good.

    `pdf` is kept in the database, so that every web and worker machine has it.
    """

    credit_note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, related_name="revisions", db_index=False
    )
    is_void = models.BooleanField()
    made_at = models.DateTimeField(db_default=Now())
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["credit_note", "is_void"], name="credit_note_paper_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.credit_note}{', void' if self.is_void else ''}"
