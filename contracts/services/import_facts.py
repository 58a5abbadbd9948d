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

from billing.domain.bill_group import PORTAL_DELIVERIES, BillGroupStatus
from billing.models import (
    DEFAULT_PROFILE,
    Account,
    BillGroup,
    LegalEntity,
    PortalProfile,
)
from contracts.domain.csv_contracts import ParsedBillGroup, ParsedContract
from contracts.domain.csv_file import RowError, shown
from contracts.models import Contract

BillGroupKey = tuple[str, str]
PORTALS_NAMED: Final = 5

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
    """The accounts by number, bill groups by account number and name, contracts.

    `portals` are the ids of all portals by name, where the file delivers to any.
    """

    accounts: dict[str, Account]
    bill_groups: dict[BillGroupKey, BillGroup]
    contract_numbers: set[str]
    portals: dict[str, int]


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
            for group in groups.select_related("account", "portal")
            if (key := (group.account.number, group.name)) in named
        },
        contract_numbers=set(
            Contract.objects.filter(number__in=numbers).values_list("number", flat=True)
        ),
        portals=dict(PortalProfile.objects.order_by("name").values_list("name", "pk"))
        if any(
            group.portal or group.delivery in PORTAL_DELIVERIES
            for group in named.values()
        )
        else {},
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
        if parsed.portal:
            yield from _of_portal(parsed, group, facts)


def portal_named(name: str, portals: dict[str, int]) -> int | None:
    """Return the id of the portal of a name, in any case; None if there is none."""
    folded = name.lower()
    return next((pk for known, pk in portals.items() if known.lower() == folded), None)


def _of_portal(
    parsed: ParsedBillGroup, group: BillGroup | None, facts: StoredFacts
) -> Iterator[RowError]:
    """Yield what is wrong with the portal that a bill group names (F3).

    "Portal" is what a blank cell means: it is made where it is not there.
    """
    row, name = parsed.row, parsed.portal
    portal_id = portal_named(name, facts.portals)
    if portal_id is None and name.lower() != DEFAULT_PROFILE.lower():
        known = ", ".join([*facts.portals][:PORTALS_NAMED]) or DEFAULT_PROFILE
        yield _error(
            row,
            "portal",
            name,
            f"There is no such portal. Write the name of one ({known}), or define it "
            "in Settings > Portals first.",
        )
    elif group is not None and portal_id != group.portal_id:
        yield _error(row, "portal", name, _has(group, str(group.portal or "")))
    elif group is None and parsed.delivery not in PORTAL_DELIVERIES:
        yield _error(
            row,
            "portal",
            name,
            "A portal is named, but the delivery is neither portal nor both. Write one "
            "of them as the delivery, or leave the portal blank.",
        )


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
                _has(group, has),
            )


def _has(group: BillGroup, has: object) -> str:
    return (
        f"{group} has {f'“{has}”' if has != '' else 'nothing'} here. Write the "
        "same, leave the cell blank, or change the bill group first."
    )


def _error(row: int, column: str, value: str, message: str) -> RowError:
    return RowError(line=row, column=column, value=shown(value), message=message)
