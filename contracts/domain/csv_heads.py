"""What rows say besides their line: of the account, the bill group and the contract.

What a row says of one of them must agree with the first row that names the same one,
blank cells included. Rows of one bill group, and of one contract, share these cells:
each distinct set of them is worked out once and remembered. Forgetting it only costs
time.
"""

from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from operator import getitem, itemgetter
from typing import Any, Final, NamedTuple

from contracts.domain.csv_columns import (
    ACCOUNT_COLUMNS,
    BILL_GROUP_COLUMNS,
    CONTRACT_COLUMNS,
    CUSTOM_PREFIX,
    CellReader,
    Column,
    Fault,
    Header,
)
from contracts.domain.csv_contracts import ParsedBillGroup, ParsedContract, ParsedLine
from contracts.domain.csv_file import shown
from contracts.domain.csv_lines import Faults, Term, check_term

_REMEMBERED: Final = 1_000
_GROUP_COLUMNS: Final = (*ACCOUNT_COLUMNS, *BILL_GROUP_COLUMNS)
_GROUP_NAMES: Final = [column.name for column in _GROUP_COLUMNS]
# What of the bill group is said of its contracts too.
_SHARED_NAMES: Final = ["account_number", "bill_group", "currency"]
_shared: Final = itemgetter(*map(_GROUP_NAMES.index, _SHARED_NAMES))


class _Said(NamedTuple):
    """What a row says of an account, a bill group or a contract."""

    row: int
    values: tuple[Any, ...]


class _Group(NamedTuple):
    """The cells of an account and a bill group, and what is wrong with them."""

    values: tuple[Any, ...]
    faults: Faults


class Head(NamedTuple):
    """The cells of a row but for its line, and what is wrong with them.

    `lines` are those of the contract so far; None if the row doesn't say which.
    """

    group: _Group
    term: Term
    lines: list[ParsedLine] | None
    faults: Faults


class _First:
    """What was said first of each account, bill group or contract."""

    def __init__(self, noun: str, names: list[str]) -> None:
        self.said: dict[Any, _Said] = {}
        self._noun = noun
        self._names = names

    def hear(
        self, row: int, key: object, values: tuple[Any, ...], faults: Faults
    ) -> None:
        """Keep what a row says, or add to the faults where it contradicts."""
        first = self.said.get(key)
        if first is None:
            self.said[key] = _Said(row, values)
        elif first.values != values:
            for name, said, says in zip(self._names, first.values, values, strict=True):
                if said != says and type(said) is not Fault and type(says) is not Fault:
                    faults.setdefault(name, self._contradiction(first.row, name, said))

    def _contradiction(self, row: int, name: str, said: object) -> str:
        if name == "currency":
            return (
                f"Line {row} is in {said}, but a bill group has one currency. Correct "
                "one of the two, or name another bill group."
            )
        if said is None or said == "":
            said_so = "leaves this blank"
        else:
            word = said.value.lower() if isinstance(said, StrEnum) else said
            said_so = f"says “{shown(str(word))}”"
        return (
            f"Line {row} {said_so} for the same {self._noun}. Correct one of the two."
        )


class _Cells:
    """The cells of some columns in each row, and their values."""

    def __init__(self, columns: tuple[Column, ...], header: Header) -> None:
        self.names = [column.name for column in columns]
        self.pick = itemgetter(*map(header.position, self.names))
        self._readers = [CellReader(column) for column in columns]

    def read(self, picked: tuple[str, ...], faults: Faults) -> tuple[Any, ...]:
        """Return the values of the cells, adding what is wrong to the faults."""
        values = tuple(map(getitem, self._readers, picked))
        if Fault in map(type, values):
            for name, value in zip(self.names, values, strict=True):
                if type(value) is Fault:
                    faults[name] = value.message
        return values


class HeadReader:
    """Reads the heads of all rows of a file, and in the end makes its contracts."""

    def __init__(self, header: Header) -> None:
        customs = header.custom_columns
        self._group_cells = _Cells(_GROUP_COLUMNS, header)
        self._contract_cells = _Cells((*CONTRACT_COLUMNS, *customs), header)
        self._custom_keys = [c.name.removeprefix(CUSTOM_PREFIX) for c in customs]
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._heads: dict[tuple[str, ...], Head] = {}
        self._first_of_account = _First("account", ["account_name"])
        self._first_of_group = _First("bill group", _GROUP_NAMES)
        self._first_of_contract = _First(
            "contract", [*_SHARED_NAMES, *self._contract_cells.names]
        )
        self._lines: defaultdict[str, list[ParsedLine]] = defaultdict(list)

    def read(self, row: int, cells: list[str]) -> Head:
        """Return the head of a row; its cells end with a blank for absent columns."""
        group = self._group(row, self._group_cells.pick(cells))
        picked = self._contract_cells.pick(cells)
        head = self._heads.get(picked)
        if head is None or head.group is not group:
            if len(self._heads) >= _REMEMBERED:
                self._heads.clear()
            head = self._heads[picked] = self._read(row, group, picked)
        return head

    def _group(self, row: int, picked: tuple[str, ...]) -> _Group:
        group = self._groups.get(picked)
        if group is None:
            if len(self._groups) >= _REMEMBERED:
                self._groups.clear()
            group = self._groups[picked] = self._read_group(row, picked)
        return group

    def _read_group(self, row: int, picked: tuple[str, ...]) -> _Group:
        faults: Faults = {}
        values = self._group_cells.read(picked, faults)
        account_number, account_name, bill_group = values[:3]
        if "account_number" not in faults:
            self._first_of_account.hear(row, account_number, (account_name,), faults)
            if "bill_group" not in faults:
                key = account_number, bill_group
                self._first_of_group.hear(row, key, values, faults)
        return _Group(values, faults)

    def _read(self, row: int, group: _Group, picked: tuple[str, ...]) -> Head:
        faults = dict(group.faults)
        values = self._contract_cells.read(picked, faults)
        number, start, end, _, bill_month, *_ = values
        lines = None
        if "contract_number" not in faults:
            said = (*_shared(group.values), *values)
            self._first_of_contract.hear(row, number, said, faults)
            lines = self._lines[number]
        if faults:
            start, end, bill_month = map(_unless_faulty, (start, end, bill_month))
        term = Term(start, end, bill_month)
        check_term(term, faults)
        return Head(group, term, lines, faults)

    def contracts(self) -> Iterator[ParsedContract]:
        """Make the contracts of a file without faults, in the order of the file."""
        groups = {
            key: ParsedBillGroup(row, *values)
            for key, (row, values) in self._first_of_group.said.items()
        }
        for row, values in self._first_of_contract.said.values():
            account_number, bill_group, _, number, *terms = values
            start, end, bill_day, bill_month, *customs = terms
            yield ParsedContract(
                row=row,
                number=number,
                bill_group=groups[account_number, bill_group],
                start=start,
                end=end,
                bill_day=bill_day,
                bill_month=bill_month,
                custom_fields={
                    key: value
                    for key, value in zip(self._custom_keys, customs, strict=True)
                    if value
                },
                lines=tuple(self._lines[number]),
            )


def _unless_faulty(value: Any) -> Any:
    return None if type(value) is Fault else value
