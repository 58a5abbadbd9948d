"""G1-G6 as one table of all combinations, against the table of the rules."""

from datetime import timedelta
from itertools import product
from typing import NamedTuple

import pytest

from billing.domain.bill_group import BillGroupStatus
from invoicing.domain.eligibility import Outcome, Trigger, decide
from tests.invoicing.domain.pending_invoices import AT_NIGHT, BILL_DATE

ACTIVE = BillGroupStatus.ACTIVE

# Section 2 of RULES.md, word for word where it has one: row -> cell for each trigger.
TABLE = {
    "G1": ("no", "no", "yes, if the bill group is active"),
    "G2": ("no", "no", "refused"),
    "G3": ("no", "no", "yes"),
    "G4": ("no", "no", "yes"),
    "G5": ("no", "when due", "yes"),
    "G6": ("the first invoice, at once", "when due", "yes"),
}
COLUMNS = (Trigger.ACTIVATION, Trigger.NIGHTLY, Trigger.BY_HAND)


class Case(NamedTuple):
    settings_manual: bool
    group_status: BillGroupStatus
    group_manual: bool
    awaiting: bool
    arrears: bool
    trigger: Trigger
    due: bool


BOTH = (False, True)
CASES = [
    Case(*values)
    for values in product(BOTH, BillGroupStatus, BOTH, BOTH, BOTH, Trigger, BOTH)
]


def first_matching_row(case: Case) -> str:
    if case.settings_manual:
        return "G1"
    if case.group_status in {"INACTIVE", "CANCELED"}:
        return "G2"
    if case.group_manual:
        return "G3"
    if case.awaiting:
        return "G4"
    return "G5" if case.arrears else "G6"


def read_the_table(case: Case) -> tuple[Outcome, str]:
    """What a person with the table in hand says: the outcome and the rule for it."""
    row = first_matching_row(case)
    cell = TABLE[row][COLUMNS.index(case.trigger)]
    if cell == "no":
        return Outcome.HOLD, row
    if cell == "when due":
        return (Outcome.GENERATE, row) if case.due else (Outcome.HOLD, "G7")
    if cell == "the first invoice, at once":
        return Outcome.GENERATE, row
    if cell == "refused" or case.group_status is not ACTIVE:
        return Outcome.HOLD, "G2"
    if case.arrears and not case.due:
        return Outcome.HOLD, "G9"
    return Outcome.GENERATE, "G9"


def case_id(case: Case) -> str:
    words = [
        "settings_manual" * case.settings_manual,
        case.group_status.lower(),
        "group_manual" * case.group_manual,
        "awaiting" * case.awaiting,
        "arrears" if case.arrears else "advance",
        case.trigger.lower(),
        "due" if case.due else "not_due",
    ]
    return "-".join(filter(None, words))


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_every_combination_of_g1_to_g6_follows_the_table(case: Case) -> None:
    bill_date = BILL_DATE if case.due else BILL_DATE + timedelta(days=31)
    last_day = bill_date - timedelta(days=1)
    facts = AT_NIGHT._replace(
        trigger=case.trigger,
        as_of=BILL_DATE,
        bill_date=bill_date,
        settings_manual=case.settings_manual,
        group_status=case.group_status,
        group_manual=case.group_manual,
        awaiting_manual_invoice=case.awaiting,
        contract_in_arrears=case.arrears,
        bills_in_arrears=case.arrears,
        unended_period_last_day=last_day if case.arrears and not case.due else None,
    )

    decision = decide(facts)

    assert (decision.outcome, decision.rule) == read_the_table(case)
    assert decision.generate is (decision.outcome is Outcome.GENERATE)
    assert not decision.draft


def test_the_table_has_all_288_combinations() -> None:
    assert len(set(CASES)) == 2 * 3 * 2 * 2 * 2 * 3 * 2


@pytest.mark.parametrize("trigger", Trigger)
def test_g2_knows_a_status_that_comes_as_text_from_the_database(
    trigger: Trigger,
) -> None:
    stored = BillGroupStatus("ACTIVE")

    assert decide(AT_NIGHT._replace(trigger=trigger, group_status=stored)).generate
