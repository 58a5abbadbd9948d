"""The custom fields of a contract file: columns named `cf:` and the key (I5, F2).

A key belongs to the account, the bill group or the contract, whichever has a field of
that key. New owners get defaults where no column names a field; known accounts and bill
groups must not contradict.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from contracts.domain.csv_columns import CUSTOM_PREFIX, read_header
from contracts.domain.csv_contracts import ParsedContract
from contracts.domain.csv_file import Row, RowError, read_rows, shown
from contracts.services.import_facts import BillGroupKey, StoredFacts
from customfields.choices import OWNERS
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.kinds import InvalidValue, Stored
from customfields.domain.values import csv_text, read_value, read_values
from customfields.queries import definitions

Values = Mapping[str, Stored]
Definitions = Mapping[str, FieldDefinition]
OwnerKey = TypeVar("OwnerKey", bound=Hashable)

_IMPORTED: Final = (FieldObject.ACCOUNT, FieldObject.BILL_GROUP, FieldObject.CONTRACT)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomValues:
    """What new owners store: by account number, bill group key, contract number."""

    accounts: Mapping[str, Values] = field(default_factory=dict)
    bill_groups: Mapping[BillGroupKey, Values] = field(default_factory=dict)
    contracts: Mapping[str, Values] = field(default_factory=dict)


def custom_keys(content: bytes) -> tuple[str, ...]:
    """Return the keys of the `cf:` columns of a file, in its order."""
    if CUSTOM_PREFIX.encode() not in content:
        return ()
    header = next((row for row in read_rows(content) if isinstance(row, Row)), None)
    columns = read_header(header.cells).custom_columns if header else ()
    return tuple(column.name.removeprefix(CUSTOM_PREFIX) for column in columns)


def read_custom_fields(
    keys: Sequence[str], contracts: Sequence[ParsedContract], facts: StoredFacts
) -> tuple[CustomValues, list[RowError]]:
    """Return what new owners store, and all that is wrong with the `cf:` columns."""
    known = {
        name: {definition.key: definition for definition in definitions(name)}
        for name in _IMPORTED
    }
    errors = list(_column_errors(keys, known))
    if errors or not any(known.values()):
        return CustomValues(), errors

    accounts = _Owners("account", known[FieldObject.ACCOUNT], keys)
    bill_groups = _Owners("bill group", known[FieldObject.BILL_GROUP], keys)
    of_contracts = _Owners("contract", known[FieldObject.CONTRACT], keys)
    values = CustomValues(
        accounts=accounts.read(
            contracts,
            key=lambda contract: contract.bill_group.account_number,
            stored={n: account.custom_fields for n, account in facts.accounts.items()},
        ),
        bill_groups=bill_groups.read(
            contracts,
            key=lambda contract: (
                contract.bill_group.account_number,
                contract.bill_group.name,
            ),
            stored={k: group.custom_fields for k, group in facts.bill_groups.items()},
        ),
        contracts=of_contracts.read(
            contracts, key=lambda contract: contract.number, stored={}
        ),
    )
    return values, [*accounts.errors, *bill_groups.errors, *of_contracts.errors]


def _column_errors(
    keys: Sequence[str], known: Mapping[FieldObject, Definitions]
) -> Iterator[RowError]:
    """Yield the columns whose key no owner has, or more than one."""
    for key in keys:
        owners = [OWNERS[name] for name in _IMPORTED if key in known[name]]
        if len(owners) == 1:
            continue
        message = (
            f"There is no custom field {key} of accounts, bill groups or contracts. "
            "Define it in Settings > Custom Fields, or remove the column."
        )
        if owners:
            named = " and ".join(owner.plural for owner in owners)
            message = (
                f"Both {named} have a custom field {key}, so it can't be told which "
                "is meant. Remove the column and fill them in by hand."
            )
        yield _error(1, key, f"{CUSTOM_PREFIX}{key}", message)


class _Owners:
    """Reads the fields of one kind of owner from the contracts of a file."""

    def __init__(self, noun: str, known: Definitions, keys: Sequence[str]) -> None:
        self.errors: list[RowError] = []
        self._noun = noun
        self._known = known
        self._keys = [key for key in keys if key in known]
        self._read: dict[tuple[str, ...], Values] = {}

    def read(
        self,
        contracts: Sequence[ParsedContract],
        *,
        key: Callable[[ParsedContract], OwnerKey],
        stored: Mapping[OwnerKey, Values],
    ) -> Mapping[OwnerKey, Values]:
        """Return what each new owner stores; what is wrong goes to `errors`."""
        if not self._known:
            return {}
        first: dict[OwnerKey, ParsedContract] = {}
        values = {}
        for contract in contracts:
            owner = key(contract)
            said_first = first.setdefault(owner, contract)
            if said_first is not contract:
                self._check_agreement(said_first, contract)
            elif owner in stored:
                self._check_stored(contract, stored[owner])
            else:
                values[owner] = self._values(contract)
        return values

    def _texts(self, contract: ParsedContract) -> tuple[str, ...]:
        return tuple(
            csv_text(self._known[key], contract.custom_fields.get(key, ""))
            for key in self._keys
        )

    def _values(self, contract: ParsedContract) -> Values:
        texts = self._texts(contract)
        if texts in self._read:
            return self._read[texts]
        raw = dict(zip(self._keys, texts, strict=True))
        values, faults = read_values(tuple(self._known.values()), raw)
        for fault in faults:
            self._report(contract.row, fault.key, fault.value, fault.message)
        if not faults:
            self._read[texts] = values
        return values

    def _check_agreement(self, first: ParsedContract, other: ParsedContract) -> None:
        pairs = zip(self._keys, self._texts(first), self._texts(other), strict=True)
        for key, said, says in pairs:
            if said != says:
                said_so = f"says “{shown(said)}”" if said else "leaves this blank"
                message = f"Line {first.row} {said_so} for the same {self._noun}."
                self._report(other.row, key, says, f"{message} Correct one of the two.")

    def _check_stored(self, contract: ParsedContract, stored: Values) -> None:
        for key, text in zip(self._keys, self._texts(contract), strict=True):
            if not text:
                continue
            try:
                says = read_value(self._known[key], text)
            except InvalidValue as fault:
                self._report(contract.row, key, text, str(fault))
                continue
            if says != stored.get(key):
                message = (
                    f"The {self._noun} has another value stored. Write the same, leave "
                    f"the cell blank, or change the {self._noun} first."
                )
                self._report(contract.row, key, text, message)

    def _report(self, line: int, key: str, value: str, message: str) -> None:
        self.errors.append(_error(line, key, value, message))


def _error(line: int, key: str, value: str, message: str) -> RowError:
    return RowError(
        line=line,
        column=f"{CUSTOM_PREFIX}{key}",
        value=shown(value),
        message=message,
    )
