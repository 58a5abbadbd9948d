"""Labels and badge tones of the words that contracts store."""

from billing.choices import Badge, ChoiceSet
from contracts.domain.terms import (
    ChargeState,
    ChargeType,
    ContractStatus,
    Proration,
    Timing,
)

CONTRACT_STATUSES = ChoiceSet(
    {
        ContractStatus.DRAFT: Badge("Draft", "pencil"),
        ContractStatus.ACTIVE: Badge("Active", "ink"),
        ContractStatus.CANCELED: Badge("Canceled", "struck"),
        ContractStatus.ENDED: Badge("Ended", "past"),
    }
)

CHARGE_TYPES = ChoiceSet(
    {
        ChargeType.RECURRING: Badge("Recurring", "ink"),
        ChargeType.USAGE: Badge("Usage", "ink"),
        ChargeType.ONE_TIME: Badge("One-time", "ink"),
    }
)

TIMINGS = ChoiceSet(
    {
        Timing.ADVANCE: Badge("In advance", "ink"),
        Timing.ARREARS: Badge("In arrears", "ink"),
    }
)

PRORATIONS = ChoiceSet(
    {
        Proration.DAILY: Badge("By days", "ink"),
        Proration.NONE: Badge("Full price", "past"),
    }
)

CHARGE_STATES = ChoiceSet(
    {
        ChargeState.PENDING: Badge("Pending", "pencil"),
        ChargeState.DRAFTED: Badge("On a draft", "pencil"),
        ChargeState.INVOICED: Badge("Invoiced", "ink"),
        ChargeState.EXTERNAL: Badge("Billed elsewhere", "out"),
        ChargeState.SKIPPED: Badge("Skipped", "past"),
        ChargeState.SUPERSEDED: Badge("Superseded", "past"),
        ChargeState.CANCELED: Badge("Canceled", "struck"),
    }
)
