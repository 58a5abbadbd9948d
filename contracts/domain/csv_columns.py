"""The columns of a contract CSV, and the header that names them.

Each column belongs to what it describes: the account, the bill group, the contract or
the line. Cells are read without the blanks around them; what was read is remembered,
since the same dates, prices and words come again and again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from billing.domain.bill_group import DeliveryMethod, InvoicingMode
from contracts.domain import csv_fields as fields
from contracts.domain.csv_file import RowError, shown
from contracts.domain.terms import ChargeType, Proration, Timing

CUSTOM_PREFIX: Final = "cf:"
MAX_COLUMNS: Final = 200

_BLANKS: Final = " \t\r\n\u00a0"
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_REMEMBERED_CELLS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell, in the place of its value."""

    message: str


FILL_IN: Final = Fault("This cell must not be blank. Fill it in.")


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name; a blank cell of one that isn't required means `blank`."""

    name: str
    parse: Callable[[str], object]
    required: bool = False
    blank: object = None


def _text(name: str, max_length: int) -> Column:
    return Column(name, fields.text(max_length), blank="")


def _words(kinds: type[StrEnum]) -> Callable[[str], StrEnum]:
    return fields.word({kind.value.lower(): kind for kind in kinds})


ACCOUNT_COLUMNS: Final = (
    Column("account_number", fields.identifier(100), required=True),
    Column("account_name", fields.text(200), required=True),
)
BILL_GROUP_COLUMNS: Final = (
    Column("bill_group", fields.text(200), required=True),
    Column("currency", fields.currency, required=True),
    Column("invoicing", _words(InvoicingMode)),
    Column("net_terms", fields.whole_number(0, 365)),
    Column("po_number", fields.identifier(100), blank=""),
    Column("delivery", _words(DeliveryMethod)),
    _text("portal", 60),
    _text("bill_to", 200),
    Column("email", fields.email, blank=""),
    _text("address_line1", 200),
    _text("address_line2", 200),
    _text("city", 100),
    _text("region", 100),
    Column("postal_code", fields.identifier(20), blank=""),
    Column("country", fields.country, blank=""),
)
CONTRACT_COLUMNS: Final = (
    Column("contract_number", fields.identifier(100), required=True),
    Column("start_date", fields.calendar_date, required=True),
    Column("end_date", fields.calendar_date),
    Column("bill_day", fields.whole_number(1, 31)),
    Column("bill_month", fields.whole_number(1, 12)),
)
LINE_COLUMNS: Final = (
    Column("product", fields.text(200), required=True),
    _text("description", 500),
    Column("charge_type", _words(ChargeType), required=True),
    # Quantity and unit price must be columns; which may be blank depends on the type.
    Column("quantity", fields.number),
    Column("unit_price", fields.number),
    Column("discount_percent", fields.percent, blank=Decimal(0)),
    Column("frequency", fields.frequency),
    Column("timing", _words(Timing)),
    Column("proration", _words(Proration), blank=Proration.DAILY),
    Column("line_start_date", fields.calendar_date),
    Column("line_end_date", fields.calendar_date),
    Column("tax_rate", fields.percent),
    Column("included_quantity", fields.number, blank=Decimal(0)),
    Column("tiers", fields.tiers, blank=""),
)
_ALL: Final = (*ACCOUNT_COLUMNS, *BILL_GROUP_COLUMNS, *CONTRACT_COLUMNS, *LINE_COLUMNS)
KNOWN: Final = {column.name: column for column in _ALL}
REQUIRED: Final = (
    *(column.name for column in _ALL if column.required),
    "quantity",
    "unit_price",
)


class CellReader(dict[str, Any]):
    """The values of a column by cell: a mapping that parses what it meets first.

    Values are as different as columns are; whoever takes them out knows the type.
    """

    def __init__(self, column: Column) -> None:
        super().__init__()
        self._parse = column.parse
        self._blank = FILL_IN if column.required else column.blank

    def __missing__(self, cell: str) -> object:
        text = cell.strip(_BLANKS)
        try:
            value = self._parse(text) if text else self._blank
        except fields.BadCell as fault:
            value = Fault(str(fault))
        if len(self) < _REMEMBERED_CELLS:
            self[cell] = value
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The names of a file's columns, in its order; one not known is not used."""

    names: tuple[str, ...]

    @property
    def is_usable(self) -> bool:
        """Whether rows can be read by it, were it only to say what is wrong there."""
        unique = frozenset(self.names)
        return len(unique) == len(self.names) and unique.issuperset(REQUIRED)

    @property
    def custom_columns(self) -> tuple[Column, ...]:
        """The columns of custom fields, `cf:<key>`."""
        return tuple(
            Column(name, fields.long_text(10_000), blank="")
            for name in self.names
            if name.startswith(CUSTOM_PREFIX)
        )

    def position(self, name: str) -> int:
        """Return where a column stands; -1, one cell added to each row, if nowhere."""
        return self.names.index(name) if name in self.names else -1


def read_header(cells: Sequence[str]) -> Header:
    """Return the header of a file; `header_errors` says what is wrong with it."""
    return Header(names=tuple(cell.strip(_BLANKS) for cell in cells))


def header_errors(header: Header) -> Iterator[RowError]:
    """Yield what is wrong with a header: foreign separators, names, what is missing."""
    names = header.names
    complaint = _dialect_complaint(names)
    if complaint:
        yield _error("", shown(",".join(names)), complaint)
        return
    for index, name in enumerate(names):
        complaint = _name_complaint(index, names)
        if complaint:
            yield _error(shown(name), shown(name), complaint)
    for name in REQUIRED:
        if name not in names:
            yield _error(name, "", "This column is missing. Add it.")


def _dialect_complaint(names: tuple[str, ...]) -> str | None:
    line = ",".join(names)
    if line.startswith("sep="):
        return "Remove this first line; the header must come first."
    if len(names) > MAX_COLUMNS:
        return f"There are more than {MAX_COLUMNS} columns. Remove what isn't needed."
    known = len(KNOWN.keys() & set(names))
    for separator, plural in _SEPARATORS.items():
        split = {name.strip(_BLANKS + '"') for name in line.split(separator)}
        if len(KNOWN.keys() & split) > known:
            return (
                f"The cells are separated by {plural}. Save the file with commas, as "
                "“CSV UTF-8”."
            )
    return None


def _name_complaint(index: int, names: tuple[str, ...]) -> str | None:
    name = names[index]
    if not name:
        return f"Column {index + 1} has no name. Name it or remove it."
    if name in names[:index]:
        return "This column is there twice. Remove one of them."
    if name in KNOWN:
        return None
    if not name.startswith(CUSTOM_PREFIX):
        return f"This column is not known. {_advice(name)}"
    if not fields.CUSTOM_KEY.fullmatch(name.removeprefix(CUSTOM_PREFIX)):
        return "After cf: comes a key: letters, digits, hyphens, underscores."
    return None


def _advice(name: str) -> str:
    folded = name[:100].lower().replace(" ", "_").replace("-", "_")
    close = get_close_matches(folded, KNOWN, n=1)
    if close:
        return f"Did you mean {close[0]}? Rename or remove it."
    return "Remove it, or name it cf: and the key of a custom field."


def _error(column: str, value: str, message: str) -> RowError:
    return RowError(line=1, column=column, value=value, message=message)
