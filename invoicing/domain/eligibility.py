"""The one function that decides whether a pending invoice becomes a document.

The nightly run, the buttons, activation, import, the dry run and *Why is there no
invoice?* all call `decide` (section 2 of the rules, G1-G10, G13, G14, G16, G17). It
walks `GATES` in order; the first that stops decides, and what none stops is generated.
Explaining walks the same gates, so it can't say anything else.

Where the rules leave room:

- What lasts until a person acts (G1-G4, G13) stands before what time alone lifts, so
  that nobody is promised a date in vain.
- A parked group is refused by hand too: release it first (G13).
- The safety bounds (G14) hold at night and at activation. By hand a person has just
  looked at the figures, so there they and the review (G17, "runs make drafts") are off.
- At activation the invoice is issued even with review on: G17 speaks of runs.
- A held draft (G14) is asked for before a plain one (G17): it names the reason.
- By hand before the bill date is allowed with a warning, also when a negative offset
  has made it due already (G9).
- Zero (G10) is asked for once an invoice is due: until then usage may still come.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from billing.domain.dates import day_text
from invoicing.domain.facts import Facts, NothingPending, Outcome, Remedy, Trigger
from invoicing.domain.gate import GateRule
from invoicing.domain.group_gates import (
    GroupAwaitsManualInvoice,
    GroupIsManual,
    GroupIsNotActive,
    GroupIsParked,
    SettingsAreManual,
)
from invoicing.domain.invoice_gates import (
    BillDateHasNotCome,
    ContractBillsInArrears,
    ContractWasBilledElsewhere,
    FirstInvoiceIsOnSchedule,
    NothingIsPending,
    NothingIsPendingByHand,
    NothingToBill,
    PeriodHasNotEnded,
    RunMakesDrafts,
    TooManyOverdueDates,
    TotalJumps,
)

__all__ = [
    "GATES",
    "Decision",
    "Facts",
    "Gate",
    "NothingPending",
    "Outcome",
    "Remedy",
    "Trigger",
    "decide",
    "explain_gates",
]

GATES: Final[tuple[GateRule, ...]] = (
    SettingsAreManual(),
    GroupIsNotActive(),
    GroupIsManual(),
    GroupAwaitsManualInvoice(),
    GroupIsParked(),
    NothingIsPending(),
    NothingIsPendingByHand(),
    ContractBillsInArrears(),
    ContractWasBilledElsewhere(),
    FirstInvoiceIsOnSchedule(),
    BillDateHasNotCome(),
    PeriodHasNotEnded(),
    NothingToBill(),
    TooManyOverdueDates(),
    TotalJumps(),
    RunMakesDrafts(),
)

_STOPPING: Final[
    dict[Trigger, tuple[tuple[Callable[[Facts], bool], GateRule], ...]]
] = {
    trigger: tuple((gate.stops, gate) for gate in GATES if trigger in gate.stops_for)
    for trigger in Trigger
}
_NIGHT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate as an explanation shows it; `passed` is None where it was not reached.

    A gate that was not reached says what it would have found.
    """

    rule: str
    passed: bool | None
    sentence: str
    remedy: Remedy

    @property
    def headline(self) -> str:
        """The first sentence, without its full stop."""
        return self.sentence.partition(". ")[0].removesuffix(".")

    @property
    def detail(self) -> str:
        """What follows the headline; may be empty."""
        return self.sentence.partition(". ")[2]


class Decision(NamedTuple):
    """What happens to one pending invoice, and why; words are made when asked for."""

    facts: Facts
    stopped_by: GateRule | None

    @property
    def outcome(self) -> Outcome:
        """What happens; everything but HOLD is written."""
        return self.stopped_by.outcome if self.stopped_by else Outcome.GENERATE

    @property
    def generate(self) -> bool:
        """Tell whether a document is made now: an invoice or a draft."""
        return self.outcome not in {Outcome.HOLD, Outcome.ZERO}

    @property
    def draft(self) -> bool:
        """Tell whether that document is a draft (G14, G17)."""
        return self.outcome in {Outcome.DRAFT_HELD, Outcome.DRAFT_FOR_REVIEW}

    @property
    def rule(self) -> str:
        """The id of the rule that decides.

        For an issued invoice the row of the table: G6 or G5, and G9 by hand.
        """
        if self.stopped_by:
            return self.stopped_by.rule
        if self.facts.trigger is Trigger.BY_HAND:
            return "G9"
        return "G5" if self.facts.bills_in_arrears else "G6"

    @property
    def remedy(self) -> Remedy:
        """What would change it."""
        return self.stopped_by.remedy if self.stopped_by else Remedy.NOTHING

    @property
    def sentence(self) -> str:
        """What happens and what to do next, for finance staff."""
        if self.stopped_by:
            return self.stopped_by.stopped(self.facts)
        if self.facts.trigger is Trigger.BY_HAND:
            return "It is generated and issued at once, by hand."
        if self.facts.trigger is Trigger.ACTIVATION:
            return "The contract's first invoice is generated and issued at activation."
        due = day_text(self.facts.due_from)
        return f"It is due since {due}. The nightly run generates and issues it."

    @property
    def warning(self) -> str | None:
        """What a person is asked before generating ahead of the bill date (G9)."""
        facts = self.facts
        if facts.trigger is not Trigger.BY_HAND or facts.bill_date is None:
            return None
        if self.outcome is Outcome.HOLD or facts.bill_date <= facts.as_of:
            return None
        return (
            f"Its bill date, {day_text(facts.bill_date)}, has not come yet. Generated "
            "now, it keeps its periods and the nightly run does not make it again."
        )

    @property
    def expected_date(self) -> date | None:
        """The day on which its document is made if nothing changes (G16).

        None when nothing comes of it, or only after a person has acted.
        """
        if self.generate:
            return self.facts.as_of
        if not self.stopped_by or not self.stopped_by.waits:
            return None
        if self.facts.trigger is Trigger.NIGHTLY:
            return self.facts.due_from
        next_night = self.facts.as_of + _NIGHT
        at_night = self.facts._replace(trigger=Trigger.NIGHTLY, as_of=next_night)
        return decide(at_night).expected_date

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Every gate in order: passed, failed, not reached."""
        return explain_gates(self.facts)


def decide(facts: Facts) -> Decision:
    """Decide about one pending invoice: the first gate that stops it wins.

    Pure and cheap: a night asks it once for each bill group and bill date.
    """
    for stops, gate in _STOPPING[facts.trigger]:
        if stops(facts):
            return Decision(facts, stopped_by=gate)
    return Decision(facts, stopped_by=None)


def explain_gates(facts: Facts) -> tuple[Gate, ...]:
    """Return every gate that concerns the trigger, in order (G16).

    The list ends at "nothing is pending", when that is so: there is no invoice of
    which the later gates could speak.
    """
    gates: list[Gate] = []
    reached = True
    for rule in GATES:
        if facts.trigger not in rule.shown_for:
            continue
        stops = facts.trigger in rule.stops_for and rule.stops(facts)
        gates.append(
            Gate(
                rule=rule.rule,
                passed=not stops if reached else None,
                sentence=rule.stopped(facts) if stops else rule.passed(facts),
                remedy=rule.remedy if stops else Remedy.NOTHING,
            )
        )
        reached = reached and not stops
        if stops and isinstance(rule, NothingIsPending):
            break
    return tuple(gates)
