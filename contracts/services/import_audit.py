"""What an import leaves in the audit trail: an entry for each thing it makes (M5)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser

from billing.models import AuditEvent, public_id
from billing.services.audit import actor_fields
from contracts.domain.terms import ContractStatus
from contracts.models import ContractImport
from contracts.services.import_check import CheckedContract
from contracts.services.import_owners import Owners
from contracts.services.rows import copy_rows

_COLUMNS: Final = (
    "code",
    "subject",
    "account_id",
    "bill_group_id",
    "contract_id",
    "after",
    "actor_id",
    "actor_name",
)


@dataclass(slots=True, kw_only=True)
class PlacedContract:
    """A contract of a file with the ids it gets, and how many charges it got."""

    checked: CheckedContract
    contract_id: int
    bill_group_id: int
    account_id: int
    charges: int = 0
    past: int = 0

    @property
    def number(self) -> str:
        """The contract's number."""
        return self.checked.parsed.number


def write_audit(
    placed: Sequence[PlacedContract],
    owners: Owners,
    *,
    contract_import: ContractImport,
    actor: AbstractBaseUser | None,
) -> None:
    """Write one entry for the import, each new owner, and each contract."""
    of_import = (
        "contracts.imported",
        contract_import.file_name,
        None,
        None,
        None,
        json.dumps({"import": contract_import.pk, "contracts": len(placed)}),
    )
    by = tuple(actor_fields(actor).values())
    entries = chain(
        [of_import],
        _of_owners(owners, contract_import),
        _of_contracts(placed, contract_import),
    )
    copy_rows(AuditEvent, _COLUMNS, ((*entry, *by) for entry in entries))


def _of_owners(
    owners: Owners, contract_import: ContractImport
) -> Iterator[tuple[Any, ...]]:
    after = json.dumps({"import": contract_import.pk})
    for number, group in owners.new_accounts.items():
        account_id = owners.accounts[number]
        yield "account.added", group.account_name, account_id, None, None, after
    for key, group in owners.new_bill_groups.items():
        group_id = owners.bill_groups[key]
        subject = f"{group.name} ({public_id(group_id)})"[:200]
        account_id = owners.accounts[group.account_number]
        yield "bill_group.added", subject, account_id, group_id, None, after


def _of_contracts(
    placed: Sequence[PlacedContract], contract_import: ContractImport
) -> Iterator[tuple[Any, ...]]:
    for item in placed:
        after = {
            "status": ContractStatus.ACTIVE,
            "import": contract_import.pk,
            "charges": item.charges,
            "billed_elsewhere": item.past,
        }
        yield (
            "contract.imported",
            item.number,
            item.account_id,
            item.bill_group_id,
            item.contract_id,
            json.dumps(after),
        )
