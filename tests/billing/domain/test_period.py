"""Billing periods and their boundaries (P2, P3)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.period import Anchor, Period, add_months, subtract

DATES = st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


def through(first: str, last: str) -> Period:
    return Period.from_inclusive(day(first), day(last))


def boundaries(anchor: Anchor, *, count: int, first: int = 0) -> list[str]:
    return [str(anchor.boundary(k)) for k in range(first, first + count)]


@st.composite
def anchors(draw: st.DrawFn) -> Anchor:
    months = draw(st.integers(1, 60))
    may_have_month = 12 % months == 0
    return Anchor(
        start=draw(DATES),
        bill_day=draw(st.integers(1, 31)),
        months=months,
        bill_month=draw(st.none() | st.integers(1, 12)) if may_have_month else None,
    )


def test_period_counts_both_its_days() -> None:
    january = through("2026-01-01", "2026-01-31")

    assert january.days == 31
    assert january.last_day == day("2026-01-31")
    assert january.end == day("2026-02-01")


def test_period_of_one_day_is_the_shortest() -> None:
    assert through("2024-02-29", "2024-02-29").days == 1


@pytest.mark.parametrize("end", ["2026-01-10", "2026-01-09"])
def test_period_without_a_day_is_refused(end: str) -> None:
    with pytest.raises(ValueError, match="can't start on 2026-01-10"):
        Period(day("2026-01-10"), day(end))


def test_period_contains_its_first_and_last_day_and_not_the_next() -> None:
    january = through("2026-01-01", "2026-01-31")

    assert day("2026-01-01") in january
    assert day("2026-01-31") in january
    assert day("2026-02-01") not in january
    assert day("2025-12-31") not in january


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        pytest.param(("2026-01-12", "2026-01-13"), 2, id="inside"),
        pytest.param(("2026-01-01", "2026-01-31"), 11, id="around"),
        pytest.param(("2026-01-01", "2026-01-10"), 1, id="its_first_day"),
        pytest.param(("2026-01-20", "2026-01-25"), 1, id="its_last_day"),
        pytest.param(("2026-01-01", "2026-01-09"), 0, id="adjacent_before"),
        pytest.param(("2026-01-21", "2026-01-31"), 0, id="adjacent_after"),
    ],
)
def test_periods_overlap_by_the_days_they_share(
    other: tuple[str, str], shared: int
) -> None:
    period = through("2026-01-10", "2026-01-20")

    intersection = period.intersection(through(*other))

    assert (intersection.days if intersection else 0) == shared
    assert period.overlaps(through(*other)) is bool(shared)
    assert through(*other).overlaps(period) is bool(shared)


@pytest.mark.parametrize(
    ("covered", "gaps"),
    [
        pytest.param([], [(1, 31)], id="nothing"),
        pytest.param([(1, 31)], [], id="all"),
        pytest.param([(1, 15), (16, 31)], [], id="all_in_two"),
        pytest.param([(1, 10)], [(11, 31)], id="head"),
        pytest.param([(20, 31)], [(1, 19)], id="tail"),
        pytest.param([(10, 20)], [(1, 9), (21, 31)], id="middle"),
        pytest.param([(20, 25), (5, 10)], [(1, 4), (11, 19), (26, 31)], id="unsorted"),
        pytest.param([(5, 20), (10, 12)], [(1, 4), (21, 31)], id="nested"),
    ],
)
def test_gaps_are_the_days_that_nothing_covers(
    covered: list[tuple[int, int]], gaps: list[tuple[int, int]]
) -> None:
    """P7"""
    january = through("2026-01-01", "2026-01-31")
    covers = [
        Period.from_inclusive(date(2026, 1, first), date(2026, 1, last))
        for first, last in covered
    ]

    left = subtract(january, covers)

    assert [(gap.start.day, gap.last_day.day) for gap in left] == gaps


def test_cover_outside_the_period_leaves_it_whole() -> None:
    january = through("2026-01-01", "2026-01-31")
    around = [
        through("2025-12-01", "2025-12-31"),
        through("2026-02-01", "2026-02-28"),
    ]

    assert subtract(january, around) == (january,)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        pytest.param("2026-01-31", 1, "2026-02-28", id="into_february"),
        pytest.param("2024-01-31", 1, "2024-02-29", id="into_leap_february"),
        pytest.param("2024-02-29", 12, "2025-02-28", id="leap_day_a_year_later"),
        pytest.param("2024-02-29", 48, "2028-02-29", id="leap_day_to_leap_day"),
        pytest.param("2026-12-15", 1, "2027-01-15", id="over_new_year"),
        pytest.param("2026-01-15", -1, "2025-12-15", id="back_over_new_year"),
        pytest.param("2026-03-31", -13, "2025-02-28", id="back_thirteen_months"),
        pytest.param("2026-05-31", 0, "2026-05-31", id="nowhere"),
        pytest.param("2100-01-31", 1, "2100-02-28", id="century_is_no_leap_year"),
        pytest.param("2000-01-31", 1, "2000-02-29", id="fourth_century_is_one"),
    ],
)
def test_months_are_added_clamped(start: str, months: int, expected: str) -> None:
    """P2"""
    assert add_months(day(start), months) == day(expected)


def test_anchor_day_is_kept_where_the_month_has_it() -> None:
    """P2"""
    assert add_months(day("2026-02-28"), 1, anchor_day=31) == day("2026-03-31")


@pytest.mark.parametrize(
    ("start", "bill_day", "months", "expected"),
    [
        pytest.param(
            "2026-01-31",
            31,
            1,
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"],
            id="31st_does_not_drift",
        ),
        pytest.param(
            "2024-01-30",
            30,
            1,
            ["2024-01-30", "2024-02-29", "2024-03-30"],
            id="30th_in_leap_year",
        ),
        pytest.param(
            "2025-12-29",
            29,
            1,
            ["2025-12-29", "2026-01-29", "2026-02-28", "2026-03-29"],
            id="29th",
        ),
        pytest.param(
            "2026-01-28", 28, 1, ["2026-01-28", "2026-02-28", "2026-03-28"], id="28th"
        ),
        pytest.param(
            "2024-02-29",
            29,
            12,
            ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
            id="leap_day_annual",
        ),
        pytest.param(
            "2026-08-31",
            31,
            2,
            ["2026-08-31", "2026-10-31", "2026-12-31", "2027-02-28", "2027-04-30"],
            id="two_months_31st",
        ),
        pytest.param(
            "2026-11-30",
            30,
            3,
            ["2026-11-30", "2027-02-28", "2027-05-30"],
            id="quarterly_30th",
        ),
        pytest.param(
            "2026-08-31",
            31,
            6,
            ["2026-08-31", "2027-02-28", "2027-08-31"],
            id="semiannual_31st",
        ),
        pytest.param(
            "2026-08-31",
            31,
            18,
            ["2026-08-31", "2028-02-29", "2029-08-31"],
            id="eighteen_months_31st",
        ),
        pytest.param(
            "2026-01-15", 1, 1, ["2026-02-01", "2026-03-01"], id="bill_day_before_start"
        ),
        pytest.param(
            "2026-01-15",
            1,
            3,
            ["2026-04-01", "2026-07-01"],
            id="before_start_quarterly",
        ),
        pytest.param(
            "2026-01-15", 1, 12, ["2027-01-01", "2028-01-01"], id="before_start_annual"
        ),
        pytest.param(
            "2026-01-15", 15, 3, ["2026-01-15", "2026-04-15"], id="bill_day_on_start"
        ),
        pytest.param(
            "2026-01-15", 20, 3, ["2026-01-20", "2026-04-20"], id="bill_day_after_start"
        ),
        pytest.param(
            "2026-02-28", 31, 1, ["2026-02-28", "2026-03-31"], id="clamped_onto_start"
        ),
        pytest.param(
            "2024-02-28", 31, 1, ["2024-02-29", "2024-03-31"], id="clamped_after_start"
        ),
        pytest.param(
            "2026-03-31",
            30,
            1,
            ["2026-04-30", "2026-05-30"],
            id="31st_with_bill_day_30",
        ),
        pytest.param(
            "2026-04-30",
            31,
            1,
            ["2026-04-30", "2026-05-31"],
            id="30th_with_bill_day_31",
        ),
        pytest.param(
            "2026-01-15", 10, 60, ["2031-01-10", "2036-01-10"], id="sixty_months"
        ),
    ],
)
def test_boundaries_come_from_the_bill_day(
    start: str, bill_day: int, months: int, expected: list[str]
) -> None:
    """P2, P3"""
    anchor = Anchor(start=day(start), bill_day=bill_day, months=months)

    assert boundaries(anchor, count=len(expected)) == expected
    assert anchor.first_boundary() == day(expected[0])


@pytest.mark.parametrize(
    ("start", "bill_day", "months", "bill_month", "expected"),
    [
        pytest.param(
            "2026-02-15",
            1,
            3,
            1,
            ["2026-01-01", "2026-04-01", "2026-07-01"],
            id="calendar_quarters",
        ),
        pytest.param(
            "2026-04-01",
            1,
            3,
            1,
            ["2026-01-01", "2026-04-01", "2026-07-01"],
            id="calendar_quarters_on_boundary",
        ),
        pytest.param(
            "2026-04-02",
            1,
            3,
            10,
            ["2026-04-01", "2026-07-01", "2026-10-01"],
            id="quarters_counted_from_october",
        ),
        pytest.param(
            "2026-01-20",
            1,
            12,
            4,
            ["2025-04-01", "2026-04-01", "2027-04-01"],
            id="fiscal_year_from_april",
        ),
        pytest.param(
            "2026-05-20",
            1,
            12,
            4,
            ["2026-04-01", "2027-04-01"],
            id="fiscal_year_already_begun",
        ),
        pytest.param(
            "2026-01-31",
            31,
            6,
            2,
            ["2025-08-31", "2026-02-28", "2026-08-31"],
            id="half_years_at_month_ends",
        ),
        pytest.param(
            "2024-02-28",
            31,
            12,
            2,
            ["2023-02-28", "2024-02-29", "2025-02-28"],
            id="day_before_leap_boundary",
        ),
        pytest.param(
            "2025-11-15",
            10,
            2,
            1,
            ["2025-11-10", "2026-01-10", "2026-03-10"],
            id="two_months_over_new_year",
        ),
        pytest.param(
            "2026-03-15", 10, 1, 7, ["2026-03-10", "2026-04-10"], id="monthly_any_month"
        ),
        pytest.param(
            "2026-03-15",
            20,
            4,
            3,
            ["2025-11-20", "2026-03-20", "2026-07-20"],
            id="four_months_in_the_start_month",
        ),
    ],
)
def test_bill_month_moves_the_boundaries_into_its_months(
    start: str, bill_day: int, months: int, bill_month: int, expected: list[str]
) -> None:
    """P3: from the boundary before the first on."""
    anchor = Anchor(
        start=day(start), bill_day=bill_day, months=months, bill_month=bill_month
    )

    assert boundaries(anchor, count=len(expected), first=-1) == expected


@pytest.mark.parametrize(
    ("start", "bill_day", "months", "before"),
    [
        pytest.param("2026-03-30", 31, 1, "2026-02-28", id="clamped_into_february"),
        pytest.param("2026-01-15", 20, 3, "2025-10-20", id="quarter"),
        pytest.param("2026-01-15", 1, 12, "2026-01-01", id="year_already_begun"),
        pytest.param("2026-01-31", 31, 1, "2025-12-31", id="month_end"),
        pytest.param("2025-08-30", 31, 18, "2024-02-29", id="into_leap_february"),
    ],
)
def test_boundary_before_the_first_lies_one_period_earlier(
    start: str, bill_day: int, months: int, before: str
) -> None:
    """P3"""
    anchor = Anchor(start=day(start), bill_day=bill_day, months=months)

    assert anchor.boundary(-1) == day(before)
    assert anchor.boundary(anchor.index_containing(day(start))) in (
        day(before),
        anchor.first_boundary(),
    )


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("months", 0, "1-60 months"),
        ("months", 61, "1-60 months"),
        ("bill_day", 0, "bill day"),
        ("bill_day", 32, "bill day"),
        ("bill_month", 0, "bill month"),
        ("bill_month", 13, "bill month"),
    ],
)
def test_anchor_off_the_calendar_is_refused(
    field: str, value: int, reason: str
) -> None:
    """P2, P3"""
    fields = {"bill_day": 1, "months": 1, "bill_month": 1} | {field: value}

    with pytest.raises(ValueError, match=reason):
        Anchor(start=date(2026, 1, 1), **fields)


@pytest.mark.parametrize("months", [5, 7, 8, 9, 10, 11, 18, 24, 60])
def test_bill_month_needs_months_that_divide_the_year(months: int) -> None:
    """P3"""
    with pytest.raises(ValueError, match="can't go with"):
        Anchor(start=date(2026, 1, 1), bill_day=1, months=months, bill_month=1)


@given(anchor=anchors(), k=st.integers(-30, 200))
def test_boundaries_law(anchor: Anchor, k: int) -> None:
    """P2, P3: monotone, on the bill day or a shorter month's last, never drifting."""
    one, next_ = anchor.boundary(k), anchor.boundary(k + 1)

    assert one < next_
    distance = (next_.year - one.year) * 12 + next_.month - one.month
    assert distance == anchor.months
    is_clamped = (one + timedelta(days=1)).month != one.month
    assert one.day == anchor.bill_day or (is_clamped and one.day < anchor.bill_day)
    if anchor.bill_month is not None:
        assert (one.month - anchor.bill_month) % anchor.months == 0


@given(anchor=anchors())
def test_first_boundary_law(anchor: Anchor) -> None:
    """P3: the earliest on or after the start, at most one period later."""
    assert anchor.boundary(-1) < anchor.start <= anchor.first_boundary()


@given(anchor=anchors(), any_day=DATES)
def test_every_day_lies_in_exactly_one_period(anchor: Anchor, any_day: date) -> None:
    """P2"""
    k = anchor.index_containing(any_day)

    assert any_day in Period(anchor.boundary(k), anchor.boundary(k + 1))


@given(data=st.data())
def test_gaps_and_cover_make_the_period_again(data: st.DataObject) -> None:
    """P7"""
    first = date(2026, 1, 1)
    spans = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(
        lambda span: Period(
            first + timedelta(days=span[0]), first + timedelta(days=sum(span))
        )
    )
    period = data.draw(spans)
    covered = data.draw(st.lists(spans, max_size=5))

    gaps = subtract(period, covered)

    days = [period.start + timedelta(days=n) for n in range(period.days)]
    in_gaps = [one for one in days if any(one in gap for gap in gaps)]
    assert in_gaps == [one for one in days if not any(one in c for c in covered)]
    assert sum(gap.days for gap in gaps) == len(in_gaps)
    assert list(gaps) == sorted(gaps, key=lambda gap: gap.start)
