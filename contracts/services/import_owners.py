"""What a contract file makes besides contracts: accounts, bill groups, the catalog.

Only what is not there yet is written. The address and custom fields of a new account's
first bill group are the account's too; its mail address stays the bill group's. A new
bill group that is delivered by portal gets the one it names, or the default one.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from billing.domain.bill_group import PORTAL_DELIVERIES
from billing.models import DEFAULT_PROFILE, Account, BillGroup
from billing.services.portals import default_portal
from contracts.domain.csv_contracts import ParsedBillGroup
from contracts.models import Product
from contracts.services.import_check import CheckedFile
from contracts.services.import_facts import (
    BillGroupKey,
    bill_groups_of,
    portal_named,
)
from contracts.services.rows import copy_rows, next_ids

_ADDRESS: Final = (
    "address_line1",
    "address_line2",
    "city",
    "region",
    "postal_code",
    "country",
)
_ACCOUNT_COLUMNS: Final = ("id", "number", "name", *_ADDRESS, "custom_fields")
_BILL_GROUP_COLUMNS: Final = (
    "id",
    "account_id",
    "legal_entity_id",
    "name",
    "currency",
    "invoicing",
    "net_terms",
    "po_number",
    "delivery",
    "portal_id",
    "bill_to",
    "email",
    *_ADDRESS,
    "custom_fields",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The ids of a file's accounts and bill groups by key, and which of them are new.

    A new account takes what it stores from its first bill group in the file.
    """

    accounts: dict[str, int]
    bill_groups: dict[BillGroupKey, int]
    new_accounts: dict[str, ParsedBillGroup]
    new_bill_groups: dict[BillGroupKey, ParsedBillGroup]


def write_owners(checked: CheckedFile) -> Owners:
    """Write the accounts and bill groups of a file that are new."""
    owners = _owners(checked)
    account_values = checked.custom_values.accounts
    copy_rows(
        Account,
        _ACCOUNT_COLUMNS,
        (
            (
                owners.accounts[number],
                number,
                group.account_name,
                *_address(group),
                json.dumps(account_values.get(number, {})),
            )
            for number, group in owners.new_accounts.items()
        ),
    )
    group_values = checked.custom_values.bill_groups
    portals = _portal_ids(owners.new_bill_groups.values(), checked.facts.portals)
    copy_rows(
        BillGroup,
        _BILL_GROUP_COLUMNS,
        (
            (
                owners.bill_groups[key],
                owners.accounts[group.account_number],
                checked.legal_entity.pk,
                *_cells(group, portals),
                json.dumps(group_values.get(key, {})),
            )
            for key, group in owners.new_bill_groups.items()
        ),
    )
    return owners


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalOfNewGroups:
    """A portal by name, how many new bill groups use it, and whether it is made."""

    name: str
    bill_groups: int
    is_made: bool


def portals_of_new_groups(checked: CheckedFile) -> tuple[PortalOfNewGroups, ...]:
    """Return which portals importing a file gives its new bill groups, by name (F3)."""
    portals = checked.facts.portals
    names = {pk: name for name, pk in portals.items()}
    counted: Counter[int | None] = Counter(
        portal_named(group.portal or DEFAULT_PROFILE, portals)
        for key, group in bill_groups_of(c.parsed for c in checked.contracts).items()
        if key not in checked.facts.bill_groups and group.delivery in PORTAL_DELIVERIES
    )
    found = (
        PortalOfNewGroups(
            name=DEFAULT_PROFILE if pk is None else names[pk],
            bill_groups=count,
            is_made=pk is None,
        )
        for pk, count in counted.items()
    )
    return tuple(sorted(found, key=lambda one: one.name))


def _portal_ids(
    groups: Iterable[ParsedBillGroup], portals: dict[str, int]
) -> dict[str, int]:
    """Return the portals of new bill groups by the name they give: blank is "Portal".

    The default one is made only where a bill group needs it (F3).
    """
    names = {group.portal for group in groups if group.delivery in PORTAL_DELIVERIES}
    return {name: portal_named(name, portals) or default_portal().pk for name in names}


def _owners(checked: CheckedFile) -> Owners:
    """Tell new owners from known ones, and give the new ones their ids."""
    groups = bill_groups_of(item.parsed for item in checked.contracts)
    accounts = {n: account.pk for n, account in checked.facts.accounts.items()}
    bill_groups = {k: group.pk for k, group in checked.facts.bill_groups.items()}
    new_groups = {k: group for k, group in groups.items() if k not in bill_groups}
    new_accounts: dict[str, ParsedBillGroup] = {}
    for group in new_groups.values():
        if group.account_number not in accounts:
            new_accounts.setdefault(group.account_number, group)
    accounts.update(
        zip(new_accounts, next_ids(Account, len(new_accounts)), strict=True)
    )
    bill_groups.update(
        zip(new_groups, next_ids(BillGroup, len(new_groups)), strict=True)
    )
    return Owners(
        accounts=accounts,
        bill_groups=bill_groups,
        new_accounts=new_accounts,
        new_bill_groups=new_groups,
    )


def _cells(group: ParsedBillGroup, portals: dict[str, int]) -> tuple[Any, ...]:
    blank = _NEW_BILL_GROUP
    return (
        group.name,
        group.currency,
        group.invoicing.value if group.invoicing else blank.invoicing,
        blank.net_terms if group.net_terms is None else group.net_terms,
        group.po_number,
        group.delivery.value if group.delivery else blank.delivery,
        portals[group.portal] if group.delivery in PORTAL_DELIVERIES else None,
        group.bill_to,
        group.email,
        *_address(group),
    )


def _address(group: ParsedBillGroup) -> tuple[str, ...]:
    return tuple(getattr(group, column) for column in _ADDRESS)


# What a blank cell means for a new bill group.
_NEW_BILL_GROUP: Final = BillGroup()


def product_ids(names: set[str]) -> dict[str, int]:
    """Return the ids of products by name; those that are not there yet are made."""
    Product.objects.bulk_create(
        [Product(name=name) for name in sorted(names)], ignore_conflicts=True
    )
    return dict(Product.objects.filter(name__in=names).values_list("name", "pk"))
