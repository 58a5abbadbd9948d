"""The statement of a customer: what was booked in a range of dates, and what stands.

A customer stands with two sums of one currency: what is *due* on the invoices and what
is *held* as credit balance; the account balance is the one less the other. Everything
that is booked changes one of them or both: money that pays an invoice lowers what is
due, money that pays none is held, balance that is used lowers both by the same. A
statement begins with what stood before the range and ends with what stands after it:

    opening + movements = closing

It is drawn from the books as they stand now, back in time, so that its cost grows with
what was booked since its first day and not with all that ever was. Each booking carries
the day of the books, never a day before it: a statement of the past stays what it was.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Final

ZERO: Final = Decimal(0)


class MovementKind(StrEnum):
    """What moved; in the order in which one day's movements are listed."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    REFUND = "REFUND"
    CREDIT_NOTE_VOIDED = "CREDIT_NOTE_VOIDED"
    PAYMENT = "PAYMENT"
    PAYMENT_TAKEN_BACK = "PAYMENT_TAKEN_BACK"
    BALANCE_USE_UNDONE = "BALANCE_USE_UNDONE"
    CREDIT_TURNED = "CREDIT_TURNED"
    BALANCE_USED = "BALANCE_USED"


_ORDER: Final = {kind: place for place, kind in enumerate(MovementKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a movement is about: an invoice, a credit note or a payment.

    `received_on` is the day a payment came, which may lie before the day it was booked.
    """

    id: int
    name: str
    received_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One change of what is due of an invoice, of what is held, or of both."""

    on: date
    kind: MovementKind
    document: Document
    invoice_id: int | None = None
    due: Decimal = ZERO
    held: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is due and what is held at one moment."""

    due: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        """What the customer owes all in all; below zero where more is held than due."""
        return self.due - self.held

    def after(self, *, due: Decimal, held: Decimal) -> "Standing":
        """Return what stands after both have changed by so much."""
        return Standing(due=self.due + due, held=self.held + held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """All that was booked on one day for one reason, and what stands after it."""

    on: date
    kind: MovementKind
    document: Document
    due: Decimal
    held: Decimal
    after: Standing

    @property
    def balance(self) -> Decimal:
        """By how much the account balance changed."""
        return self.due - self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What stood before the first day, what moved, and what stood after the last."""

    first: date
    last: date
    opening: Standing
    movements: tuple[Movement, ...]
    closing: Standing

    @property
    def raised(self) -> Decimal:
        """The sum of the movements that raise what the customer owes."""
        return sum((max(move.balance, ZERO) for move in self.movements), ZERO)

    @property
    def lowered(self) -> Decimal:
        """The sum of the movements that lower it, as a positive figure."""
        return sum((max(-move.balance, ZERO) for move in self.movements), ZERO)


def draw_statement(
    bookings: Iterable[Booking], *, first: date, last: date, now: Standing
) -> Statement:
    """Return the statement of two inclusive dates.

    `now` is what stands today, and `bookings` are at least all since the first day.
    """
    later = defaultdict[bool, list[Booking]](list)
    for booking in bookings:
        if booking.on >= first:
            later[booking.on > last].append(booking)
    closing = _before(now, later[True])
    within = sorted(later[False], key=_place)
    opening = standing = _before(closing, within)
    movements = []
    for _, together in groupby(within, key=_place):
        booked = list(together)
        due = sum((booking.due for booking in booked), ZERO)
        held = sum((booking.held for booking in booked), ZERO)
        standing = standing.after(due=due, held=held)
        movements.append(
            Movement(
                on=booked[0].on,
                kind=booked[0].kind,
                document=booked[0].document,
                due=due,
                held=held,
                after=standing,
            )
        )
    return Statement(
        first=first,
        last=last,
        opening=opening,
        movements=tuple(movements),
        closing=closing,
    )


def due_after(
    bookings: Iterable[Booking], *, last: date, due_now: Mapping[int, Decimal]
) -> dict[int, Decimal]:
    """Return what was due of each invoice after a day; those with nothing left out.

    `due_now` is what is due of open invoices today, `bookings` are all after the day.
    """
    due = defaultdict(lambda: ZERO, due_now)
    for booking in bookings:
        if booking.on > last and booking.invoice_id is not None:
            due[booking.invoice_id] -= booking.due
    return {invoice_id: amount for invoice_id, amount in due.items() if amount}


def _before(standing: Standing, bookings: Iterable[Booking]) -> Standing:
    due, held = standing.due, standing.held
    for booking in bookings:
        due -= booking.due
        held -= booking.held
    return Standing(due=due, held=held)


def _place(booking: Booking) -> tuple[date, int, int]:
    return booking.on, _ORDER[booking.kind], booking.document.id
