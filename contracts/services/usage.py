"""Record usage (P9).

The bill group's row is locked, as the run and every invoice made by hand lock it: usage
is either in before its period is rated, or it is refused. A record never changes.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from billing.services import audit
from contracts.domain.terms import (
    LIVE_STATES,
    ChargeState,
    ChargeType,
    ContractStatus,
)
from contracts.models import Contract, ContractLine, ScheduledCharge, UsageRecord
from contracts.services.locks import lock_contract

MAX_KEY_LENGTH: Final = 200
_QUANTITY_LIMIT: Final = Decimal(10) ** 12
_FINEST: Final = -6


class UsageRefused(ValueError):
    """Usage that is not recorded; the text says why and what to do."""


class InvalidUsage(UsageRefused):
    """A quantity, key or line with which usage can't be recorded."""


class UsageKeyReused(UsageRefused):
    """An idempotency key that came with other data before."""

    def __init__(self, record: UsageRecord) -> None:
        self.record = record
        super().__init__(
            f"The key {record.idempotency_key} was used before, for {record.quantity} "
            f"of {record.line} on {record.usage_date}. Send this usage with a key of "
            "its own."
        )


class ContractNotActive(UsageRefused):
    """A contract that was not activated yet."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(
            f"Contract {contract.number} is a draft. Activate it, then record usage."
        )


class UsageOutsideTerm(UsageRefused):
    """A day on which the line is not served."""

    def __init__(self, line: ContractLine, usage_date: date) -> None:
        super().__init__(
            f"{line} is not served on {usage_date}, or not planned that far ahead. "
            "Correct the date."
        )


class UsagePeriodClosed(UsageRefused):
    """A period that takes no more usage; `charge` is its charge."""

    def __init__(self, charge: ScheduledCharge, why: str) -> None:
        self.charge = charge
        super().__init__(
            f"The period from {charge.period_start} to {charge.period_end} {why}"
        )


class UsagePeriodInvoiced(UsagePeriodClosed):
    """A period that stands on an issued invoice."""

    def __init__(self, charge: ScheduledCharge, invoice: str) -> None:
        super().__init__(
            charge,
            f"is billed on invoice {invoice}, which never changes. Whoever may record "
            "late usage can have the difference billed with the next invoice.",
        )


class UsagePeriodDrafted(UsagePeriodClosed):
    """A period that stands on a draft."""

    def __init__(self, charge: ScheduledCharge, draft: str) -> None:
        super().__init__(
            charge,
            f"is on {draft}, which waits for review. Discard the draft first; generate "
            "the invoice again when its usage is right.",
        )


class UsagePeriodBilledElsewhere(UsagePeriodClosed):
    """A period that another system billed."""

    def __init__(self, charge: ScheduledCharge) -> None:
        invoice = f" on {charge.external_number}" if charge.external_number else ""
        super().__init__(
            charge,
            f"was billed elsewhere{invoice}. Usage for it must be billed there too, "
            "or the charge be released first.",
        )


class UsagePeriodSkipped(UsagePeriodClosed):
    """A period that somebody decided not to bill."""

    def __init__(self, charge: ScheduledCharge) -> None:
        super().__init__(charge, "was skipped: nothing is billed for it.")


@transaction.atomic
def record_usage(
    *,
    line: ContractLine,
    usage_date: date,
    quantity: Decimal,
    idempotency_key: str,
    actor: AbstractBaseUser | None,
) -> UsageRecord:
    """Record what was used of a line on a day (P9).

    The same record again changes nothing and returns the first one. A period marked
    invoiced at zero becomes pending again. Raises `UsageRefused`, in one of its kinds.
    """
    idempotency_key = idempotency_key.strip()
    check_usage(line, quantity, idempotency_key)
    contract, _ = lock_contract(line.contract)
    recorded = UsageRecord.objects.filter(idempotency_key=idempotency_key).first()
    if recorded is None:
        check_in_force(contract)
        charge = check_period(line, usage_date, charge_on(line, usage_date))
        if charge.state == ChargeState.INVOICED:
            reopen_period(charge, actor)
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
    return recorded


def check_in_force(contract: Contract) -> None:
    """Raise `ContractNotActive` for a draft."""
    if contract.status == ContractStatus.DRAFT:
        raise ContractNotActive(contract)


def check_same(
    recorded: UsageRecord, line_id: int, usage_date: date, quantity: Decimal
) -> None:
    """Raise `UsageKeyReused` unless a record is what its key comes with again."""
    if (recorded.line_id, recorded.usage_date, recorded.quantity) != (
        line_id,
        usage_date,
        quantity,
    ):
        raise UsageKeyReused(recorded)


def check_usage(line: ContractLine, quantity: Decimal, idempotency_key: str) -> None:
    """Raise `InvalidUsage` for what is no usage of a line, whatever the day."""
    if line.charge_type != ChargeType.USAGE:
        raise InvalidUsage(f"{line} is not billed by usage, so none can be recorded.")
    if not idempotency_key or len(idempotency_key) > MAX_KEY_LENGTH:
        raise InvalidUsage(
            f"Give the record a key of 1 to {MAX_KEY_LENGTH} characters that no other "
            "record has; it makes sending it twice harmless."
        )
    if not quantity.is_finite():
        raise InvalidUsage("The quantity is not a number.")
    if quantity < 0:
        raise InvalidUsage(
            f"The quantity is negative: {quantity}. Take back what was recorded too "
            "high, and record it anew."
        )
    exponent = quantity.normalize().as_tuple().exponent
    if quantity >= _QUANTITY_LIMIT or (
        isinstance(exponent, int) and exponent < _FINEST
    ):
        raise InvalidUsage(
            f"The quantity {quantity} has more than 12 digits before or 6 after the "
            "decimal point."
        )


def charge_on(line: ContractLine, usage_date: date) -> ScheduledCharge | None:
    """Return the live charge that stands for a day of a line; None: there is none."""
    return (
        ScheduledCharge.objects.select_related("contract", "bill_group")
        .filter(
            contract_line=line,
            period_start__lte=usage_date,
            period_end__gte=usage_date,
            state__in=LIVE_STATES,
            late_for__isnull=True,
        )
        .first()
    )


def check_period(
    line: ContractLine, usage_date: date, charge: ScheduledCharge | None
) -> ScheduledCharge:
    """Return the charge that stands for a day, where its period takes usage.

    One that is invoiced at zero takes it, and must be reopened then. Raises
    `UsageRefused` in the kinds of periods that take none.
    """
    if charge is None:
        raise UsageOutsideTerm(line, usage_date)
    if charge.state == ChargeState.EXTERNAL:
        raise UsagePeriodBilledElsewhere(charge)
    if charge.state == ChargeState.SKIPPED:
        raise UsagePeriodSkipped(charge)
    document = document_of(charge)
    if charge.state == ChargeState.DRAFTED:
        raise UsagePeriodDrafted(charge, document)
    if charge.state == ChargeState.INVOICED and document:
        raise UsagePeriodInvoiced(charge, document)
    return charge


def document_of(charge: ScheduledCharge) -> str:
    """Return the invoice that a charge stands on by its name; blank: on none.

    Invoices lie above contracts; the charge's own line is all that is asked of them.
    """
    try:
        return str(charge.invoice_line.invoice)
    except ObjectDoesNotExist:
        return ""


def reopen_period(charge: ScheduledCharge, actor: AbstractBaseUser | None) -> None:
    """Make a period that was marked invoiced at zero pending again."""
    charge.state = ChargeState.PENDING
    charge.quantity = charge.amount = None
    charge.save(update_fields=["state", "quantity", "amount"])
    audit.record(
        "charge.reopened",
        actor=actor,
        subject=f"{charge.contract} {charge}",
        account_id=charge.bill_group.account_id,
        bill_group_id=charge.bill_group_id,
        contract_id=charge.contract_id,
        before={"state": ChargeState.INVOICED, "amount": "0"},
        after={"state": ChargeState.PENDING},
        reason="Usage was recorded for a period marked invoiced at zero.",
    )
