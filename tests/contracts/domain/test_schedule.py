"""The periods of a line and what they cost when nothing cuts them (P2-P4)."""

from dataclasses import replace

import pytest

from contracts.domain.schedule import plan
from tests.contracts.domain.sold import (
    PLAIN_CONTRACT,
    PLAIN_LINE,
    YEAR_START,
    day,
    from_days,
    told,
)


@pytest.mark.parametrize(
    ("start", "end", "bill_day", "unit_price", "expected"),
    [
        pytest.param(
            "2026-01-01",
            "2026-03-31",
            1,
            "310",
            [
                "2026-01-01..2026-01-31 2026-01-01: 310.00",
                "2026-02-01..2026-02-28 2026-02-01: 310.00",
                "2026-03-01..2026-03-31 2026-03-01: 310.00",
            ],
            id="whole_months",
        ),
        pytest.param(
            "2026-01-20",
            "2026-02-28",
            1,
            "310",
            [
                "2026-01-20..2026-01-31 2026-01-20: 120.00",
                "2026-02-01..2026-02-28 2026-02-01: 310.00",
            ],
            id="leading_stub",
        ),
        pytest.param(
            "2026-01-10",
            "2026-02-14",
            15,
            "310",
            [
                "2026-01-10..2026-01-14 2026-01-10: 50.00",
                "2026-01-15..2026-02-14 2026-01-15: 310.00",
            ],
            id="leading_stub_before_bill_day_lies_in_the_month_before",
        ),
        pytest.param(
            "2026-01-01",
            "2026-02-14",
            1,
            "280",
            [
                "2026-01-01..2026-01-31 2026-01-01: 280.00",
                "2026-02-01..2026-02-14 2026-02-01: 140.00",
            ],
            id="trailing_stub",
        ),
        pytest.param(
            "2026-01-20",
            "2026-02-14",
            1,
            "868",
            [
                "2026-01-20..2026-01-31 2026-01-20: 336.00",
                "2026-02-01..2026-02-14 2026-02-01: 434.00",
            ],
            id="double_stub_in_two_months",
        ),
        pytest.param(
            "2026-01-10",
            "2026-01-20",
            1,
            "310",
            ["2026-01-10..2026-01-20 2026-01-10: 110.00"],
            id="double_stub_in_one_month",
        ),
        pytest.param(
            "2026-01-31",
            "2026-01-31",
            1,
            "310",
            ["2026-01-31..2026-01-31 2026-01-31: 10.00"],
            id="one_day",
        ),
        pytest.param(
            "2026-01-31",
            "2026-04-29",
            31,
            "310",
            [
                "2026-01-31..2026-02-27 2026-01-31: 310.00",
                "2026-02-28..2026-03-30 2026-02-28: 310.00",
                "2026-03-31..2026-04-29 2026-03-31: 310.00",
            ],
            id="starts_on_31st",
        ),
        pytest.param(
            "2024-01-30",
            "2024-04-29",
            30,
            "310",
            [
                "2024-01-30..2024-02-28 2024-01-30: 310.00",
                "2024-02-29..2024-03-29 2024-02-29: 310.00",
                "2024-03-30..2024-04-29 2024-03-30: 310.00",
            ],
            id="starts_on_30th_in_leap_year",
        ),
        pytest.param(
            "2025-01-29",
            "2025-03-28",
            29,
            "310",
            [
                "2025-01-29..2025-02-27 2025-01-29: 310.00",
                "2025-02-28..2025-03-28 2025-02-28: 310.00",
            ],
            id="starts_on_29th",
        ),
        pytest.param(
            "2024-02-01",
            "2024-02-28",
            1,
            "290",
            ["2024-02-01..2024-02-28 2024-02-01: 280.00"],
            id="leap_day_is_missing",
        ),
        pytest.param(
            "2024-02-29",
            "2024-03-31",
            1,
            "290",
            [
                "2024-02-29..2024-02-29 2024-02-29: 10.00",
                "2024-03-01..2024-03-31 2024-03-01: 290.00",
            ],
            id="starts_on_leap_day",
        ),
    ],
)
def test_month_is_billed_on_its_first_day_and_stubs_by_days(
    start: str, end: str, bill_day: int, unit_price: str, expected: list[str]
) -> None:
    """P2, P3, P4, P6"""
    line = replace(
        PLAIN_LINE,
        start=day(start),
        stretches=from_days(d2020_01_01=unit_price),
    )
    contract = replace(
        PLAIN_CONTRACT,
        start=day(start),
        end=day(end),
        bill_day=bill_day,
        lines=(line,),
    )

    assert told(plan(contract, today=YEAR_START)) == expected


@pytest.mark.parametrize(
    ("months", "bill_month", "start", "end", "unit_price", "expected"),
    [
        pytest.param(
            2,
            None,
            "2026-01-01",
            "2026-04-15",
            "610",
            [
                "2026-01-01..2026-02-28 2026-01-01: 610.00",
                "2026-03-01..2026-04-15 2026-03-01: 460.00",
            ],
            id="two_months_trailing_stub",
        ),
        pytest.param(
            3,
            None,
            "2026-02-15",
            "2026-07-31",
            "890",
            [
                "2026-02-15..2026-04-30 2026-02-15: 750.00",
                "2026-05-01..2026-07-31 2026-05-01: 890.00",
            ],
            id="quarter_counted_from_the_start_month",
        ),
        pytest.param(
            3,
            1,
            "2026-02-15",
            "2026-06-30",
            "900",
            [
                "2026-02-15..2026-03-31 2026-02-15: 450.00",
                "2026-04-01..2026-06-30 2026-04-01: 900.00",
            ],
            id="calendar_quarter",
        ),
        pytest.param(
            6,
            None,
            "2026-01-01",
            "2026-09-30",
            "1840",
            [
                "2026-01-01..2026-06-30 2026-01-01: 1840.00",
                "2026-07-01..2026-09-30 2026-07-01: 920.00",
            ],
            id="half_year_trailing_stub",
        ),
        pytest.param(
            12,
            None,
            "2023-03-01",
            "2024-02-28",
            "366",
            ["2023-03-01..2024-02-28 2023-03-01: 365.00"],
            id="year_with_leap_day_cut_short",
        ),
        pytest.param(
            12,
            None,
            "2026-01-20",
            "2027-12-31",
            "365",
            [
                "2026-01-20..2026-12-31 2026-01-20: 346.00",
                "2027-01-01..2027-12-31 2027-01-01: 365.00",
            ],
            id="year_leading_stub",
        ),
        pytest.param(
            12,
            7,
            "2026-01-01",
            "2027-06-30",
            "730",
            [
                "2026-01-01..2026-06-30 2026-01-01: 362.00",
                "2026-07-01..2027-06-30 2026-07-01: 730.00",
            ],
            id="fiscal_year_from_july",
        ),
        pytest.param(
            18,
            None,
            "2026-01-01",
            "2027-12-31",
            "550",
            [
                "2026-01-01..2027-06-30 2026-01-01: 550.00",
                "2027-07-01..2027-12-31 2027-07-01: 184.00",
            ],
            id="eighteen_months_trailing_stub_over_a_leap_year",
        ),
        pytest.param(
            60,
            None,
            "2026-01-01",
            "2030-12-31",
            "5000",
            ["2026-01-01..2030-12-31 2026-01-01: 5000.00"],
            id="sixty_months",
        ),
    ],
)
def test_longer_periods_are_prorated_by_their_own_days(
    *,
    months: int,
    bill_month: int | None,
    start: str,
    end: str,
    unit_price: str,
    expected: list[str],
) -> None:
    """P2, P3, P4"""
    line = replace(
        PLAIN_LINE,
        months=months,
        start=day(start),
        stretches=from_days(d2020_01_01=unit_price),
    )
    contract = replace(
        PLAIN_CONTRACT,
        start=day(start),
        end=day(end),
        bill_month=bill_month,
        lines=(line,),
    )

    assert told(plan(contract, today=YEAR_START)) == expected
