"""From what a contract CSV says to the terms that are planned, and back to cells."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from contracts.domain.csv_contracts import ParsedContract, ParsedLine
from contracts.domain.csv_file import RowError, shown
from contracts.domain.decimals import format_decimal
from contracts.domain.rates import Rates, Stretch
from contracts.domain.terms import ContractTerms, LineTerms, UnplannableTerms

_ZERO: Final = Decimal(0)

# The cells of the fields that `UnplannableTerms` names: column and parsed attribute.
_CONTRACT_CELLS: Final = {
    "start": ("start_date", "start"),
    "end": ("end_date", "end"),
    "bill_day": ("bill_day", "bill_day"),
    "bill_month": ("bill_month", "bill_month"),
    "currency": ("currency", "currency"),
}
_LINE_CELLS: Final = {
    "months": ("frequency", "months"),
    "timing": ("timing", "timing"),
    "start": ("line_start_date", "start"),
    "agreed_end": ("line_end_date", "end"),
    "quantity": ("quantity", "quantity"),
    "unit_price": ("unit_price", "unit_price"),
    "discount_percent": ("discount_percent", "discount_percent"),
}


def parsed_terms(contract: ParsedContract, line_ids: Iterator[int]) -> ContractTerms:
    """Return the terms of a contract of a file; each line takes the next id."""
    start = contract.start
    return ContractTerms(
        start=start,
        end=contract.end,
        last_day=None,
        bill_day=contract.bill_day or start.day,
        bill_month=contract.bill_month,
        currency=contract.currency,
        lines=tuple(
            _line_terms(line, next(line_ids), start) for line in contract.lines
        ),
    )


def _line_terms(line: ParsedLine, line_id: int, contract_start: date) -> LineTerms:
    start = line.start or contract_start
    rates = Rates(
        quantity=_ZERO if line.quantity is None else line.quantity,
        unit_price=_ZERO if line.unit_price is None else line.unit_price,
        discount_percent=line.discount_percent,
    )
    return LineTerms(
        line_id=line_id,
        charge_type=line.charge_type,
        timing=line.timing,
        months=line.months,
        start=start,
        agreed_end=line.end,
        last_day=None,
        proration=line.proration,
        stretches=(Stretch(from_date=start, rates=rates),),
    )


def unplannable_row(contract: ParsedContract, fault: UnplannableTerms) -> RowError:
    """Name the row and cell for which the terms of a contract can't be planned."""
    named: ParsedContract | ParsedLine = contract
    column, attribute = _CONTRACT_CELLS.get(fault.field, ("contract_number", "number"))
    if fault.line_number is not None:
        named = contract.lines[fault.line_number - 1]
        column, attribute = _LINE_CELLS.get(fault.field, ("product", "product"))
    return RowError(
        line=named.row,
        column=column,
        value=_written(getattr(named, attribute)),
        message=fault.sentence,
    )


def _written(value: object) -> str:
    if value is None:
        return ""
    return shown(format_decimal(value) if isinstance(value, Decimal) else str(value))
