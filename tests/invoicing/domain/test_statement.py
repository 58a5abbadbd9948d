"""The laws of a statement: what it opens with, what moved, what it closes with."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from invoicing.domain.statement import (
    Booking,
    Document,
    MovementKind,
    Standing,
    draw_statement,
    due_after,
)

D = Decimal
DAY = date(2026, 3, 1)
AMOUNTS = st.decimals(min_value=-999, max_value=999, places=2)
BOOKINGS = st.builds(
    Booking,
    on=st.dates(min_value=DAY, max_value=DAY + timedelta(days=60)),
    kind=st.sampled_from(MovementKind),
    document=st.builds(Document, id=st.integers(1, 5), name=st.just("X")),
    invoice_id=st.none() | st.integers(1, 4),
    due=AMOUNTS,
    held=AMOUNTS,
)
DAYS = st.dates(min_value=DAY - timedelta(days=5), max_value=DAY + timedelta(days=65))


def standing_of(bookings: list[Booking]) -> Standing:
    return Standing(
        due=sum((one.due for one in bookings), D(0)),
        held=sum((one.held for one in bookings), D(0)),
    )


def booked(day: int, kind: MovementKind, *, due: str = "0", held: str = "0") -> Booking:
    return Booking(
        on=date(2026, 3, day),
        kind=kind,
        document=Document(id=1, name="INV-1"),
        invoice_id=1,
        due=D(due),
        held=D(held),
    )


# 100.00 invoiced, 120.00 paid, 30.00 of it credited, 50.00 of balance used.
STORY = [
    booked(1, MovementKind.INVOICE, due="100"),
    booked(5, MovementKind.PAYMENT, due="-100"),
    booked(5, MovementKind.PAYMENT, held="20"),
    booked(8, MovementKind.CREDIT_NOTE, held="30"),
    booked(10, MovementKind.INVOICE, due="70"),
    booked(10, MovementKind.BALANCE_USED, due="-50", held="-50"),
]


def test_story_is_told_with_its_running_balance() -> None:
    told = draw_statement(
        STORY, first=date(2026, 3, 1), last=date(2026, 3, 31), now=standing_of(STORY)
    )

    assert [
        (move.kind, move.balance, move.after.balance) for move in told.movements
    ] == [
        (MovementKind.INVOICE, D(100), D(100)),
        (MovementKind.PAYMENT, D(-120), D(-20)),
        (MovementKind.CREDIT_NOTE, D(-30), D(-50)),
        (MovementKind.INVOICE, D(70), D(20)),
        (MovementKind.BALANCE_USED, D(0), D(20)),
    ]
    assert told.opening == Standing()
    assert told.closing == Standing(due=D(20), held=D(0))
    assert (told.raised, told.lowered) == (D(170), D(150))


def test_a_range_shows_its_own_days_only() -> None:
    told = draw_statement(
        STORY, first=date(2026, 3, 6), last=date(2026, 3, 8), now=standing_of(STORY)
    )

    assert told.opening == Standing(due=D(0), held=D(20))
    assert [move.kind for move in told.movements] == [MovementKind.CREDIT_NOTE]
    assert told.closing == Standing(due=D(0), held=D(50))


@given(bookings=st.lists(BOOKINGS, max_size=25), first=DAYS, last=DAYS)
def test_opening_and_movements_are_the_closing(
    bookings: list[Booking], first: date, last: date
) -> None:
    assume(first <= last)

    told = draw_statement(bookings, first=first, last=last, now=standing_of(bookings))

    due = sum((move.due for move in told.movements), told.opening.due)
    held = sum((move.held for move in told.movements), told.opening.held)
    assert Standing(due=due, held=held) == told.closing
    assert told.opening.balance + told.raised - told.lowered == told.closing.balance
    assert told.opening == standing_of([one for one in bookings if one.on < first])
    assert told.closing == standing_of([one for one in bookings if one.on <= last])


@given(
    bookings=st.lists(BOOKINGS, max_size=25),
    days=st.tuples(DAYS, DAYS, DAYS).map(sorted),
)
def test_a_range_cut_in_two_says_the_same(
    bookings: list[Booking], days: list[date]
) -> None:
    first, cut, last = days
    assume(cut < last)
    now = standing_of(bookings)

    whole = draw_statement(bookings, first=first, last=last, now=now)
    left = draw_statement(bookings, first=first, last=cut, now=now)
    right = draw_statement(bookings, first=cut + timedelta(days=1), last=last, now=now)

    assert left.opening == whole.opening
    assert left.closing == right.opening
    assert right.closing == whole.closing
    assert left.movements + right.movements == whole.movements


@given(bookings=st.lists(BOOKINGS, max_size=25), last=DAYS)
def test_what_was_due_is_what_was_booked_up_to_the_day(
    bookings: list[Booking], last: date
) -> None:
    bookings = [one for one in bookings if one.invoice_id is not None]
    now: dict[int, Decimal] = {}
    then: dict[int, Decimal] = {}
    for one in bookings:
        assert one.invoice_id is not None
        now[one.invoice_id] = now.get(one.invoice_id, D(0)) + one.due
        if one.on <= last:
            then[one.invoice_id] = then.get(one.invoice_id, D(0)) + one.due

    found = due_after(bookings, last=last, due_now=now)

    assert found == {pk: due for pk, due in then.items() if due}
    assert (
        sum(found.values())
        == standing_of([one for one in bookings if one.on <= last]).due
    )


@given(bookings=st.lists(BOOKINGS, max_size=25))
def test_order_of_the_bookings_does_not_matter(bookings: list[Booking]) -> None:
    now, last = standing_of(bookings), DAY + timedelta(days=60)
    plain = [
        replace(one, document=Document(id=one.document.id, name="X"))
        for one in bookings
    ]

    assert draw_statement(plain, first=DAY, last=last, now=now) == draw_statement(
        plain[::-1], first=DAY, last=last, now=now
    )
