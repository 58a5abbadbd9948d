"""The lines and the tax of a credit note (A9)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from invoicing.domain.credit import NotCreditable
from invoicing.domain.credit_lines import (
    Creditable,
    CreditableLine,
    CreditSums,
    credit_of_amount,
    credit_of_lines,
    shared,
)
from invoicing.domain.totals import invoice_totals

D = Decimal
RATES = st.sampled_from([None, D(0), D("5.5"), D(7), D(19), D("19.6")])


def invoice(*lines: tuple[str, str | None], currency: str = "EUR") -> Creditable:
    """Nothing was credited yet; a line is its net amount and its tax percent."""
    numbers = [(D(net), None if rate is None else D(rate)) for net, rate in lines]
    totals = invoice_totals(numbers, currency)
    return Creditable(
        lines=tuple(
            CreditableLine(line_id=line_id, tax_percent=percent, left=net)
            for line_id, (net, percent) in enumerate(numbers, start=1)
        ),
        tax_left={tax.percent: tax.tax for tax in totals.taxes},
        currency=currency,
    )


def after(creditable: Creditable, sums: CreditSums) -> Creditable:
    """What is left once a credit is given."""
    taken = {line.line_id: line.amount for line in sums.lines}
    tax = {line.percent: line.tax for line in sums.taxes}
    return replace(
        creditable,
        lines=tuple(
            replace(line, left=line.left - taken.get(line.line_id, 0))
            for line in creditable.lines
        ),
        tax_left={
            percent: left - tax.get(percent, 0)
            for percent, left in creditable.tax_left.items()
        },
    )


def assert_nothing_is_negative(creditable: Creditable) -> None:
    assert all(line.left >= 0 for line in creditable.lines)
    assert all(left >= 0 for left in creditable.tax_left.values())


@st.composite
def invoices(draw: st.DrawFn) -> Creditable:
    """One to five lines in a currency of 0, 2 or 3 digits."""
    currency, digits = draw(st.sampled_from([("JPY", 0), ("EUR", 2), ("KWD", 3)]))
    lines = draw(
        st.lists(
            st.tuples(st.integers(min_value=0, max_value=3000), RATES),
            min_size=1,
            max_size=5,
        )
    )
    return invoice(
        *(
            (str(D(net).scaleb(-digits)), None if rate is None else str(rate))
            for net, rate in lines
        ),
        currency=currency,
    )


def test_a9_tax_follows_in_proportion_per_rate() -> None:
    sums = credit_of_lines(
        invoice(("100.00", "19"), ("50.00", "7"), ("10.00", None)),
        {1: D("25.00"), 3: D("4.00")},
    )

    assert [(tax.percent, tax.taxable, tax.tax) for tax in sums.taxes] == [
        (D(19), D("25.00"), D("4.75"))
    ]
    assert (sums.subtotal, sums.tax, sums.total) == (D("29.00"), D("4.75"), D("33.75"))


def test_a9_the_last_credit_takes_what_is_left_so_no_cent_stays() -> None:
    """Three times 0.13 at 19 % bear 0.07; a third of it is no whole cent."""
    left = invoice(*[("0.13", "19")] * 3)
    taxes = []
    for line_id in (1, 2, 3):
        sums = credit_of_lines(left, {line_id: D("0.13")})
        taxes.append(sums.tax)
        left = after(left, sums)

    assert taxes == [D("0.02"), D("0.03"), D("0.02")]
    assert left.total == 0


@pytest.mark.parametrize(
    ("amounts", "sentence"),
    [
        pytest.param(
            {9: D(1)}, "A chosen line is not on this invoice.", id="line_of_another"
        ),
        pytest.param(
            {}, "No line is chosen. Enter an amount for at least one.", id="no_line"
        ),
        pytest.param(
            {1: D(0)}, "A credit is more than zero. Enter what to credit.", id="zero"
        ),
        pytest.param(
            {1: D(-1)},
            "A credit is more than zero. Enter what to credit.",
            id="negative",
        ),
        pytest.param(
            {1: D("NaN")},
            "A credit is more than zero. Enter what to credit.",
            id="not_a_number",
        ),
        pytest.param(
            {1: D("1e400")},
            "Only 100.00 is left to credit there, not 1E+400.",
            id="endless",
        ),
        pytest.param(
            {1: D("100.01")},
            "Only 100.00 is left to credit there, not 100.01.",
            id="more_than_the_line",
        ),
        pytest.param(
            {1: D("0.005")}, "0.005 has more digits than EUR.", id="too_many_digits"
        ),
    ],
)
def test_a9_a_wrong_choice_is_refused(amounts: dict[int, D], sentence: str) -> None:
    with pytest.raises(NotCreditable) as refusal:
        credit_of_lines(invoice(("100.00", "19")), amounts)

    assert str(refusal.value) == sentence


def test_a9_an_amount_beyond_what_is_left_is_refused() -> None:
    with pytest.raises(NotCreditable, match=r"Only 119\.00 is left to credit"):
        credit_of_amount(invoice(("100.00", "19")), D("119.01"))


@given(invoices(), st.lists(st.integers(min_value=1, max_value=100), max_size=4))
def test_a9_credits_of_any_amounts_add_up_and_leave_no_cent(
    whole: Creditable, percents: list[int]
) -> None:
    left = whole
    for percent in [*percents, 100]:
        amount = shared(left.total, [D(percent), D(100) - D(percent)], left.currency)[0]
        if not amount:
            continue
        sums = credit_of_amount(left, amount)
        left = after(left, sums)

        assert sums.total == amount
        assert sums.subtotal == sum(line.amount for line in sums.lines)
        assert sums.tax == sum(tax.tax for tax in sums.taxes)
        assert_nothing_is_negative(left)
    assert left.total == 0


@given(invoices(), st.data())
def test_a9_credits_of_any_lines_add_up_and_leave_no_cent(
    whole: Creditable, data: st.DataObject
) -> None:
    assume(any(line.left for line in whole.lines))
    left = whole
    while any(line.left for line in left.lines):
        chosen = data.draw(
            st.sets(
                st.sampled_from([line for line in left.lines if line.left]), min_size=1
            )
        )
        sums = credit_of_lines(left, {line.line_id: line.left for line in chosen})
        left = after(left, sums)

        assert sums.total == sums.subtotal + sums.tax
        assert_nothing_is_negative(left)
    assert left.total == 0


@given(
    st.lists(st.integers(min_value=0, max_value=1000).map(D), min_size=1, max_size=9),
    st.integers(min_value=0, max_value=100),
)
def test_shares_sum_to_the_amount_and_stay_within_their_weights(
    weights: list[Decimal], percent: int
) -> None:
    amount = D(int(sum(weights)) * percent // 100)

    parts = shared(amount, weights, "JPY")

    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))
