"""Close a legal entity's months and reopen the last one (M6).

What must be done before a month is closed reaches over contracts and invoices; the
database checks it, and says in a sentence what is in the way.
"""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from billing.models import AccountingPeriod
from billing.services.audit import record
from billing.services.database_refusals import refused_as
from billing.services.reasons import given


class PeriodStays(ValueError):
    """A month that can't be closed or reopened; the text says why."""


@transaction.atomic
def close_period(
    *, period: AccountingPeriod, actor: AbstractBaseUser | None
) -> AccountingPeriod:
    """Close a month that has ended, the one after the last closed one (M6).

    `period` may be unsaved: a month without a row is open. Raises `PeriodStays` for a
    month that is closed, has not ended, is out of order, or has something in the way.
    """
    state = AccountingPeriod.State
    stored = _stored(period)
    if stored.state == state.CLOSED:
        raise PeriodStays(f"{stored} is closed already. Nothing was changed.")
    return _set_state(stored, state.CLOSED, "period.closed", actor, "")


@transaction.atomic
def reopen_period(
    *, period: AccountingPeriod, reason: str, actor: AbstractBaseUser | None
) -> AccountingPeriod:
    """Reopen the last closed month, with a reason (M6).

    Raises `ReasonMissing`, and `PeriodStays` for a month that is open or not the last.
    """
    reason = given(reason, kept_with="reopening")
    state = AccountingPeriod.State
    stored = _stored(period)
    if stored.state != state.CLOSED:
        raise PeriodStays(f"{stored} is open. Nothing was changed.")
    return _set_state(stored, state.OPEN, "period.reopened", actor, reason)


def _stored(period: AccountingPeriod) -> AccountingPeriod:
    """Return the month's row, locked; a new one where it was never closed."""
    rows = AccountingPeriod.objects.select_for_update(no_key=True)
    return rows.filter(
        legal_entity=period.legal_entity, month=period.month
    ).first() or AccountingPeriod(
        legal_entity=period.legal_entity,
        month=period.month,
        state=AccountingPeriod.State.OPEN,
    )


def _set_state(
    period: AccountingPeriod,
    state: AccountingPeriod.State,
    code: str,
    actor: AbstractBaseUser | None,
    reason: str,
) -> AccountingPeriod:
    before, period.state = period.state, state
    with refused_as({"period_closes_when_all_is_done": PeriodStays}):
        period.save()
    record(
        code,
        actor=actor,
        subject=f"{period}, {period.legal_entity}",
        before={"state": before},
        after={"state": state, "period": period.pk},
        reason=reason,
    )
    return period
