"""Invoices, their lines, and the revisions of their paper.

An issued invoice and its lines never change: a trigger refuses it but for status,
what is paid and credited, custom fields and the pointer to the current revision (M3).
Amounts are in the invoice's currency, rounded to its digits.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from billing.domain.dates import period_text
from billing.models import Account, BillGroup, LegalEntity
from contracts.models import ScheduledCharge
from customfields.models import owner_indexes
from invoicing.choices import INVOICE_STATUSES
from invoicing.domain.states import InvoiceStatus
from invoicing.models.run import InvoiceRun

UNNUMBERED = Q(
    status__in=["DRAFT", "VOID"],
    sequence__isnull=True,
    number__isnull=True,
    issue_date__isnull=True,
    due_date__isnull=True,
)
NUMBERED = Q(
    status__in=["OPEN", "PAID", "CREDITED"],
    sequence__isnull=False,
    number__isnull=False,
    issue_date__isnull=False,
    due_date__isnull=False,
)


class Invoice(models.Model):
    """What one bill group is asked to pay for one bill date."""

    legal_entity = models.ForeignKey(
        LegalEntity, on_delete=models.PROTECT, db_index=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="invoices", db_index=False
    )
    bill_group = models.ForeignKey(
        BillGroup, on_delete=models.PROTECT, related_name="invoices", db_index=False
    )
    run = models.ForeignKey(
        InvoiceRun, on_delete=models.PROTECT, null=True, related_name="invoices"
    )
    status = models.CharField(max_length=8, choices=list(INVOICE_STATUSES))
    sequence = models.BigIntegerField(null=True)
    number = models.CharField(max_length=40, null=True)  # noqa: DJ001 null: no number
    issue_date = models.DateField(null=True)
    bill_date = models.DateField()
    due_date = models.DateField(null=True)
    net_terms = models.PositiveSmallIntegerField()
    currency = models.CharField(max_length=3)
    subtotal = models.DecimalField(max_digits=18, decimal_places=3)
    tax = models.DecimalField(max_digits=18, decimal_places=3)
    total = models.DecimalField(max_digits=18, decimal_places=3)
    taxes = models.JSONField(
        default=list, help_text="One entry a rate: {name, percent, taxable, tax}."
    )
    full_price_subtotal = models.DecimalField(
        max_digits=18,
        decimal_places=3,
        help_text="The subtotal with stubs at full price, for comparisons (G14).",
    )
    paid = models.DecimalField(max_digits=18, decimal_places=3, db_default=0)
    balance_applied = models.DecimalField(max_digits=18, decimal_places=3, db_default=0)
    credited_due = models.DecimalField(max_digits=18, decimal_places=3, db_default=0)
    credited_paid = models.DecimalField(max_digits=18, decimal_places=3, db_default=0)
    amount_due = models.GeneratedField(
        expression=F("total") - F("paid") - F("balance_applied") - F("credited_due"),
        output_field=models.DecimalField(max_digits=18, decimal_places=3),
        db_persist=True,
    )
    replaces = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="replacements",
        db_index=False,
    )
    bill_to = models.JSONField(help_text="The address as it was at generation.")
    seller = models.JSONField(help_text="The legal entity as it was at generation.")
    po_number = models.CharField("PO number", max_length=100, blank=True)
    tax_id = models.CharField("tax id", max_length=40, blank=True)
    language = models.CharField(max_length=10)
    printed_fields = models.JSONField(default=list)
    custom_fields = models.JSONField(default=dict, db_default={})
    held_reason = models.TextField(
        blank=True, help_text="Why a draft is held for review (G14)."
    )
    created_at = models.DateTimeField(db_default=Now())
    current_revision = models.ForeignKey(
        "InvoiceRevision",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )

    class Meta:
        permissions = [
            ("generate_invoice", "Can generate invoices by hand"),
            ("issue_invoice", "Can review and issue drafts"),
            ("readdress_invoice", "Can edit the address of an invoice"),
            ("credit_invoice", "Can credit invoices up to the limit"),
            ("discard_invoice", "Can discard drafts"),
            ("reissue_invoice", "Can reissue invoices"),
            ("send_invoice", "Can send invoices again"),
            ("edit_invoice_fields", "Can edit the custom fields of an invoice"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "sequence"], name="invoice_sequence_once"
            ),
            models.UniqueConstraint(
                fields=["number", "legal_entity"], name="invoice_number_once"
            ),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=Q(replaces__isnull=False) & ~Q(status="VOID"),
                name="invoice_replaced_once",
                violation_error_message="This invoice has a replacement already.",
            ),
            models.CheckConstraint(
                condition=UNNUMBERED | NUMBERED, name="invoice_numbered_when_issued"
            ),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") + F("tax"))
                & Q(subtotal__gte=0)
                & Q(tax__gte=0),
                name="invoice_total_is_subtotal_and_tax",
            ),
            models.CheckConstraint(
                condition=Q(amount_due__gte=0)
                & Q(paid__gte=0)
                & Q(balance_applied__gte=0)
                & Q(credited_due__gte=0)
                & Q(credited_paid__gte=0)
                & Q(credited_paid__lte=F("paid") + F("balance_applied")),
                name="invoice_amounts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["DRAFT", "VOID"])
                | Q(status="OPEN", amount_due__gt=0)
                | Q(status__in=["PAID", "CREDITED"], amount_due=0),
                name="invoice_open_while_something_is_due",
            ),
            models.CheckConstraint(
                condition=Q(due_date__isnull=True)
                | (Q(due_date__gte=F("bill_date")) & Q(due_date__gte=F("issue_date"))),
                name="invoice_due_after_bill_and_issue_date",
            ),
        ]
        indexes = [
            models.Index(fields=["bill_group", "sequence"], name="invoice_of_group"),
            models.Index(fields=["account", "issue_date"], name="invoice_of_account"),
            models.Index(fields=["issue_date", "id"], name="invoice_by_date"),
            models.Index(
                fields=["status", "issue_date", "id"], name="invoice_by_status"
            ),
            *owner_indexes("invoice"),
        ]

    def __str__(self) -> str:
        return self.number or f"Draft {self.pk}"

    @property
    def is_issued(self) -> bool:
        """Whether the invoice has its number and can never change."""
        return self.status not in (InvoiceStatus.DRAFT, InvoiceStatus.VOID)


class InvoiceLine(models.Model):
    """One charge as it was billed; product and contract are copies of their names.

    `detail` shows how usage was rated: [{quantity, unit_price, amount}].
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    charge = models.OneToOneField(
        ScheduledCharge,
        on_delete=models.PROTECT,
        null=True,
        related_name="invoice_line",
    )
    position = models.PositiveSmallIntegerField()
    contract_number = models.CharField(max_length=100)
    product_name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    period_start = models.DateField()
    period_end = models.DateField()
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    unit_price = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    discount_percent = models.DecimalField(max_digits=6, decimal_places=3)
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    tax_name = models.CharField(max_length=60, blank=True)
    tax_percent = models.DecimalField(
        max_digits=6, decimal_places=3, null=True, help_text="Null: bears no tax."
    )
    detail = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0) & Q(quantity__gte=0),
                name="invoice_line_amounts_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_name} {period_text(self.period_start, self.period_end)}"


class InvoiceRevision(models.Model):
    """One rendering of an issued invoice's paper; an old one is kept for good (D2).

    `pdf` is kept in the database, so that every web and worker machine has it.
    """

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="revisions", db_index=False
    )
    revision = models.PositiveSmallIntegerField()
    bill_to = models.JSONField()
    reason = models.TextField(blank=True)
    made_by_name = models.CharField(max_length=150, blank=True)
    made_at = models.DateTimeField(db_default=Now())
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "revision"], name="revision_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.invoice}, revision {self.revision}"
