"""Record usage of a period that is invoiced: the difference is billed next (P9).

The period is rated anew, with all that is recorded for it and at the terms of its last
day. What that is more than its live charges bill becomes one pending charge of its own,
`late_for` the invoiced one and with its days; while that is pending, further late usage
of the period is added to it. It is billed with the bill group's next pending invoice,
or on the day of recording where nothing is pending.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Min, Q, QuerySet, Sum

from billing.models import BillGroup
from billing.services import audit
from contracts.domain.rating import rate
from contracts.domain.terms import LIVE_STATES, ChargeState
from contracts.models import ContractLine, ScheduledCharge, UsageRecord
from contracts.queries import usage_of_charges
from contracts.services.locks import lock_contract
from contracts.services.usage import (
    InvalidUsage,
    UsagePeriodClosed,
    UsagePeriodInvoiced,
    UsageRefused,
    charge_on,
    check_in_force,
    check_period,
    check_same,
    check_usage,
    document_of,
)


class LateUsageDecreases(UsagePeriodClosed):
    """Late usage with which the period costs less than was invoiced for it."""

    def __init__(self, charge: ScheduledCharge, less: Decimal, currency: str) -> None:
        super().__init__(
            charge,
            f"would cost {less} {currency} less with this usage than was invoiced "
            f"for it. Only more can be billed late: reissue {document_of(charge)}.",
        )


class NotLate(UsageRefused):
    """Usage of a period that is not invoiced yet."""

    def __init__(self, line: ContractLine, usage_date: date) -> None:
        super().__init__(
            f"The period of {line} with {usage_date} is not invoiced yet, so its usage "
            "is not late. Record it as usual."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LateUsage:
    """A late record, and what it adds to the bill.

    `charge` is the pending late charge of the period as it is now; None where the
    period costs no more with it. `difference` is what this record added to it.
    """

    record: UsageRecord
    invoice: str
    charge: ScheduledCharge | None
    difference: Decimal


@transaction.atomic
def record_late_usage(
    *,
    line: ContractLine,
    usage_date: date,
    quantity: Decimal,
    idempotency_key: str,
    actor: AbstractBaseUser | None,
    today: date,
) -> LateUsage:
    """Record usage of an invoiced period, and bill the difference next (P9).

    The same record again changes nothing. Raises `LateUsageDecreases`, `NotLate`, and
    else what `record_usage` raises.
    """
    idempotency_key = idempotency_key.strip()
    check_usage(line, quantity, idempotency_key)
    if not quantity:
        raise InvalidUsage("The quantity is zero, so nothing is to be billed late.")
    contract, bill_group = lock_contract(line.contract)
    check_in_force(contract)
    recorded = UsageRecord.objects.filter(idempotency_key=idempotency_key).first()
    period = _invoiced_period(line, usage_date)
    if recorded is not None:
        check_same(recorded, line.pk, usage_date, quantity)
        return LateUsage(
            record=recorded,
            invoice=document_of(period),
            charge=_pending_of(period).first(),
            difference=Decimal(0),
        )
    recorded, _ = UsageRecord.objects.get_or_create(
        idempotency_key=idempotency_key,
        defaults={
            "line": line,
            "usage_date": usage_date,
            "quantity": quantity,
            "recorded_by_id": actor.pk if actor else None,
        },
    )
    check_same(recorded, line.pk, usage_date, quantity)
    charge, difference = _charge_difference(period, bill_group, today)
    _record(recorded, period, charge, difference, actor)
    return LateUsage(
        record=recorded,
        invoice=document_of(period),
        charge=charge,
        difference=difference,
    )


def preview_late_usage(
    *,
    line: ContractLine,
    usage_date: date,
    quantity: Decimal,
    idempotency_key: str,
    actor: AbstractBaseUser | None,
    today: date,
) -> LateUsage:
    """Return what `record_late_usage` would do; writes nothing.

    Raises what it would raise.
    """
    with transaction.atomic():
        late = record_late_usage(
            line=line,
            usage_date=usage_date,
            quantity=quantity,
            idempotency_key=idempotency_key,
            actor=actor,
            today=today,
        )
        transaction.set_rollback(True)
    return late


def _invoiced_period(line: ContractLine, usage_date: date) -> ScheduledCharge:
    try:
        check_period(line, usage_date, charge_on(line, usage_date))
    except UsagePeriodInvoiced as invoiced:
        return invoiced.charge
    raise NotLate(line, usage_date)


def _charge_difference(
    period: ScheduledCharge, bill_group: BillGroup, today: date
) -> tuple[ScheduledCharge | None, Decimal]:
    """Bill what a period costs more than its live charges; returns charge and sum."""
    quantity, tariff = usage_of_charges([period.pk])[period.pk]
    rated = rate(tariff, quantity, bill_group.currency)
    billed = ScheduledCharge.objects.filter(
        Q(pk=period.pk) | Q(late_for=period, state__in=LIVE_STATES)
    ).aggregate(quantity=Sum("quantity"), amount=Sum("amount"))
    more = rated.amount - billed["amount"]
    if more < 0:
        raise LateUsageDecreases(period, -more, bill_group.currency)
    if not more:
        return None, more
    added = quantity - billed["quantity"]
    pending = _pending_of(period).first()
    if pending is None:
        return _new_charge(period, bill_group, today, added, more), more
    pending.quantity = (pending.quantity or 0) + added
    pending.amount = (pending.amount or 0) + more
    pending.save(update_fields=["quantity", "amount"])
    return pending, more


def _new_charge(
    period: ScheduledCharge,
    bill_group: BillGroup,
    today: date,
    quantity: Decimal,
    amount: Decimal,
) -> ScheduledCharge:
    next_bill_date = ScheduledCharge.objects.filter(
        bill_group=bill_group, state=ChargeState.PENDING
    ).aggregate(next=Min("bill_date"))["next"]
    return ScheduledCharge.objects.create(
        contract_line_id=period.contract_line_id,
        contract_id=period.contract_id,
        bill_group_id=period.bill_group_id,
        period_start=period.period_start,
        period_end=period.period_end,
        bill_date=next_bill_date or today,
        in_advance=False,
        quantity=quantity,
        discount_percent=period.discount_percent,
        amount=amount,
        late_for=period,
    )


def _pending_of(period: ScheduledCharge) -> QuerySet[ScheduledCharge]:
    return ScheduledCharge.objects.filter(
        late_for=period, state=ChargeState.PENDING
    ).order_by("pk")


def _record(
    recorded: UsageRecord,
    period: ScheduledCharge,
    charge: ScheduledCharge | None,
    difference: Decimal,
    actor: AbstractBaseUser | None,
) -> None:
    after: dict[str, Any] = {
        "usage_date": recorded.usage_date.isoformat(),
        "quantity": str(recorded.quantity),
        "difference": str(difference),
    }
    if charge is not None:
        after |= {"charge": charge.pk, "bill_date": charge.bill_date.isoformat()}
    audit.record(
        "usage.recorded_late",
        actor=actor,
        subject=f"{period.contract} {period}",
        account_id=period.bill_group.account_id,
        bill_group_id=period.bill_group_id,
        contract_id=period.contract_id,
        after=after,
        reason=f"Usage of a period that is billed on {document_of(period)}.",
    )
