"""Payments, and the credit balance of bill groups, with where each amount went (M4).

Amounts are in the bill group's currency. What is undone keeps its row, with the day.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from billing.domain.dates import day_text
from billing.domain.money import round_money
from billing.models import BillGroup
from invoicing.models.credit import CreditNote
from invoicing.models.invoice import Invoice


class Payment(models.Model):
    """Money that came in for a bill group; `taken_back_on` when it went again."""

    bill_group = models.ForeignKey(
        BillGroup, on_delete=models.PROTECT, related_name="payments"
    )
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    received_on = models.DateField()
    reference = models.CharField(max_length=100, blank=True)
    recorded_by_name = models.CharField(max_length=150)
    recorded_at = models.DateTimeField(db_default=Now())
    taken_back_on = models.DateField(null=True)
    taken_back_reason = models.TextField(blank=True)

    class Meta:
        permissions = [("take_back_payment", "Can take payments back")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="payment_is_positive",
                violation_error_message="A payment is more than zero.",
            ),
            models.UniqueConstraint(
                fields=["bill_group", "received_on", "amount", "reference"],
                condition=~Q(reference="") & Q(taken_back_on__isnull=True),
                name="payment_recorded_once",
                violation_error_message="A payment of this amount, day and reference "
                "was recorded already.",
            ),
            models.CheckConstraint(
                condition=Q(taken_back_on__isnull=True)
                | Q(taken_back_on__gte=F("received_on")) & ~Q(taken_back_reason=""),
                name="payment_taken_back_has_its_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["reference"], name="payment_by_reference"),
        ]

    def __str__(self) -> str:
        amount = round_money(self.amount, self.currency)
        return f"{amount} {self.currency} of {day_text(self.received_on)}"


class PaymentAllocation(models.Model):
    """What of a payment pays an invoice, until it is undone."""

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="allocations"
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="allocations"
    )
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    allocated_on = models.DateField()
    undone_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="allocation_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.invoice}"


class BalanceEntry(models.Model):
    """Credit balance from one source: a credit note, or what a payment left over.

    Of `amount`, `used` went to invoices and `withdrawn` was taken away again with its
    source; the rest is left. `for_invoice` is what it is used for first.
    """

    bill_group = models.ForeignKey(
        BillGroup, on_delete=models.PROTECT, related_name="balance_entries"
    )
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    used = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    withdrawn = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    left = models.GeneratedField(
        expression=F("amount") - F("used") - F("withdrawn"),
        output_field=models.DecimalField(max_digits=18, decimal_places=3),
        db_persist=True,
    )
    arose_on = models.DateField()
    credit_note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, null=True, related_name="balance_entries"
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="balance_entries"
    )

    class Meta:
        verbose_name_plural = "balance entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0)
                & Q(used__gte=0)
                & Q(withdrawn__gte=0)
                & Q(left__gte=0),
                name="balance_never_goes_below_zero",
            ),
            models.CheckConstraint(
                condition=Q(credit_note__isnull=True) ^ Q(payment__isnull=True),
                name="balance_has_one_source",
            ),
        ]
        indexes = [
            models.Index(
                fields=["bill_group", "id"],
                name="balance_left_of_group",
                condition=Q(left__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.left} {self.currency} left of {self.amount}"


class BalanceUse(models.Model):
    """What of a balance was applied to an invoice, until it is undone.

    What was used `at_issue` stands on the invoice's paper, whatever comes later (M3).
    """

    entry = models.ForeignKey(
        BalanceEntry, on_delete=models.PROTECT, related_name="uses"
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="balance_uses"
    )
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    used_on = models.DateField()
    at_issue = models.BooleanField(default=False)
    undone_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="balance_use_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.invoice}"


class BalanceWithdrawal(models.Model):
    """What was taken away again of a balance, on which day, with what it came from.

    `payment` is the one that was taken back; none where a credit note was voided.
    """

    entry = models.ForeignKey(
        BalanceEntry, on_delete=models.PROTECT, related_name="withdrawals"
    )
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    withdrawn_on = models.DateField()
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="withdrawals"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="balance_withdrawal_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} on {day_text(self.withdrawn_on)}"
