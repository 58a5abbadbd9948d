"""The difference between the plan and the stored charges (P5-P8).

Stored charges that are on a document, billed elsewhere or skipped are *fixed*: they
keep their days. What the plan asks for on all other days is *wanted*. Pending charges
that are wanted exactly as they stand are kept; the others are superseded by what is
created on their days, or canceled when their days are gone. Superseded and canceled
charges are history and count for nothing. Applying the difference leaves none.

Whoever applies it supersedes and cancels before creating: the database refuses two live
charges of a line on one day (P8).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from billing.domain.period import Period, subtract
from billing.domain.proration import piece_amount
from contracts.domain.schedule import PlannedCharge
from contracts.domain.terms import LIVE_STATES, ChargeState, Rates

_BILLED_STATES: Final = LIVE_STATES - {ChargeState.PENDING, ChargeState.SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCharge:
    """A scheduled charge as it is stored."""

    id: int
    line_id: int
    period: Period
    bill_date: date
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_percent: Decimal
    amount: Decimal | None
    state: ChargeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fixed charge that the terms would now bill otherwise, or not on all its days.

    `planned_amount` is what they give for exactly its days: zero where nothing is
    planned any more, None for usage that would be rated.
    """

    line_id: int
    charge_id: int
    stored_amount: Decimal | None
    planned_amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What to create, and which stored charges (by id) to supersede, cancel and keep.

    `differing` lists fixed charges that stay although the terms changed.
    """

    create: tuple[PlannedCharge, ...]
    supersede: tuple[int, ...]
    cancel: tuple[int, ...]
    kept: tuple[int, ...]
    differing: tuple[Difference, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether the stored charges already are what the plan asks for."""
        return not (self.create or self.supersede or self.cancel)


def reconcile(
    planned: Iterable[PlannedCharge], stored: Iterable[StoredCharge]
) -> Reconciliation:
    """Compare the plan with the stored charges, by line and day (P7).

    Wanted pieces of a charge that is partly fixed cost what accrues on their days (P5).
    They keep its bill date, but one billed in advance bills on its own first day when
    another part of the uncut charge is on a document or billed elsewhere (P6). The plan
    must reach as far as the one that was stored.

    >>> from decimal import Decimal
    >>> january = Period(date(2026, 1, 1), date(2026, 2, 1))
    >>> charge = PlannedCharge(
    ...     line_id=1, period=january, uncut=january, base_days=31,
    ...     bill_date=date(2026, 1, 1), in_advance=True, quantity=Decimal(1),
    ...     unit_price=Decimal(310), discount_percent=Decimal(0),
    ...     amount=Decimal("310.00"), currency="EUR")
    >>> billed = StoredCharge(
    ...     id=7, line_id=1, period=Period(date(2026, 1, 1), date(2026, 1, 11)),
    ...     bill_date=date(2026, 1, 1), quantity=Decimal(1), unit_price=Decimal(310),
    ...     discount_percent=Decimal(0), amount=Decimal("100.00"),
    ...     state=ChargeState.INVOICED)
    >>> [gap] = reconcile([charge], [billed]).create
    >>> str(gap.period.start), str(gap.bill_date), str(gap.amount)
    ('2026-01-11', '2026-01-11', '210.00')
    """
    planned_of = _by_line(planned)
    pending = []
    fixed = []
    for charge in stored:
        if charge.state is ChargeState.PENDING:
            pending.append(charge)
        elif charge.state in LIVE_STATES:
            fixed.append(charge)
    fixed_of = _by_line(fixed)

    wanted = [
        piece
        for line_id, charges in planned_of.items()
        for charge in charges
        for piece in _wanted(charge, fixed_of.get(line_id, []))
    ]
    create, kept, dropped = _match(wanted, pending)
    wanted_of = _by_line(wanted) if dropped else {}
    superseded = [
        charge.id
        for charge in dropped
        if _overlapping(wanted_of.get(charge.line_id, []), charge.period)
    ]
    gone = {charge.id for charge in dropped}.difference(superseded)
    return Reconciliation(
        create=tuple(create),
        supersede=tuple(superseded),
        cancel=tuple(charge.id for charge in dropped if charge.id in gone),
        kept=tuple(charge.id for charge in kept),
        differing=tuple(
            difference
            for charge in fixed
            for difference in _differences(charge, planned_of.get(charge.line_id, []))
        ),
    )


class _Charge(Protocol):
    """A planned or a stored charge."""

    @property
    def line_id(self) -> int: ...
    @property
    def period(self) -> Period: ...
    @property
    def bill_date(self) -> date: ...
    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def unit_price(self) -> Decimal | None: ...
    @property
    def discount_percent(self) -> Decimal: ...
    @property
    def amount(self) -> Decimal | None: ...


_AnyCharge = TypeVar("_AnyCharge", bound=_Charge)


def _by_line(charges: Iterable[_AnyCharge]) -> dict[int, list[_AnyCharge]]:
    """Return the charges of each line in the order of their days."""
    by_line: defaultdict[int, list[_AnyCharge]] = defaultdict(list)
    for charge in charges:
        by_line[charge.line_id].append(charge)
    for line_charges in by_line.values():
        line_charges.sort(key=_start)
    return by_line


def _overlapping(charges: list[_AnyCharge], period: Period) -> list[_AnyCharge]:
    """Return those on a day of the period, of charges that never overlap."""
    first = bisect_right(charges, period.start, key=_end)
    return charges[first : bisect_left(charges, period.end, lo=first, key=_start)]


def _start(charge: _Charge) -> date:
    return charge.period.start


def _end(charge: _Charge) -> date:
    return charge.period.end


def _wanted(charge: PlannedCharge, fixed: list[StoredCharge]) -> list[PlannedCharge]:
    """Return what of a planned charge is not fixed yet, piece by piece (P5, P6)."""
    siblings = _overlapping(fixed, charge.uncut) if fixed else []
    if not siblings:
        return [charge]
    is_partly_billed = any(sibling.state in _BILLED_STATES for sibling in siblings)
    bills_on_own_day = charge.in_advance and is_partly_billed
    return [
        replace(
            charge,
            period=gap,
            bill_date=gap.start if bills_on_own_day else charge.bill_date,
            amount=_amount_on(charge, gap),
        )
        for gap in subtract(charge.period, (sibling.period for sibling in siblings))
    ]


def _amount_on(charge: PlannedCharge, days: Period) -> Decimal | None:
    """Return what a planned charge costs on some of its days (P5)."""
    if days == charge.period or charge.quantity is None or charge.unit_price is None:
        return charge.amount
    rates = Rates(
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        discount_percent=charge.discount_percent,
    )
    return piece_amount(
        rates.price,
        piece=days,
        uncut=charge.uncut,
        base_days=charge.base_days,
        currency=charge.currency,
    )


def _match(
    wanted: list[PlannedCharge], pending: list[StoredCharge]
) -> tuple[list[PlannedCharge], list[StoredCharge], list[StoredCharge]]:
    """Return the pieces to create, the pending charges to keep and those to drop."""
    if not pending:
        return wanted, [], []
    missing = {_key(piece): piece for piece in wanted}
    kept: list[StoredCharge] = []
    dropped: list[StoredCharge] = []
    for charge in pending:
        piece = missing.pop(_key(charge), None)
        (dropped if piece is None else kept).append(charge)
    return list(missing.values()), kept, dropped


def _key(charge: _Charge) -> tuple[object, ...]:
    """Return all that makes a pending charge the one that is wanted."""
    return (
        charge.line_id,
        charge.period.start,
        charge.period.end,
        charge.bill_date,
        *_rates_of(charge),
        charge.amount,
    )


def _rates_of(charge: _Charge) -> tuple[Decimal | None, Decimal | None, Decimal]:
    return charge.quantity, charge.unit_price, charge.discount_percent


def _differences(
    charge: StoredCharge, planned: list[PlannedCharge]
) -> Iterator[Difference]:
    """Yield the difference of a fixed charge to what is planned on its days, if any."""
    same_days = [
        (part, days)
        for part in _overlapping(planned, charge.period)
        if (days := part.period.intersection(charge.period))
    ]
    amounts = [_amount_on(part, days) for part, days in same_days]
    rated = [amount for amount in amounts if amount is not None]
    is_usage = len(rated) < len(amounts)
    planned_amount = None if is_usage else sum(rated, start=Decimal(0))

    is_as_planned = sum(days.days for _, days in same_days) == charge.period.days
    if is_as_planned and not is_usage:
        is_as_planned = planned_amount == charge.amount and all(
            _rates_of(part) == _rates_of(charge) for part, _ in same_days
        )
    if not is_as_planned:
        yield Difference(
            line_id=charge.line_id,
            charge_id=charge.id,
            stored_amount=charge.amount,
            planned_amount=planned_amount,
        )
