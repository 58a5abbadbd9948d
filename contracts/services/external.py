"""Charges billed elsewhere: give them the outside invoice's number, or bill them (I2).

A charge is one or the other: with a number it was billed, so it is not released.
"""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.services import audit
from billing.services.reasons import given
from contracts.domain.terms import ChargeState
from contracts.models import ScheduledCharge
from contracts.services.locks import lock_charge


class NotBilledElsewhere(ValueError):
    """A charge that is not, or no longer, billed elsewhere."""

    def __init__(self, charge: ScheduledCharge) -> None:
        super().__init__(
            f"{_named(charge)} is not billed elsewhere: it is "
            f"{charge.get_state_display().lower()}. Nothing was changed."
        )


class HasOutsideNumber(ValueError):
    """A charge that stands on an outside invoice."""

    def __init__(self, charge: ScheduledCharge) -> None:
        super().__init__(
            f"{_named(charge)} was billed on the outside invoice "
            f"{charge.external_number}. If that is wrong, remove the number first."
        )


@transaction.atomic
def release_external_charge(
    *, charge: ScheduledCharge, reason: str, actor: AbstractBaseUser | None
) -> ScheduledCharge:
    """Make a charge billed elsewhere pending, so that it is billed here (I2).

    Raises `NotBilledElsewhere`, `HasOutsideNumber` and `ReasonMissing`.
    """
    reason = given(reason, kept_with="release")
    charge = _lock_external(charge)
    if charge.external_number:
        raise HasOutsideNumber(charge)

    charge.state = ChargeState.PENDING
    charge.save(update_fields=["state"])
    _record(
        "charge.released",
        charge,
        actor,
        before={"state": ChargeState.EXTERNAL},
        after={"state": ChargeState.PENDING},
        reason=reason,
    )
    return charge


@transaction.atomic
def record_external_number(
    *, charge: ScheduledCharge, number: str, actor: AbstractBaseUser | None
) -> ScheduledCharge:
    """Note on which outside invoice a charge was billed; blank removes it (I2).

    The same number again changes nothing. Raises `NotBilledElsewhere`.
    """
    charge = _lock_external(charge)
    before, number = charge.external_number, number.strip()
    if number == before:
        return charge

    charge.external_number = number
    charge.full_clean(
        exclude=[f.name for f in charge._meta.fields if f.name != "external_number"]
    )
    charge.save(update_fields=["external_number"])
    _record(
        "charge.external_number",
        charge,
        actor,
        before={"external_number": before},
        after={"external_number": number},
    )
    return charge


def _lock_external(charge: ScheduledCharge) -> ScheduledCharge:
    charge = lock_charge(charge)
    if charge.state != ChargeState.EXTERNAL:
        raise NotBilledElsewhere(charge)
    return charge


def _named(charge: ScheduledCharge) -> str:
    return (
        f"{charge.contract_line.product} on {charge.contract} from "
        f"{charge.period_start} to {charge.period_end}"
    )


def _record(
    code: str,
    charge: ScheduledCharge,
    actor: AbstractBaseUser | None,
    *,
    before: dict[str, str],
    after: dict[str, str],
    reason: str = "",
) -> None:
    audit.record(
        code,
        actor=actor,
        subject=_named(charge)[:200],
        account_id=charge.bill_group.account_id,
        bill_group_id=charge.bill_group_id,
        contract_id=charge.contract_id,
        before=before,
        after=after,
        reason=reason,
    )
