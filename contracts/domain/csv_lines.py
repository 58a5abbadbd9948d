"""What the cells of one row must say together: a contract line within its contract.

A cell that couldn't be read comes in as None, and what is wrong with it stands among
the faults already; faults are kept by column, the first one wins.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from billing.domain.period import add_months
from contracts.domain.csv_columns import FILL_IN
from contracts.domain.csv_contracts import ParsedLine
from contracts.domain.rates import Rates
from contracts.domain.terms import MAX_TERM_YEARS, ChargeType, Proration, Timing

Faults = dict[str, str]


class Term(NamedTuple):
    """What a line must fit into; None where it is open or couldn't be read."""

    start: date | None
    end: date | None
    bill_month: int | None


class LineCells(NamedTuple):
    """The values of the line columns of one row, in the order of `LINE_COLUMNS`."""

    product: str
    description: str
    charge_type: ChargeType | None
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_percent: Decimal | None
    months: int | None
    timing: Timing | None
    proration: Proration | None
    start: date | None
    end: date | None
    tax_percent: Decimal | None
    included_quantity: Decimal | None
    tiers: str | None


def check_term(term: Term, faults: Faults) -> None:
    """Add what is wrong with the dates of a contract."""
    if term.start is None or term.end is None:
        return
    if term.end < term.start:
        faults.setdefault(
            "end_date", f"The contract ends before its start, {term.start}."
        )
    elif _is_too_late(term.end, term.start):
        faults.setdefault("end_date", _too_late(term.start))


def read_line(
    row: int, values: Sequence[Any], term: Term, faults: Faults
) -> ParsedLine | None:
    """Return the line of a row; None, and why among the faults, if any are there."""
    cells = LineCells._make(values)
    if cells.charge_type is ChargeType.USAGE:
        _check_usage(cells, faults)
    elif cells.charge_type is not None:
        _check_price(cells, faults)
        if cells.charge_type is ChargeType.ONE_TIME:
            _check_one_time(cells, term, faults)
    if cells.months is not None and term.bill_month is not None and 12 % cells.months:
        faults.setdefault(
            "frequency",
            f"Every {cells.months} months can't go with a bill month, only 1, 2, 3, 4, "
            "6 or 12 months can. Leave bill_month blank or change the frequency.",
        )
    if cells.start is not None or cells.end is not None:
        _check_dates(cells, term, faults)
    return None if faults else _line(row, values)


def _check_usage(cells: LineCells, faults: Faults) -> None:
    if cells.quantity:
        faults.setdefault(
            "quantity",
            "The quantity of usage is counted later: leave it blank. What costs "
            "nothing goes into included_quantity.",
        )
    if cells.tiers and cells.unit_price:
        faults.setdefault(
            "unit_price", "The tiers hold the prices: leave the unit price blank."
        )
    if cells.tiers == "" and cells.unit_price is None:
        faults.setdefault("unit_price", "Usage needs a unit price or tiers.")
    if cells.timing is Timing.ADVANCE:
        faults.setdefault(
            "timing", "Usage is always billed in arrears: write arrears or leave blank."
        )


def _check_price(cells: LineCells, faults: Faults) -> None:
    if cells.quantity is None:
        faults.setdefault("quantity", FILL_IN.message)
    if cells.unit_price is None:
        faults.setdefault("unit_price", FILL_IN.message)
    if cells.included_quantity:
        faults.setdefault("included_quantity", "Only usage has it. Leave it blank.")
    if cells.tiers:
        faults.setdefault("tiers", "Only usage has tiers. Leave it blank.")
    if not faults and _may_be_too_much(cells):
        _check_amount(cells, faults)


def _may_be_too_much(cells: LineCells) -> bool:
    """Whether the digits of quantity and price leave it open (the check is slower)."""
    if cells.quantity is None or cells.unit_price is None:
        return False
    return cells.quantity.adjusted() + cells.unit_price.adjusted() >= 13


def _check_amount(cells: LineCells, faults: Faults) -> None:
    rates = Rates(
        quantity=cells.quantity or Decimal(0),
        unit_price=cells.unit_price or Decimal(0),
        discount_percent=cells.discount_percent or Decimal(0),
    )
    problem = rates.problem()
    if problem:
        faults.setdefault(problem.field, problem.sentence)


def _check_one_time(cells: LineCells, term: Term, faults: Faults) -> None:
    if cells.months is not None:
        faults.setdefault(
            "frequency", "A one-time charge has no frequency. Leave it blank."
        )
    if cells.timing is Timing.ARREARS:
        faults.setdefault(
            "timing", "A one-time charge is billed on its own date. Leave it blank."
        )
    if cells.end is not None and cells.end != (cells.start or term.start):
        faults.setdefault(
            "line_end_date",
            "A one-time charge has a single day, line_start_date. Leave this blank.",
        )


def _check_dates(cells: LineCells, term: Term, faults: Faults) -> None:
    for column, day in (("line_start_date", cells.start), ("line_end_date", cells.end)):
        if day is None:
            continue
        if term.start is not None and day < term.start:
            faults.setdefault(
                column, f"This lies before the start of the contract, {term.start}."
            )
        if term.end is not None and day > term.end:
            faults.setdefault(
                column, f"This lies after the end of the contract, {term.end}."
            )
    if cells.end is None:
        return
    if cells.start is not None and cells.end < cells.start:
        faults.setdefault(
            "line_end_date", f"The line ends before its start, {cells.start}."
        )
    elif term.start is not None and _is_too_late(cells.end, term.start):
        faults.setdefault("line_end_date", _too_late(term.start))


def _is_too_late(end: date, start: date) -> bool:
    if end.year - start.year < MAX_TERM_YEARS:
        return False
    return end >= add_months(start, 12 * MAX_TERM_YEARS)


def _too_late(start: date) -> str:
    return (
        f"This is more than {MAX_TERM_YEARS} years after the start of the contract, "
        f"{start}. Leave it blank where there is no end."
    )


def _line(row: int, values: Sequence[Any]) -> ParsedLine:
    (
        product,
        description,
        charge_type,
        quantity,
        unit_price,
        discount_percent,
        months,
        timing,
        proration,
        start,
        end,
        tax_percent,
        included_quantity,
        tiers,
    ) = values
    is_usage = charge_type is ChargeType.USAGE
    return ParsedLine(
        row=row,
        product=product,
        description=description,
        charge_type=charge_type,
        quantity=None if is_usage else quantity,
        unit_price=None if tiers else unit_price,
        discount_percent=discount_percent,
        months=None if charge_type is ChargeType.ONE_TIME else months or 1,
        timing=timing or (Timing.ARREARS if is_usage else Timing.ADVANCE),
        proration=proration,
        start=start,
        end=end,
        tax_percent=tax_percent,
        included_quantity=included_quantity,
        tiers=tiers,
    )
