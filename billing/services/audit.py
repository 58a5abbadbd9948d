"""The audit trail's one entrance: every change of state leaves one entry (M5).

An entry is written in the transaction of the change it tells of. `billing.display`
turns codes into sentences.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from billing.models import AuditEvent

SYSTEM_NAME = "Duebook"


def actor_fields(actor: AbstractBaseUser | None) -> dict[str, Any]:
    """Return who acts as audit columns; no actor is the system itself."""
    if actor is None:
        return {"actor_id": None, "actor_name": SYSTEM_NAME}
    return {"actor_id": actor.pk, "actor_name": actor.get_username()}


def record(
    code: str,
    *,
    actor: AbstractBaseUser | None,
    subject: str,
    account_id: int | None = None,
    bill_group_id: int | None = None,
    contract_id: int | None = None,
    invoice_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Write one audit entry; `before` and `after` hold what changed, as JSON (M5)."""
    return AuditEvent.objects.create(
        **actor_fields(actor),
        code=code,
        subject=subject,
        account_id=account_id,
        bill_group_id=bill_group_id,
        contract_id=contract_id,
        invoice_id=invoice_id,
        before=before or {},
        after=after or {},
        reason=reason,
    )
