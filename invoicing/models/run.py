"""Invoice runs: their batches, what was decided, and the bill groups set aside."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from billing.domain.dates import day_text
from billing.models import BillGroup, LegalEntity
from invoicing.choices import RUN_STATES
from invoicing.domain.states import RunState


class InvoiceRun(models.Model):
    """One run of a legal entity as of a date; only one of them is open at a time.

    Any number of workers share it: each takes batches until none is open. One that
    could go on for no bill group was stopped, and says why; what it did stands.
    """

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT)
    as_of = models.DateField()
    state = models.CharField(
        max_length=10, choices=list(RUN_STATES), default=RunState.RUNNING.value
    )
    started_at = models.DateTimeField(db_default=Now())
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True
    )
    finished_at = models.DateTimeField(null=True)
    stopped_because = models.TextField(blank=True, db_default="")
    extended_contracts = models.PositiveIntegerField(default=0)

    class Meta:
        permissions = [("start_invoicerun", "Can start invoice runs")]
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "as_of"],
                condition=Q(state="RUNNING"),
                name="run_one_open_a_date",
            ),
            models.CheckConstraint(
                condition=Q(state="RUNNING", finished_at__isnull=True)
                | Q(state__in=["FINISHED", "STOPPED"], finished_at__isnull=False),
                name="run_finished_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state="STOPPED") & ~Q(stopped_because="")
                | ~Q(state="STOPPED") & Q(stopped_because=""),
                name="run_stopped_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["legal_entity", "as_of"], name="run_of_date"),
        ]

    def __str__(self) -> str:
        return f"Run as of {day_text(self.as_of)}"


class RunBatch(models.Model):
    """Some bill groups of a run, worked through by one worker in one transaction.

    The lease names the database session that holds it: a worker that dies takes its
    session with it, and the batch is free again at once. `attempts` is raised before
    the work begins, so that a batch that kills its worker is noticed (G13). `totals` of
    issued invoices and `draft_totals` are kept by currency; `rules` tells how many
    pending invoices each rule kept from being issued.
    """

    run = models.ForeignKey(
        InvoiceRun, on_delete=models.PROTECT, related_name="batches"
    )
    bill_groups = ArrayField(models.BigIntegerField())
    is_open = models.BooleanField(default=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_session = models.CharField(max_length=60, blank=True)
    leased_until = models.DateTimeField(null=True)
    generated = models.PositiveIntegerField(default=0)
    drafted = models.PositiveIntegerField(default=0)
    zero = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    parked = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=dict)
    draft_totals = models.JSONField(default=dict)
    rules = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(
                fields=["run", "id"],
                name="batch_open_of_run",
                condition=Q(is_open=True),
            )
        ]

    def __str__(self) -> str:
        return f"Batch of {len(self.bill_groups)} bill groups"


class RunDecision(models.Model):
    """What was decided for a bill group's pending invoice, and by which rule (G16).

    A held decision is stored when it changes, not again every night.
    """

    bill_group = models.ForeignKey(
        BillGroup, on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    bill_date = models.DateField()
    rule = models.CharField(max_length=4)
    sentence = models.TextField()
    invoice = models.ForeignKey(
        "invoicing.Invoice",
        on_delete=models.PROTECT,
        null=True,
        related_name="decisions",
        db_index=False,
    )
    run = models.ForeignKey(
        InvoiceRun,
        on_delete=models.PROTECT,
        null=True,
        related_name="decisions",
        db_index=False,
    )
    decided_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(
                fields=["bill_group", "bill_date", "id"], name="decision_of_group"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}"


class ParkedBillGroup(models.Model):
    """A bill group set aside with the reason, until someone releases it (G13)."""

    bill_group = models.ForeignKey(
        BillGroup, on_delete=models.PROTECT, related_name="parkings", db_index=False
    )
    run = models.ForeignKey(InvoiceRun, on_delete=models.PROTECT, null=True)
    reason = models.TextField()
    parked_at = models.DateTimeField(db_default=Now())
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True
    )
    release_reason = models.TextField(blank=True)

    class Meta:
        permissions = [
            ("release_parkedbillgroup", "Can release parked bill groups"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["bill_group"],
                condition=Q(released_at__isnull=True),
                name="parked_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True)
                | Q(released_at__gte=F("parked_at")),
                name="parked_before_released",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bill_group}: {self.reason}"
