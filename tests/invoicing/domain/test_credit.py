"""Where the money of a credit goes (A5), and the table of A6."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain.credit import (
    Claim,
    NotCreditable,
    after_credit,
    after_voided_credit,
    credit_parts,
    remainder,
)

cents = st.integers(min_value=0, max_value=5000).map(lambda n: Decimal(n).scaleb(-2))


def claim(
    total: str,
    *,
    paid: str = "0",
    balance: str = "0",
    credited_due: str = "0",
    credited_paid: str = "0",
) -> Claim:
    return Claim(
        total=Decimal(total),
        paid=Decimal(paid),
        balance_applied=Decimal(balance),
        credited_due=Decimal(credited_due),
        credited_paid=Decimal(credited_paid),
    )


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    """Any claim that the database admits."""
    total = draw(cents)
    left = total
    parts = []
    for _ in range(3):
        part = min(draw(cents), left)
        left -= part
        parts.append(part)
    paid, balance, credited_due = parts
    return Claim(
        total=total,
        paid=paid,
        balance_applied=balance,
        credited_due=credited_due,
        credited_paid=min(draw(cents), paid + balance),
    )


@pytest.mark.parametrize(
    ("before", "credit", "due_part", "paid_part", "status"),
    [
        pytest.param(claim("20"), "20", "20", "0", "CREDITED", id="unpaid"),
        pytest.param(
            claim("20", paid="5"), "20", "15", "5", "CREDITED", id="part_paid"
        ),
        pytest.param(claim("20", paid="20"), "20", "0", "20", "CREDITED", id="paid"),
        pytest.param(
            claim("20", credited_due="8"), "12", "12", "0", "CREDITED", id="credited"
        ),
        pytest.param(
            claim("20", paid="20", credited_paid="8"),
            *("12", "0", "12", "CREDITED"),
            id="paid_part_credited",
        ),
        pytest.param(
            claim("20", balance="20"), "20", "0", "20", "CREDITED", id="balance"
        ),
        pytest.param(
            claim("20", paid="5", balance="3"), "15", "12", "3", "PAID", id="partial"
        ),
        pytest.param(claim("20", paid="5"), "7", "7", "0", "OPEN", id="due_only"),
    ],
)
def test_a5_credit_lowers_the_due_first(
    before: Claim, credit: str, due_part: str, paid_part: str, status: str
) -> None:
    parts = credit_parts(before, Decimal(credit))
    after = after_credit(before, parts)

    assert parts.due_part == Decimal(due_part)
    assert parts.paid_part == Decimal(paid_part)
    assert after.status == status


@pytest.mark.parametrize(
    ("before", "amount", "sentence"),
    [
        (claim("20"), "20.01", "Only 20 can still be credited, not 20.01."),
        (claim("20", credited_due="8"), "13", "Only 12 can still be credited, not 13."),
        (claim("20"), "0", "A credit is more than zero. Enter what to credit."),
        (claim("20"), "-1", "A credit is more than zero. Enter what to credit."),
        (claim("20"), "NaN", "A credit is more than zero. Enter what to credit."),
        (
            claim("20", credited_due="20"),
            "1",
            "Nothing is left to credit: all of it was credited.",
        ),
        (claim("0"), "1", "Nothing is left to credit: all of it was credited."),
    ],
)
def test_a5_more_than_remains_is_refused(
    before: Claim, amount: str, sentence: str
) -> None:
    with pytest.raises(NotCreditable) as refusal:
        credit_parts(before, Decimal(amount))

    assert str(refusal.value) == sentence


@given(claims(), cents)
def test_a5_no_credit_breaks_what_the_database_keeps(before: Claim, x: Decimal) -> None:
    amount = min(x, before.creditable)
    if not amount:
        return
    parts = credit_parts(before, amount)
    after = after_credit(before, parts)

    assert parts.total == amount
    assert after.due >= 0
    assert after.credited_paid <= after.paid + after.balance_applied
    assert after.credited == before.credited + amount
    assert (after.status == "OPEN") == (after.due > 0)
    assert after_voided_credit(after, parts) == before


@given(claims())
def test_a5_the_remainder_leaves_nothing_due(before: Claim) -> None:
    for with_paid in (True, False):
        amount = remainder(before, with_paid=with_paid)
        if amount:
            after = after_credit(before, credit_parts(before, amount))
            assert after.due == 0
            assert after.creditable == (0 if with_paid else before.creditable - amount)


def test_m9_an_invoice_of_zero_is_paid_not_credited() -> None:
    assert claim("0").status == "PAID"


@given(claims(), cents)
def test_a6_after_the_three_steps_the_amended_amount_is_claimed(
    wrong: Claim, right: Decimal
) -> None:
    """Whatever was paid: invoices less credits are the right amount."""
    amount = remainder(wrong, with_paid=True)
    parts = credit_parts(wrong, amount) if amount else None
    credited = after_credit(wrong, parts) if parts else wrong
    balance = parts.paid_part if parts else Decimal(0)
    applied = min(balance, right)
    new = Claim(
        total=right,
        paid=Decimal(0),
        balance_applied=applied,
        credited_due=Decimal(0),
        credited_paid=Decimal(0),
    )

    claimed = wrong.total + new.total - credited.credited
    came_in = wrong.paid + wrong.balance_applied
    given_back = wrong.credited_paid + balance - applied

    assert claimed == right
    assert credited.due == 0
    assert new.due == right - applied
    assert came_in - given_back + new.due == right
