"""Take back usage that was recorded wrongly (P9).

Nothing is erased: a record of its own, of the same day, takes the quantity away again,
and what sums up usage sums up both. What is billed already stays: the invoice is
reissued, which rates its usage anew (A12).
"""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.crypto import get_random_string

from billing.services import audit
from billing.services.reasons import given
from contracts.domain.terms import LIVE_STATES
from contracts.models import ScheduledCharge, UsageRecord
from contracts.services.locks import lock_contract
from contracts.services.usage import (
    UsagePeriodInvoiced,
    UsageRefused,
    charge_on,
    check_period,
)


class UsageStays(UsageRefused):
    """A record that is not taken back; the text says why and what to do."""


@transaction.atomic
def take_back_usage(
    *, record: UsageRecord, reason: str, actor: AbstractBaseUser | None
) -> UsageRecord:
    """Return the record that takes another one's quantity away again.

    Raises `ReasonMissing`, `UsageStays`, and the `UsageRefused` of periods that take no
    usage, but for issued invoices.
    """
    reason = given(reason, kept_with="usage")
    contract, bill_group = lock_contract(record.line.contract)
    check_not_kept(record)
    taking = UsageRecord.objects.create(
        line=record.line,
        usage_date=record.usage_date,
        quantity=-record.quantity,
        idempotency_key=f"take-back-{record.pk}-{get_random_string(8)}",
        recorded_by_id=actor.pk if actor else None,
        takes_back=record,
    )
    audit.record(
        "usage.taken_back",
        actor=actor,
        subject=f"{contract} {record.line}",
        account_id=bill_group.account_id,
        bill_group_id=bill_group.pk,
        contract_id=contract.pk,
        before={
            "usage_date": record.usage_date.isoformat(),
            "quantity": str(record.quantity),
        },
        reason=reason,
    )
    return taking


def check_not_kept(record: UsageRecord) -> ScheduledCharge | None:
    """Return the charge of the period that a record lowers; None: it has none.

    Raises `UsageStays`, and what `take_back_usage` raises of periods.
    """
    if record.takes_back_id is not None:
        raise UsageStays("This record takes usage back. Record the usage anew instead.")
    if UsageRecord.objects.filter(takes_back=record).exists():
        raise UsageStays("This usage was taken back already.")
    charge = charge_on(record.line, record.usage_date)
    if charge is None:
        return None
    try:
        return check_period(record.line, record.usage_date, charge)
    except UsagePeriodInvoiced:
        late = ScheduledCharge.objects.filter(late_for=charge, state__in=LIVE_STATES)
        if late.exists():
            raise UsageStays(
                "Late usage of its period is billed besides. Credit what was too much "
                "on the invoice instead."
            ) from None
    return charge
