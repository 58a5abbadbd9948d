"""What a part of a billing period costs (P4, P5)."""

from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.money import UnknownCurrency, round_money
from billing.domain.period import Period
from billing.domain.proration import accrued, piece_amount
from tests.oracle import DIGITS, rounded

FIRST = date(2026, 1, 1)
PRICES = st.decimals(min_value=0, max_value=10**9, places=6, allow_nan=False)
CURRENCIES = st.sampled_from(sorted(DIGITS))


def days_from_first(days: int) -> date:
    return FIRST + timedelta(days=days)


@pytest.mark.parametrize(
    ("price", "days", "base_days", "currency", "expected"),
    [
        pytest.param("300", 15, 31, "EUR", "145.16", id="half_of_march"),
        pytest.param("100", 1, 3, "EUR", "33.33", id="third"),
        pytest.param("100", 2, 3, "EUR", "66.67", id="two_thirds"),
        pytest.param("0.01", 1, 2, "EUR", "0.01", id="half_a_cent_goes_up"),
        pytest.param("0.01", 1, 3, "EUR", "0.00", id="third_of_a_cent"),
        pytest.param("1000", 14, 28, "JPY", "500", id="yen_half_february"),
        pytest.param("1001", 14, 28, "JPY", "501", id="yen_half_goes_up"),
        pytest.param("10", 1, 3, "KWD", "3.333", id="dinar"),
        pytest.param("12000", 90, 365, "EUR", "2958.90", id="quarter_of_a_year"),
        pytest.param("12000", 60, 366, "EUR", "1967.21", id="leap_year"),
        pytest.param("99.995", 31, 31, "EUR", "100.00", id="whole_is_rounded_price"),
        pytest.param("500", 0, 31, "EUR", "0.00", id="no_days"),
    ],
)
def test_price_accrues_by_days(
    price: str, days: int, base_days: int, currency: str, expected: str
) -> None:
    """P4"""
    amount = accrued(
        Decimal(price),
        start=FIRST,
        until=days_from_first(days),
        base_days=base_days,
        currency=currency,
    )

    assert str(amount) == expected


@pytest.mark.parametrize(
    ("days", "base_days"),
    [
        pytest.param(-1, 31, id="before_the_start"),
        pytest.param(32, 31, id="beyond_the_base"),
        pytest.param(0, 0, id="no_base"),
    ],
)
def test_days_outside_the_base_are_refused(days: int, base_days: int) -> None:
    with pytest.raises(ValueError, match="can't accrue"):
        accrued(
            Decimal(1),
            start=FIRST,
            until=days_from_first(days),
            base_days=base_days,
            currency="EUR",
        )


def test_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        accrued(Decimal(1), start=FIRST, until=FIRST, base_days=1, currency="EURO")


@pytest.mark.parametrize(
    ("price", "currency", "last_days", "amounts"),
    [
        pytest.param(
            "100", "EUR", [10, 20, 31], ["32.26", "32.26", "35.48"], id="three_pieces"
        ),
        pytest.param("310", "EUR", [31], ["310.00"], id="uncut"),
        pytest.param("310", "EUR", [14, 31], ["140.00", "170.00"], id="even"),
        pytest.param("1000", "JPY", [10, 31], ["323", "677"], id="yen"),
        pytest.param(
            "10", "KWD", [10, 20, 31], ["3.226", "3.226", "3.548"], id="dinar"
        ),
        pytest.param(
            "0.02", "EUR", [7, 8, 24, 31], ["0.00", "0.01", "0.01", "0.00"], id="cents"
        ),
    ],
)
def test_pieces_are_differences_of_what_accrued(
    price: str, currency: str, last_days: list[int], amounts: list[str]
) -> None:
    """P5"""
    january = Period(FIRST, date(2026, 2, 1))
    edges = [FIRST, *(days_from_first(last) for last in last_days)]

    pieces = [
        piece_amount(
            Decimal(price),
            piece=Period(start, end),
            uncut=january,
            base_days=31,
            currency=currency,
        )
        for start, end in pairwise(edges)
    ]

    assert [str(piece) for piece in pieces] == amounts


def test_piece_of_a_stub_counts_from_the_stubs_first_day() -> None:
    """P5: 17 days of January sold, its last 8 at 310 a month."""
    stub = Period(date(2026, 1, 15), date(2026, 2, 1))

    amount = piece_amount(
        Decimal(310),
        piece=Period(date(2026, 1, 24), date(2026, 2, 1)),
        uncut=stub,
        base_days=31,
        currency="EUR",
    )

    assert amount == Decimal("80.00")


@pytest.mark.parametrize(
    ("first_day", "end_day"),
    [pytest.param(0, 5, id="starts_before"), pytest.param(5, 31, id="ends_after")],
)
def test_piece_outside_the_uncut_charge_is_refused(
    first_day: int, end_day: int
) -> None:
    with pytest.raises(ValueError, match="is not a piece of"):
        piece_amount(
            Decimal(1),
            piece=Period(days_from_first(first_day), days_from_first(end_day)),
            uncut=Period(days_from_first(1), days_from_first(30)),
            base_days=31,
            currency="EUR",
        )


def test_accrual_does_not_depend_on_the_threads_context() -> None:
    """P4"""
    with localcontext(prec=3, rounding="ROUND_DOWN"):
        amount = accrued(
            Decimal("123456.789"),
            start=FIRST,
            until=days_from_first(2),
            base_days=3,
            currency="EUR",
        )

    assert str(amount) == "82304.53"


@given(
    price=PRICES,
    currency=CURRENCIES,
    base_days=st.integers(1, 1900),
    share=st.floats(0, 1),
)
def test_accrual_is_the_exact_fraction_rounded_once(
    price: Decimal, currency: str, base_days: int, share: float
) -> None:
    """P4"""
    days = round(base_days * share)

    amount = accrued(
        price,
        start=FIRST,
        until=days_from_first(days),
        base_days=base_days,
        currency=currency,
    )

    assert amount == rounded(Fraction(price) * days / base_days, currency)


@given(
    price=PRICES,
    currency=CURRENCIES,
    uncut_days=st.integers(1, 400),
    missing_days=st.integers(0, 100),
    cuts=st.sets(st.integers(1, 399)),
)
def test_pieces_sum_to_the_whole_for_any_cuts(
    price: Decimal,
    currency: str,
    uncut_days: int,
    missing_days: int,
    cuts: set[int],
) -> None:
    """P5"""
    base_days = uncut_days + missing_days
    inner = sorted(cut for cut in cuts if cut < uncut_days)
    edges = [days_from_first(days) for days in (0, *inner, uncut_days)]
    uncut = Period(edges[0], edges[-1])

    pieces = [
        piece_amount(
            price,
            piece=Period(start, end),
            uncut=uncut,
            base_days=base_days,
            currency=currency,
        )
        for start, end in pairwise(edges)
    ]

    assert sum(pieces) == rounded(Fraction(price) * uncut_days / base_days, currency)
    assert all(piece >= 0 for piece in pieces)
    if not missing_days:
        assert sum(pieces) == round_money(price, currency)
