"""What a gate is: a condition, whom it stops, and the words for it.

The decision and its explanation both read a gate here, so they can't disagree. The
gates themselves stand in `group_gates` and `invoice_gates`, their order in
`eligibility`.

The first sentence of a gate is its headline, the rest says what to do next. Sentences
name no day but those of the facts and never "today": what is held night after night
reads the same every night.
"""

from typing import ClassVar, Final

from invoicing.domain.facts import Facts, Outcome, Remedy, Trigger

EVERY: Final = frozenset(Trigger)
BY_HAND: Final = frozenset({Trigger.BY_HAND})
AT_ACTIVATION: Final = frozenset({Trigger.ACTIVATION})
AT_NIGHT: Final = frozenset({Trigger.NIGHTLY})
UNATTENDED: Final = AT_ACTIVATION | AT_NIGHT


class GateRule:
    """One gate: the condition, whom it stops, and what people read.

    A trigger in `shown_for` but not in `stops_for` passes whatever the condition says.
    `waits` marks a stop that time alone lifts.
    """

    rule: ClassVar[str]
    remedy: ClassVar[Remedy]
    stops_for: ClassVar[frozenset[Trigger]]
    shown_for: ClassVar[frozenset[Trigger]]
    outcome: ClassVar[Outcome] = Outcome.HOLD
    waits: ClassVar[bool] = False

    def stops(self, facts: Facts) -> bool:
        """Tell whether the condition holds, whoever asks."""
        raise NotImplementedError

    def stopped(self, facts: Facts) -> str:
        """Say what stops it and what to do next."""
        raise NotImplementedError

    def passed(self, facts: Facts) -> str:
        """Say what was found in order."""
        raise NotImplementedError
