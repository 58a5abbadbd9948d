"""G5-G10, G14 and G17 at their boundaries."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from invoicing.domain.eligibility import (
    Facts,
    NothingPending,
    Outcome,
    Remedy,
    Trigger,
    decide,
)
from tests.invoicing.domain.pending_invoices import (
    AT_ACTIVATION,
    AT_NIGHT,
    BILL_DATE,
    BY_HAND,
    BY_TRIGGER,
)

ONE_DAY = timedelta(days=1)


@pytest.mark.parametrize("bills_in_arrears", [False, True], ids=["advance", "arrears"])
@pytest.mark.parametrize("offset", range(-30, 3))
def test_due_from_bill_date_plus_offset_on_and_never_before(
    offset: int, *, bills_in_arrears: bool
) -> None:
    """G7: a negative offset moves only what is all advance or one-time."""
    moved = offset if offset > 0 or not bills_in_arrears else 0
    first_night = date(2026, 3, 1) + timedelta(days=moved)
    some = AT_NIGHT._replace(offset_days=offset, bills_in_arrears=bills_in_arrears)

    night_before = decide(some._replace(as_of=first_night - ONE_DAY))
    nights = [first_night, first_night + ONE_DAY, first_night + 400 * ONE_DAY]

    assert (night_before.outcome, night_before.rule) == (Outcome.HOLD, "G7")
    assert night_before.expected_date == first_night
    for night in nights:
        assert decide(some._replace(as_of=night)).outcome is Outcome.GENERATE


@pytest.mark.parametrize(
    ("offset", "bills_in_arrears", "sentence"),
    [
        (0, False, "It is due on 1 Mar 2026. The nightly run generates it then."),
        (
            -5,
            False,
            (
                "It is due on 24 Feb 2026. The nightly run generates it then. Its bill "
                "date is 1 Mar 2026; Settings move that by -5 days."
            ),
        ),
        (
            1,
            True,
            (
                "It is due on 2 Mar 2026. The nightly run generates it then. Its bill "
                "date is 1 Mar 2026; Settings move that by +1 day."
            ),
        ),
        (
            -5,
            True,
            (
                "It is due on 1 Mar 2026. The nightly run generates it then. Charges "
                "in arrears are never billed early."
            ),
        ),
    ],
    ids=["no_offset", "early", "a_day_late", "early_but_in_arrears"],
)
def test_what_is_not_due_says_when_and_why_then(
    offset: int, sentence: str, *, bills_in_arrears: bool
) -> None:
    """G7, G16."""
    decision = decide(
        AT_NIGHT._replace(
            as_of=date(2026, 1, 1),
            offset_days=offset,
            bills_in_arrears=bills_in_arrears,
        )
    )

    assert decision.sentence == sentence
    assert decision.remedy is Remedy.WAIT


def test_due_night_is_not_asked_of_nothing() -> None:
    """G7."""
    with pytest.raises(NothingPending, match="no bill date"):
        _ = AT_NIGHT._replace(bill_date=None).due_from


@pytest.mark.parametrize(
    "bill_date",
    [date(2025, 6, 1), BILL_DATE, date(2027, 1, 1)],
    ids=["started_in_the_past", "starts_today", "starts_in_the_future"],
)
def test_first_invoice_is_made_at_once_whenever_the_contract_starts(
    bill_date: date,
) -> None:
    """G6, G8."""
    decision = decide(AT_ACTIVATION._replace(bill_date=bill_date))

    assert (decision.outcome, decision.rule) == (Outcome.GENERATE, "G6")


@pytest.mark.parametrize(
    ("change", "rule", "remedy"),
    [
        (AT_ACTIVATION._replace(contract_in_arrears=True), "G5", Remedy.WAIT),
        (AT_ACTIVATION._replace(has_billed_elsewhere=True), "G8", Remedy.WAIT),
        (
            AT_ACTIVATION._replace(first_invoice_on_schedule=True),
            "G8",
            Remedy.SETTINGS,
        ),
    ],
    ids=["arrears_line", "billed_elsewhere", "on_schedule"],
)
@pytest.mark.parametrize(
    ("bill_date", "expected"),
    [
        (BILL_DATE - 40 * ONE_DAY, BILL_DATE + ONE_DAY),
        (BILL_DATE, BILL_DATE + ONE_DAY),
        (BILL_DATE + 31 * ONE_DAY, BILL_DATE + 31 * ONE_DAY),
    ],
    ids=["overdue", "due_on_that_day", "future"],
)
def test_contract_without_a_first_invoice_at_activation_is_left_to_the_night(
    change: Facts, rule: str, remedy: Remedy, bill_date: date, expected: date
) -> None:
    """G5, G8, I4."""
    decision = decide(change._replace(bill_date=bill_date))

    assert (decision.outcome, decision.rule) == (Outcome.HOLD, rule)
    assert decision.remedy is remedy
    assert decision.expected_date == expected
    assert "nightly run" in decision.sentence


def test_advance_charges_of_a_contract_with_arrears_keep_their_early_offset() -> None:
    """G5, G7: G5 looks at the contract, the offset at the pending invoice."""
    decision = decide(
        AT_ACTIVATION._replace(
            contract_in_arrears=True,
            bill_date=date(2026, 4, 1),
            offset_days=-5,
        )
    )

    assert decision.expected_date == date(2026, 3, 27)


def test_other_contracts_of_the_group_do_not_delay_a_first_invoice() -> None:
    """G8: what else stands on the bill group is not asked at activation."""
    decision = decide(AT_ACTIVATION._replace(bills_in_arrears=True))

    assert decision.outcome is Outcome.GENERATE


def test_by_hand_ahead_of_the_bill_date_warns() -> None:
    """G9."""
    early = decide(BY_HAND._replace(as_of=BILL_DATE - ONE_DAY))
    in_time = decide(BY_HAND)

    assert early.outcome is Outcome.GENERATE
    assert early.warning == (
        "Its bill date, 1 Mar 2026, has not come yet. Generated now, it keeps its "
        "periods and the nightly run does not make it again."
    )
    assert in_time.warning is None


def test_only_a_person_is_warned_and_only_of_what_happens() -> None:
    """G9."""
    tomorrow = BILL_DATE + ONE_DAY
    run = AT_NIGHT._replace(bill_date=tomorrow, offset_days=-1)
    refused = BY_HAND._replace(bill_date=tomorrow, parked_reason="no tax rate")
    nothing = BY_HAND._replace(bill_date=None)

    assert decide(run).generate
    assert [decide(some).warning for some in (run, refused, nothing)] == [None] * 3


@pytest.mark.parametrize(
    ("as_of", "allowed"),
    [
        (date(2026, 3, 30), False),
        (date(2026, 3, 31), False),
        (date(2026, 4, 1), True),
        (date(2026, 4, 2), True),
    ],
    ids=["day_before", "last_day", "day_after", "later"],
)
def test_by_hand_is_refused_until_the_last_arrears_period_has_ended(
    as_of: date, *, allowed: bool
) -> None:
    """G9."""
    decision = decide(
        BY_HAND._replace(
            as_of=as_of,
            bill_date=date(2026, 4, 1),
            bills_in_arrears=True,
            unended_period_last_day=date(2026, 3, 31),
        )
    )

    assert decision.generate is allowed
    if not allowed:
        assert decision.sentence == (
            "It holds an arrears or usage charge whose period runs to 31 Mar 2026. It "
            "can be generated from 1 Apr 2026 on."
        )
        assert decision.expected_date == date(2026, 4, 1)


@pytest.mark.parametrize("trigger", Trigger)
def test_nothing_to_bill_is_marked_at_zero_without_a_document(
    trigger: Trigger,
) -> None:
    """G10."""
    decision = decide(BY_TRIGGER[trigger]._replace(billable=False))

    assert (decision.outcome, decision.rule) == (Outcome.ZERO, "G10")
    assert not decision.generate
    assert decision.expected_date is None


def test_zero_is_not_marked_before_it_is_due() -> None:
    """G10: usage may still come."""
    decision = decide(AT_NIGHT._replace(bill_date=BILL_DATE + ONE_DAY, billable=False))

    assert (decision.outcome, decision.rule) == (Outcome.HOLD, "G7")


@pytest.mark.parametrize(
    ("overdue_dates", "outcome"),
    [
        (1, Outcome.GENERATE),
        (3, Outcome.GENERATE),
        (4, Outcome.DRAFT_HELD),
        (60, Outcome.DRAFT_HELD),
    ],
)
@pytest.mark.parametrize(
    "some", [AT_NIGHT, AT_ACTIVATION], ids=["nightly", "activation"]
)
def test_more_overdue_dates_than_the_limit_make_held_drafts(
    some: Facts, overdue_dates: int, outcome: Outcome
) -> None:
    """G14."""
    decision = decide(some._replace(overdue_dates=overdue_dates))

    assert decision.outcome is outcome
    assert decision.draft is (outcome is Outcome.DRAFT_HELD)
    assert decision.generate


@pytest.mark.parametrize(
    ("total", "last", "outcome"),
    [
        ("1000.00", "100.00", Outcome.GENERATE),
        ("1000.01", "100.00", Outcome.DRAFT_HELD),
        ("0.00", "100.00", Outcome.GENERATE),
        ("99999.00", "0.00", Outcome.GENERATE),
        ("99999.00", None, Outcome.GENERATE),
        (None, "100.00", Outcome.GENERATE),
    ],
    ids=[
        "ten_times",
        "a_cent_more",
        "zero",
        "last_was_zero",
        "no_last_one",
        "not_compared",
    ],
)
@pytest.mark.parametrize(
    "some", [AT_NIGHT, AT_ACTIVATION], ids=["nightly", "activation"]
)
def test_total_over_ten_times_the_last_invoice_makes_a_held_draft(
    some: Facts, total: str | None, last: str | None, outcome: Outcome
) -> None:
    """G14."""
    decision = decide(
        some._replace(
            comparison_total=None if total is None else Decimal(total),
            last_comparison_total=None if last is None else Decimal(last),
        )
    )

    assert decision.outcome is outcome


@pytest.mark.parametrize(
    ("currency", "figures"),
    [
        ("EUR", ("16,350.60 EUR", "1,200.00 EUR")),
        ("JPY", ("16,351 JPY", "1,200 JPY")),
        ("KWD", ("16,350.600 KWD", "1,200.000 KWD")),
    ],
)
def test_jump_names_both_figures_in_the_digits_of_the_currency(
    currency: str, figures: tuple[str, str]
) -> None:
    """G14, M1."""
    total, last = figures
    decision = decide(
        AT_NIGHT._replace(
            currency=currency,
            comparison_total=Decimal("16350.600"),
            last_comparison_total=Decimal("1200.000"),
        )
    )

    assert decision.sentence == (
        f"Before tax, and with part periods at their full price, it comes to {total}: "
        f"more than 10 times the last invoice, which came to {last} by the same count. "
        "A draft is made: review it, then issue or discard it."
    )
    assert decision.remedy is Remedy.REVIEW


def test_catch_up_names_how_many_dates_are_overdue() -> None:
    """G14."""
    decision = decide(AT_NIGHT._replace(overdue_dates=5))

    assert decision.sentence == (
        "5 bill dates of the bill group are overdue, more than the limit of 3. A draft "
        "is made: review it, then issue or discard it."
    )


def test_safety_bounds_do_not_hold_what_a_person_generates() -> None:
    """G14: whoever presses the button has just seen the figures."""
    decision = decide(
        BY_HAND._replace(
            overdue_dates=60,
            comparison_total=Decimal(5000),
            last_comparison_total=Decimal(1),
        )
    )

    assert decision.outcome is Outcome.GENERATE


@pytest.mark.parametrize(
    ("some", "outcome"),
    [
        (AT_NIGHT, Outcome.DRAFT_FOR_REVIEW),
        (AT_ACTIVATION, Outcome.GENERATE),
        (BY_HAND, Outcome.GENERATE),
    ],
    ids=["nightly", "activation", "by_hand"],
)
def test_review_before_issue_makes_drafts_of_what_the_run_generates(
    some: Facts, outcome: Outcome
) -> None:
    """G17."""
    decision = decide(some._replace(review_before_issue=True))

    assert decision.outcome is outcome
    assert decision.expected_date == BILL_DATE


def test_held_draft_says_why_even_when_all_drafts_are_reviewed() -> None:
    """G14, G17."""
    decision = decide(AT_NIGHT._replace(overdue_dates=4, review_before_issue=True))

    assert (decision.outcome, decision.rule) == (Outcome.DRAFT_HELD, "G14")
