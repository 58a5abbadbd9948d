"""The terms of a contract as plain values, and the check that they can be planned.

A contract is a set of lines. A line keeps its type, frequency and timing for life (A1);
its rates are a sequence of stretches, each in force from its date until the next one.
Dates here are inclusive, as people see them and as they are stored.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from billing.domain.money import UnknownCurrency, is_currency
from billing.domain.period import add_months
from contracts.domain.rates import Problem, Rates, Stretch

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "LIVE_STATES",
    "ChargeState",
    "ChargeType",
    "ContractStatus",
    "ContractTerms",
    "LineTerms",
    "Proration",
    "Rates",
    "Stretch",
    "Timing",
    "UnplannableTerms",
    "check_terms",
]


class ChargeType(StrEnum):
    """What a line charges for."""

    RECURRING = "RECURRING"
    USAGE = "USAGE"
    ONE_TIME = "ONE_TIME"


class Timing(StrEnum):
    """When a billing period is billed: on its first day, or the day after its last."""

    ADVANCE = "ADVANCE"
    ARREARS = "ARREARS"


class Proration(StrEnum):
    """What a stub at a line's start or agreed end costs (P4): its days, or all."""

    DAILY = "DAILY"
    NONE = "NONE"


class ChargeState(StrEnum):
    """The state of a scheduled charge."""

    PENDING = "PENDING"
    DRAFTED = "DRAFTED"
    INVOICED = "INVOICED"
    EXTERNAL = "EXTERNAL"
    SKIPPED = "SKIPPED"
    SUPERSEDED = "SUPERSEDED"
    CANCELED = "CANCELED"


LIVE_STATES: Final = frozenset(ChargeState) - {
    ChargeState.SUPERSEDED,
    ChargeState.CANCELED,
}


class ContractStatus(StrEnum):
    """The status of a contract."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    CANCELED = "CANCELED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTerms:
    """One contract line over its whole life.

    `agreed_end` is the last day that was sold (None: as long as the contract runs),
    `last_day` the one an amendment set: before the start it means never served, after
    the agreed end it changes nothing. The first stretch covers the start. A one-time
    line has no `months`; its charge is the day it starts on. The quantity and unit
    price of usage are not looked at here; it is rated when invoiced (P9).
    """

    line_id: int
    charge_type: ChargeType
    timing: Timing
    months: int | None
    start: date
    agreed_end: date | None
    last_day: date | None
    proration: Proration
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """A contract as it is planned (P1-P6).

    `end` is the agreed last day (None: evergreen), `last_day` the one a cancellation
    set; the day before the start means never served.
    """

    start: date
    end: date | None
    last_day: date | None
    bill_day: int
    bill_month: int | None
    currency: str
    lines: tuple[LineTerms, ...]


FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200
MAX_TERM_YEARS: Final = 100

_ONE_DAY: Final = timedelta(days=1)


class UnplannableTerms(ValueError):
    """Terms from which no charges can be planned.

    `sentence` says why, `field` names the field at fault; for one line of the contract
    `line_id` and `line_number` (counted from 1) say which, and the text begins with it.
    """

    def __init__(
        self,
        sentence: str,
        *,
        field: str,
        line_id: int | None = None,
        line_number: int | None = None,
    ) -> None:
        self.sentence = sentence
        self.field = field
        self.line_id = line_id
        self.line_number = line_number
        super().__init__(
            sentence if line_number is None else f"Line {line_number}: {sentence}"
        )


def check_terms(terms: ContractTerms) -> None:
    """Refuse terms that can't be planned (P1-P4, M9).

    Raises `UnplannableTerms`, whose text is a sentence for finance staff, for the first
    thing that is wrong.
    """
    problem = _contract_problem(terms)
    if problem:
        raise UnplannableTerms(problem.sentence, field=problem.field)

    for number, line in enumerate(terms.lines, start=1):
        problem = _line_problem(line, terms) or _stretches_problem(line)
        if problem:
            raise UnplannableTerms(
                problem.sentence,
                field=problem.field,
                line_id=line.line_id,
                line_number=number,
            )


def _contract_problem(terms: ContractTerms) -> Problem | None:
    if not terms.lines:
        return Problem("lines", "The contract has no lines. Add at least one.")
    if len({line.line_id for line in terms.lines}) < len(terms.lines):
        return Problem("lines", "The same line is given twice.")
    if not is_currency(terms.currency):
        return Problem("currency", str(UnknownCurrency(terms.currency)))
    if not 1 <= terms.bill_day <= 31:
        return Problem("bill_day", f"The bill day is 1 to 31, not {terms.bill_day}.")
    if terms.bill_month is not None and not 1 <= terms.bill_month <= 12:
        return Problem(
            "bill_month", f"The bill month is 1 to 12, not {terms.bill_month}."
        )
    return _end_problem(terms) or _cancellation_problem(terms)


def _end_problem(terms: ContractTerms) -> Problem | None:
    start, end = terms.start, terms.end
    problem = _year_problem("start", start)
    if problem or end is None:
        return problem
    if end < start:
        return Problem("end", f"The contract ends on {end}, before its start, {start}.")
    return _year_problem("end", end) or _length_problem("end", start, end)


def _cancellation_problem(terms: ContractTerms) -> Problem | None:
    never_served, last_day = terms.start - _ONE_DAY, terms.last_day
    if last_day is None:
        return None
    if last_day < never_served:
        return Problem(
            "last_day",
            f"The last day of service can't be {last_day}: {never_served}, the day "
            "before the start, already means never served.",
        )
    if terms.end is not None and last_day > terms.end:
        return Problem(
            "last_day",
            f"The last day of service, {last_day}, lies after the end, {terms.end}.",
        )
    return _year_problem("last_day", max(last_day, terms.start)) or _length_problem(
        "last_day", terms.start, last_day
    )


def _line_problem(line: LineTerms, terms: ContractTerms) -> Problem | None:
    start, end = line.start, line.agreed_end
    problem = _frequency_problem(line, terms.bill_month) or _year_problem(
        "start", start
    )
    if problem:
        return problem
    if start < terms.start:
        return Problem(
            "start", f"It starts on {start}, before the contract does, {terms.start}."
        )
    if terms.end is not None and start > terms.end:
        return Problem(
            "start", f"It starts on {start}, after the contract's end, {terms.end}."
        )
    if end is None:
        return None
    if end < start:
        return Problem("agreed_end", f"It ends on {end}, before its start, {start}.")
    if terms.end is not None and end > terms.end:
        return Problem(
            "agreed_end", f"It ends on {end}, after the contract's end, {terms.end}."
        )
    return _year_problem("agreed_end", end) or _length_problem(
        "agreed_end", terms.start, end
    )


def _frequency_problem(line: LineTerms, bill_month: int | None) -> Problem | None:
    if line.charge_type is ChargeType.ONE_TIME:
        if line.months is None:
            return None
        return Problem("months", "A one-time line has no frequency. Leave it blank.")
    if line.months is None or not 1 <= line.months <= 60:
        return Problem(
            "months", "A recurring or usage line bills every 1 to 60 months."
        )
    if bill_month is not None and 12 % line.months:
        return Problem(
            "months",
            f"Every {line.months} months can't go with a bill month, only 1, 2, 3, 4, "
            "6 or 12 months can. Leave the bill month blank or change the frequency.",
        )
    if line.charge_type is ChargeType.USAGE and line.timing is not Timing.ARREARS:
        return Problem("timing", "Usage is always billed in arrears.")
    return None


def _stretches_problem(line: LineTerms) -> Problem | None:
    dates = [stretch.from_date for stretch in line.stretches]
    if not dates or dates[0] > line.start:
        return Problem("stretches", f"It has no price on its first day, {line.start}.")
    if any(earlier >= later for earlier, later in pairwise(dates)):
        return Problem(
            "stretches", "Its price changes are not in order of their dates."
        )
    problems = (stretch.rates.problem() for stretch in line.stretches)
    return next(filter(None, problems), None)


def _year_problem(field: str, day: date) -> Problem | None:
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    return Problem(
        field, f"{day} lies outside the years {FIRST_YEAR} to {LAST_YEAR}. Correct it."
    )


def _length_problem(field: str, start: date, last_day: date) -> Problem | None:
    if last_day < add_months(start, 12 * MAX_TERM_YEARS):
        return None
    return Problem(
        field, f"From {start} to {last_day} is longer than {MAX_TERM_YEARS} years."
    )
