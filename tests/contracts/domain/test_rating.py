"""P9: per unit, graduated and volume tiers, with an included quantity."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.money import UnknownCurrency, round_money
from contracts.domain.rating import (
    InvalidTiers,
    Tariff,
    TariffModel,
    Tier,
    check_tiers,
    format_tiers,
    parse_tiers,
    rate,
)

PER_UNIT = TariffModel.PER_UNIT
STEPS = "100:0.50;1000:0.40;*:0.30"


def tariff(
    text: str = "", *, price: str = "0", included: str = "0", discount: str = "0"
) -> Tariff:
    model, tiers = parse_tiers(text) if text else (PER_UNIT, ())
    return Tariff(
        model=model,
        unit_price=Decimal(price),
        tiers=tiers,
        included_quantity=Decimal(included),
        discount_percent=Decimal(discount),
    )


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        pytest.param("0", "0.00", id="none"),
        pytest.param("1", "0.50", id="first_unit"),
        pytest.param("100", "50.00", id="last_of_first_tier"),
        pytest.param("101", "50.40", id="first_of_second_tier"),
        pytest.param("1000", "410.00", id="last_of_second_tier"),
        pytest.param("1001", "410.30", id="first_of_open_tier"),
        pytest.param("100.5", "50.20", id="fraction_across_a_bound"),
    ],
)
def test_p9_graduated_prices_each_unit_in_its_tier(quantity: str, amount: str) -> None:
    rated = rate(tariff(f"graduated {STEPS}"), Decimal(quantity), "EUR")

    assert str(rated.amount) == amount


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        pytest.param("0", "0.00", id="none"),
        pytest.param("100", "50.00", id="last_of_first_tier"),
        pytest.param("100.01", "40.00", id="just_into_second_tier"),
        pytest.param("1000", "400.00", id="last_of_second_tier"),
        pytest.param("1001", "300.30", id="first_of_open_tier"),
    ],
)
def test_p9_volume_prices_all_units_in_the_tier_of_the_last(
    quantity: str, amount: str
) -> None:
    rated = rate(tariff(f"volume {STEPS}"), Decimal(quantity), "EUR")

    assert str(rated.amount) == amount


@pytest.mark.parametrize(
    ("included", "quantity", "billable", "amount"),
    [
        pytest.param("50", "49", "0", "0.00", id="below_included"),
        pytest.param("50", "50", "0", "0.00", id="all_included"),
        pytest.param("50", "51", "1", "2.00", id="one_more"),
        pytest.param("0", "3", "3", "6.00", id="nothing_included"),
    ],
)
def test_p9_included_quantity_costs_nothing(
    included: str, quantity: str, billable: str, amount: str
) -> None:
    rated = rate(tariff(price="2", included=included), Decimal(quantity), "EUR")

    assert rated.billable_quantity == Decimal(billable)
    assert str(rated.amount) == amount


def test_p9_tier_bounds_count_the_units_after_the_included_ones() -> None:
    rated = rate(tariff(f"graduated {STEPS}", included="50"), Decimal(151), "EUR")

    assert [(part.quantity, part.unit_price) for part in rated.parts] == [
        (Decimal(100), Decimal("0.50")),
        (Decimal(1), Decimal("0.40")),
    ]
    assert rated.quantity == 151
    assert str(rated.amount) == "50.40"


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        pytest.param("EUR", "0.02", id="euro"),
        pytest.param("JPY", "0", id="yen"),
        pytest.param("KWD", "0.015", id="dinar"),
    ],
)
def test_m1_amount_is_rounded_half_up_once_to_the_currency(
    currency: str, amount: str
) -> None:
    rated = rate(tariff("graduated 1:0.005;*:0.005"), Decimal(3), currency)

    assert str(rated.amount) == amount
    assert sum(part.amount for part in rated.parts) == Decimal("0.015")


def test_discount_comes_off_the_sum_before_rounding() -> None:
    rated = rate(tariff(price="0.99", discount="12.5"), Decimal(3), "USD")

    assert str(rated.amount) == "2.60"  # 2.97 less 12.5 % is 2.59875


def test_widest_numbers_are_exact() -> None:
    most = Decimal("999999999999.999999")

    rated = rate(tariff(price=str(most), discount="0.001"), most, "KWD")

    assert str(rated.amount) == "999989999999999998000020.000"


def test_m9_negative_usage_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        rate(tariff(price="1"), Decimal(-1), "EUR")


def test_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        rate(tariff(price="1"), Decimal(1), "XXX")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "like this", id="blank"),
        pytest.param("graduated", "like this", id="no_tier"),
        pytest.param("stairs 1:1;*:1", "graduated or volume", id="unknown_model"),
        pytest.param("Graduated *:1", "graduated or volume", id="capital"),
        pytest.param("per_unit *:1", "graduated or volume", id="per_unit"),
        pytest.param("volume 10:1", "last tier must be open", id="no_open_tier"),
        pytest.param("volume *:1;10:1", "last tier must be open", id="open_tier_first"),
        pytest.param("volume *:1;*:2", "Only the last tier", id="two_open_tiers"),
        pytest.param("volume 10:1;10:2;*:3", "must rise", id="equal_bounds"),
        pytest.param("volume 10:1;9:2;*:3", "9 comes after 10", id="falling_bounds"),
        pytest.param("volume 0:1;*:3", "above 0", id="zero_bound"),
        pytest.param("volume -5:1;*:3", "negative", id="negative_bound"),
        pytest.param("volume 5:-1;*:3", "negative", id="negative_price"),
        pytest.param("volume 5:1,5;*:3", "decimal comma", id="decimal_comma"),
        pytest.param("volume 5:1.1234567;*:3", "6 digits", id="seven_decimals"),
        pytest.param("volume 5;*:3", "colon", id="no_price"),
        pytest.param("volume 5:;*:3", "not a number", id="blank_price"),
        pytest.param("volume 5:1;*:3;", "colon", id="trailing_semicolon"),
        pytest.param("volume 5:1:2;*:3", "price “1:2”", id="two_colons"),
        pytest.param("volume ∞:1;*:3", "bound “∞”", id="infinite_bound"),
        pytest.param(
            "volume " + "".join(f"{n}:1;" for n in range(1, 51)) + "*:1",
            "more than 50",
            id="too_many",
        ),
    ],
)
def test_wrong_tiers_are_refused_with_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(InvalidTiers, match=complaint):
        parse_tiers(text)


@pytest.mark.parametrize(
    ("tiers", "complaint"),
    [
        pytest.param((), "no tier", id="none"),
        pytest.param(
            (Tier(up_to=None, unit_price=Decimal(-1)),), "negative", id="negative"
        ),
    ],
)
def test_tiers_made_in_code_are_checked_too(
    tiers: tuple[Tier, ...], complaint: str
) -> None:
    with pytest.raises(InvalidTiers, match=complaint):
        check_tiers(tiers)


def test_tariff_per_unit_with_tiers_is_refused() -> None:
    with pytest.raises(InvalidTiers, match="no tiers"):
        Tariff(model=PER_UNIT, tiers=(Tier(up_to=None, unit_price=Decimal(1)),))


def test_tiered_tariff_without_tiers_is_refused() -> None:
    with pytest.raises(InvalidTiers, match="no tier"):
        Tariff(model=TariffModel.VOLUME)


def quantities(least: int = 0) -> st.SearchStrategy[Decimal]:
    return st.integers(least, 10**9).map(lambda millionths: Decimal(millionths) / 10**3)


@st.composite
def tier_sets(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(quantities(least=1), max_size=5)))
    prices = st.decimals(min_value=0, max_value=1000, places=6)
    return tuple(
        Tier(up_to=bound, unit_price=draw(prices)) for bound in [*bounds, None]
    )


TIERED = st.sampled_from([TariffModel.GRADUATED, TariffModel.VOLUME])


@settings(deadline=None)
@given(TIERED, tier_sets())
def test_formatted_tiers_read_back_equal(
    model: TariffModel, tiers: tuple[Tier, ...]
) -> None:
    text = format_tiers(model, tiers)

    assert parse_tiers(text) == (model, tiers)
    assert format_tiers(*parse_tiers(text)) == text


@settings(deadline=None)
@given(TIERED, tier_sets(), quantities(), quantities())
def test_p9_parts_hold_every_billable_unit_once(
    model: TariffModel,
    tiers: tuple[Tier, ...],
    included: Decimal,
    quantity: Decimal,
) -> None:
    tiered = Tariff(model=model, tiers=tiers, included_quantity=included)

    rated = rate(tiered, quantity, "EUR")

    assert rated.billable_quantity == max(quantity - included, 0)
    assert sum(part.quantity for part in rated.parts) == rated.billable_quantity
    assert all(part.quantity > 0 for part in rated.parts)
    gross = sum((part.amount for part in rated.parts), Decimal(0))
    assert rated.amount == round_money(gross, "EUR")


@settings(deadline=None)
@given(tier_sets(), quantities(), quantities())
def test_p9_graduated_amount_never_falls_with_more_usage(
    tiers: tuple[Tier, ...], quantity: Decimal, more: Decimal
) -> None:
    graduated = Tariff(model=TariffModel.GRADUATED, tiers=tiers)

    less = rate(graduated, quantity, "EUR").amount
    assert rate(graduated, quantity + more, "EUR").amount >= less


@settings(deadline=None)
@given(st.text())
def test_any_text_is_tiers_or_refused(text: str) -> None:
    with suppress(InvalidTiers):
        check_tiers(parse_tiers(text)[1])
