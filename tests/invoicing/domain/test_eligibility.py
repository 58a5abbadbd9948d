"""Order of the gates, agreement of decision and explanation, promised dates."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Final

import pytest
from hypothesis import assume, given

from billing.domain.bill_group import BillGroupStatus
from invoicing.domain.eligibility import (
    GATES,
    Facts,
    Outcome,
    Remedy,
    Trigger,
    decide,
    explain_gates,
)
from tests.invoicing.domain.pending_invoices import (
    AT_ACTIVATION,
    AT_NIGHT,
    BILL_DATE,
    BY_HAND,
    BY_TRIGGER,
    days,
    facts,
    waiting_invoices,
)

ONE_DAY: Final = timedelta(days=1)
NEXT_MONTH: Final = date(2026, 4, 1)

STOPS: Final[dict[str, Callable[[Facts], Facts]]] = {
    "settings_manual": lambda some: some._replace(settings_manual=True),
    "inactive": lambda some: some._replace(group_status=BillGroupStatus.INACTIVE),
    "group_manual": lambda some: some._replace(group_manual=True),
    "awaiting": lambda some: some._replace(awaiting_manual_invoice=True),
    "parked": lambda some: some._replace(parked_reason="its tax rate ended"),
    "contract_in_arrears": lambda some: some._replace(contract_in_arrears=True),
    "billed_elsewhere": lambda some: some._replace(has_billed_elsewhere=True),
    "on_schedule": lambda some: some._replace(first_invoice_on_schedule=True),
    "not_due": lambda some: some._replace(bill_date=NEXT_MONTH),
    "period_runs": lambda some: some._replace(unended_period_last_day=some.as_of),
    "bills_nothing": lambda some: some._replace(billable=False),
    "many_dates": lambda some: some._replace(overdue_dates=4),
    "jump": lambda some: some._replace(
        comparison_total=Decimal(11), last_comparison_total=Decimal(1)
    ),
    "review": lambda some: some._replace(review_before_issue=True),
}
UNTIL_SOMEONE_ACTS: Final = [
    ("settings_manual", "G1", Outcome.HOLD),
    ("inactive", "G2", Outcome.HOLD),
    ("group_manual", "G3", Outcome.HOLD),
    ("awaiting", "G4", Outcome.HOLD),
    ("parked", "G13", Outcome.HOLD),
]
ABOUT_THE_DOCUMENT: Final = [
    ("bills_nothing", "G10", Outcome.ZERO),
    ("many_dates", "G14", Outcome.DRAFT_HELD),
    ("jump", "G14", Outcome.DRAFT_HELD),
]
ORDER: Final = {
    Trigger.ACTIVATION: [
        *UNTIL_SOMEONE_ACTS,
        ("contract_in_arrears", "G5", Outcome.HOLD),
        ("billed_elsewhere", "G8", Outcome.HOLD),
        ("on_schedule", "G8", Outcome.HOLD),
        *ABOUT_THE_DOCUMENT,
    ],
    Trigger.NIGHTLY: [
        *UNTIL_SOMEONE_ACTS,
        ("not_due", "G7", Outcome.HOLD),
        *ABOUT_THE_DOCUMENT,
        ("review", "G17", Outcome.DRAFT_FOR_REVIEW),
    ],
    Trigger.BY_HAND: [
        ("inactive", "G2", Outcome.HOLD),
        ("parked", "G13", Outcome.HOLD),
        ("period_runs", "G9", Outcome.HOLD),
        ("bills_nothing", "G10", Outcome.ZERO),
    ],
}


def with_stops(trigger: Trigger, names: list[str]) -> Facts:
    some = BY_TRIGGER[trigger]
    for name in names:
        some = STOPS[name](some)
    return some


@pytest.mark.parametrize("trigger", Trigger)
def test_first_match_wins_whatever_else_would_stop_it(trigger: Trigger) -> None:
    """G1-G17: every subset of what can stop a trigger, in the order of the rules."""
    order = ORDER[trigger]
    subsets = [
        stops
        for size in range(1, len(order) + 1)
        for stops in combinations(order, size)
    ]

    for stops in subsets:
        decision = decide(with_stops(trigger, [name for name, _, _ in stops]))

        assert (decision.rule, decision.outcome) == stops[0][1:]


@pytest.mark.parametrize("trigger", Trigger)
def test_what_concerns_other_triggers_only_stops_nothing(trigger: Trigger) -> None:
    """G1-G17: all of it at once, and the invoice is issued all the same."""
    ignored = STOPS.keys() - {name for name, _, _ in ORDER[trigger]}

    decision = decide(with_stops(trigger, sorted(ignored)))

    assert decision.outcome is Outcome.GENERATE


@pytest.mark.parametrize(
    ("trigger", "rules"),
    [
        (
            Trigger.ACTIVATION,
            "G1 G2 G3 G4 G13 G7 G5 G8 G8 G10 G14 G14",
        ),
        (Trigger.NIGHTLY, "G1 G2 G3 G4 G13 G7 G5 G7 G10 G14 G14 G17"),
        (Trigger.BY_HAND, "G1 G2 G3 G4 G13 G9 G9 G10"),
    ],
)
def test_explanation_lists_the_gates_of_its_trigger_in_order(
    trigger: Trigger, rules: str
) -> None:
    """G16."""
    gates = decide(BY_TRIGGER[trigger]).gates

    assert [gate.rule for gate in gates] == rules.split()
    assert all(gate.passed for gate in gates)


@given(facts)
def test_decision_and_explanation_never_disagree(some: Facts) -> None:
    """G16: passed gates, then the one that decides, then those not reached."""
    decision = decide(some)
    gates = explain_gates(some)
    verdicts = [gate.passed for gate in gates]
    passed = verdicts.count(True)

    assert decision.gates == gates
    assert verdicts[:passed] == [True] * passed
    if decision.outcome is Outcome.GENERATE:
        assert passed == len(gates)
        assert decision.remedy is Remedy.NOTHING
    else:
        deciding = gates[passed]
        assert deciding.passed is False
        assert (deciding.rule, deciding.sentence, deciding.remedy) == (
            decision.rule,
            decision.sentence,
            decision.remedy,
        )
        assert verdicts[passed + 1 :] == [None] * (len(gates) - passed - 1)


def test_no_gate_stops_a_trigger_that_does_not_see_it() -> None:
    """G16."""
    assert all(gate.stops_for <= gate.shown_for for gate in GATES)


@given(facts)
def test_every_sentence_reads_on_any_night(some: Facts) -> None:
    """G16: whole sentences, with a headline, and no word that ages."""
    decision = decide(some)

    for text in [decision.sentence, *(gate.sentence for gate in decision.gates)]:
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".")
        assert not {"today", "tonight", "yesterday", "ago"} & set(text.lower().split())
        assert "  " not in text
        assert ".." not in text
    for gate in decision.gates:
        parts = [gate.headline, *filter(None, [gate.detail])]
        assert ". ".join(parts).removesuffix(".") == gate.sentence.removesuffix(".")


@given(facts.map(lambda some: some._replace(trigger=Trigger.NIGHTLY)), days)
def test_held_decision_reads_the_same_night_after_night(
    some: Facts, other_night: date
) -> None:
    """G16: it is stored when it changes, so nothing may change by itself."""
    one, other = decide(some), decide(some._replace(as_of=other_night))
    assume(one.outcome is Outcome.HOLD and other.outcome is Outcome.HOLD)

    assert (one.rule, one.sentence, one.expected_date) == (
        other.rule,
        other.sentence,
        other.expected_date,
    )


@given(waiting_invoices)
def test_expected_date_of_a_waiting_invoice_is_the_first_night_that_takes_it(
    some: Facts,
) -> None:
    """G7, G16: taken on that night, and not on the night before."""
    decision = decide(some)
    assume(decision.outcome is Outcome.HOLD)
    night = decision.expected_date
    assert night is not None

    at_night = some._replace(trigger=Trigger.NIGHTLY)

    assert night > some.as_of
    assert decide(at_night._replace(as_of=night)).generate
    if night > some.as_of + ONE_DAY:
        assert not decide(at_night._replace(as_of=night - ONE_DAY)).generate


@given(facts)
def test_no_date_is_promised_where_a_person_must_act(some: Facts) -> None:
    """G16, S5: also when by hand it is only too early."""
    decision = decide(some)
    assume(not decision.generate)
    stopped_at_night = (
        some.settings_manual
        or some.group_manual
        or some.awaiting_manual_invoice
        or some.group_status is not BillGroupStatus.ACTIVE
        or some.parked_reason is not None
        or some.bill_date is None
    )

    if stopped_at_night:
        assert decision.expected_date is None


@pytest.mark.parametrize("trigger", Trigger)
def test_what_is_generated_is_expected_on_its_own_day(trigger: Trigger) -> None:
    """G16."""
    decision = decide(BY_TRIGGER[trigger])

    assert decision.generate
    assert decision.expected_date == BILL_DATE


@pytest.mark.parametrize("trigger", Trigger)
def test_where_nothing_is_pending_nothing_is_generated(trigger: Trigger) -> None:
    """G7, G9: the list of gates ends there."""
    decision = decide(BY_TRIGGER[trigger]._replace(bill_date=None))

    assert decision.outcome is Outcome.HOLD
    assert decision.rule == ("G9" if trigger is Trigger.BY_HAND else "G7")
    assert decision.sentence.startswith("Nothing is pending.")
    assert decision.remedy is Remedy.CONTRACTS
    assert decision.expected_date is None
    assert decision.gates[-1].passed is False


@pytest.mark.parametrize(
    ("some", "sentence"),
    [
        (
            AT_NIGHT,
            "It is due since 1 Mar 2026. The nightly run generates and issues it.",
        ),
        (
            AT_ACTIVATION,
            "The contract's first invoice is generated and issued at activation.",
        ),
        (BY_HAND, "It is generated and issued at once, by hand."),
    ],
    ids=["nightly", "activation", "by_hand"],
)
def test_issued_invoice_says_who_makes_it(some: Facts, sentence: str) -> None:
    """G6, G9."""
    assert decide(some).sentence == sentence
