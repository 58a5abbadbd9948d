"""The audit trail: one entry for each change of state, never changed, never deleted.

The ids are plain numbers and the actor's name is a copy, so that an entry outlives
whatever it speaks of; a trigger refuses UPDATE and DELETE (M5).
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from billing.events import event_sentence


class AuditEvent(models.Model):
    """Who did what, when, to what, with the state before and after, and why.

    `code` is dotted, for example `invoice.issued`; `billing.events` has its sentence.
    """

    at = models.DateTimeField(db_default=Now())
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    code = models.CharField(max_length=60)
    account_id = models.BigIntegerField(null=True)
    bill_group_id = models.BigIntegerField(null=True)
    contract_id = models.BigIntegerField(null=True)
    invoice_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=200, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["account_id", "id"],
                name="audit_of_account",
                condition=Q(account_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{event_sentence(self.code)}: {self.subject}"
