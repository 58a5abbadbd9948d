"""What is stored already of the things that a contract file names (I5).

Unknown accounts and bill groups are made; known ones must not contradict: a filled cell
says what is stored, a blank one leaves it as it is. A contract number is used once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db.models.expressions import RawSQL

from billing.domain.bill_group import BillGroupStatus
from billing.models import Account, BillGroup, LegalEntity
from contracts.domain.csv_contracts import ParsedBillGroup, ParsedContract
from contracts.domain.csv_file import RowError, shown
from contracts.models import Contract

BillGroupKey = tuple[str, str]

# Columns of a bill group, which bear the names of its fields.
_COLUMNS: Final = (
    "currency",
    "invoicing",
    "net_terms",
    "po_number",
    "delivery",
    "bill_to",
    "email",
    "address_line1",
    "address_line2",
    "city",
    "region",
    "postal_code",
    "country",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFacts:
    """The accounts by number, bill groups by account number and name, contracts."""

    accounts: dict[str, Account]
    bill_groups: dict[BillGroupKey, BillGroup]
    contract_numbers: set[str]


def bill_groups_of(
    contracts: Iterable[ParsedContract],
) -> dict[BillGroupKey, ParsedBillGroup]:
    """Return the bill groups of a file by account number and name."""
    return {
        (contract.bill_group.account_number, contract.bill_group.name): (
            contract.bill_group
        )
        for contract in contracts
    }


def read_facts(contracts: Sequence[ParsedContract]) -> StoredFacts:
    """Read what is stored of the accounts, bill groups and contracts of a file."""
    accounts = _any_of({contract.bill_group.account_number for contract in contracts})
    numbers = _any_of({contract.number for contract in contracts})
    groups = BillGroup.objects.filter(account__number__in=accounts)
    named = bill_groups_of(contracts)
    return StoredFacts(
        accounts={
            account.number: account
            for account in Account.objects.filter(number__in=accounts)
        },
        bill_groups={
            key: group
            for group in groups.select_related("account")
            if (key := (group.account.number, group.name)) in named
        },
        contract_numbers=set(
            Contract.objects.filter(number__in=numbers).values_list("number", flat=True)
        ),
    )


def _any_of(texts: Iterable[str]) -> RawSQL:
    """Return texts as one parameter: a hundred thousand single ones are slow.

    As JSON, for psycopg takes ten times as long to make an array of texts.
    """
    return RawSQL("SELECT json_array_elements_text(%s)", [json.dumps(list(texts))])


def contradictions(
    contracts: Sequence[ParsedContract], facts: StoredFacts, legal_entity: LegalEntity
) -> Iterator[RowError]:
    """Yield where a file contradicts what is stored."""
    for contract in contracts:
        if contract.number in facts.contract_numbers:
            yield _error(
                contract.row,
                "contract_number",
                contract.number,
                "This contract is there already. Remove its rows; to change it, amend "
                "it.",
            )
    for key, parsed in bill_groups_of(contracts).items():
        account = facts.accounts.get(parsed.account_number)
        if account is not None and account.name != parsed.account_name:
            yield _error(
                parsed.row,
                "account_name",
                parsed.account_name,
                f"Account {account.number} is named “{account.name}”. Write that "
                "name, or rename the account first.",
            )
        group = facts.bill_groups.get(key)
        if group is not None:
            yield from _of_bill_group(parsed, group, legal_entity)


def _of_bill_group(
    parsed: ParsedBillGroup, group: BillGroup, legal_entity: LegalEntity
) -> Iterator[RowError]:
    if group.legal_entity_id != legal_entity.pk:
        yield _error(
            parsed.row,
            "bill_group",
            parsed.name,
            f"{group} belongs to another legal entity than {legal_entity}. Name "
            "another bill group, or import the file for that one.",
        )
    if group.status == BillGroupStatus.CANCELED:
        yield _error(
            parsed.row,
            "bill_group",
            parsed.name,
            f"{group} is canceled. Set it to Active first, or name another one.",
        )
    for column in _COLUMNS:
        says, stored = getattr(parsed, column), getattr(group, column)
        if says not in (None, "", stored):
            is_word = isinstance(says, StrEnum)
            has = stored.lower() if is_word else stored
            yield _error(
                parsed.row,
                column,
                says.value.lower() if is_word else str(says),
                f"{group} has {f'“{has}”' if has != '' else 'nothing'} here. Write the "
                "same, leave the cell blank, or change the bill group first.",
            )


def _error(row: int, column: str, value: str, message: str) -> RowError:
    return RowError(line=row, column=column, value=shown(value), message=message)
