"""Write a checked contract file: each table with one COPY, in the order of its keys.

Ids are taken ahead, so that rows name each other without being read back. Charges are
planned while the database takes them in.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection

from billing.models import BillGroup
from contracts.domain.csv_contracts import ParsedLine
from contracts.domain.schedule import next_extension, plan
from contracts.domain.terms import ContractStatus, ContractTerms
from contracts.models import (
    Contract,
    ContractImport,
    ContractLine,
    ScheduledCharge,
)
from contracts.services.import_audit import PlacedContract, write_audit
from contracts.services.import_check import CheckedFile
from contracts.services.import_owners import (
    product_ids,
    write_owners,
)
from contracts.services.import_taxes import tax_rate_ids
from contracts.services.rows import copy_rows, next_ids, refresh_statistics
from contracts.services.schedule import charge_lines, insert_charges

# From so many contracts on, queries on tables that were small before need statistics.
_MANY: Final = 500

_CONTRACT_COLUMNS: Final = (
    "id",
    "number",
    "bill_group_id",
    "status",
    "start_date",
    "end_date",
    "bill_day",
    "bill_month",
    "activated_on",
    "extend_on",
    "contract_import_id",
    "version",
    "custom_fields",
)
_LINE_COLUMNS: Final = (
    "id",
    "contract_id",
    "position",
    "product_id",
    "tax_rate_id",
    "description",
    "charge_type",
    "frequency_months",
    "timing",
    "quantity",
    "unit_price",
    "discount_percent",
    "proration",
    "start_date",
    "end_date",
    "included_quantity",
    "tiers",
)


class ImportWriter:
    """Writes one checked file as of its import date, everything activated."""

    def __init__(
        self,
        checked: CheckedFile,
        *,
        contract_import: ContractImport,
        actor: AbstractBaseUser | None,
        import_date: date,
    ) -> None:
        self._checked = checked
        self._import = contract_import
        self._actor = actor
        self._import_date = import_date

    def write(self) -> list[PlacedContract]:
        """Write everything and check all keys; returns the contracts with their ids."""
        owners = write_owners(self._checked)
        contracts = self._checked.contracts
        placed = [
            PlacedContract(
                checked=contract,
                contract_id=contract_id,
                bill_group_id=owners.bill_groups[contract.bill_group_key],
                account_id=owners.accounts[contract.bill_group_key[0]],
            )
            for contract, contract_id in zip(
                contracts, next_ids(Contract, len(contracts)), strict=True
            )
        ]
        self._write_contracts(placed)
        self._write_lines(placed)
        if len(placed) >= _MANY:
            refresh_statistics(Contract, ContractLine)
        insert_charges(self._charge_lines(placed))
        write_audit(placed, owners, contract_import=self._import, actor=self._actor)
        connection.check_constraints()
        if len(placed) >= _MANY:
            refresh_statistics(ScheduledCharge, BillGroup)
        return placed

    def _write_contracts(self, placed: Sequence[PlacedContract]) -> None:
        values = self._checked.custom_values.contracts
        copy_rows(
            Contract,
            _CONTRACT_COLUMNS,
            (
                (
                    item.contract_id,
                    item.number,
                    item.bill_group_id,
                    ContractStatus.ACTIVE.value,
                    item.checked.parsed.start,
                    item.checked.parsed.end,
                    item.checked.parsed.bill_day,
                    item.checked.parsed.bill_month,
                    self._import_date,
                    self._extend_on(item.checked.terms),
                    self._import.pk,
                    1,
                    json.dumps(values.get(item.number, {})),
                )
                for item in placed
            ),
        )

    def _extend_on(self, terms: ContractTerms) -> date | None:
        if terms.end is not None:
            return None
        return next_extension(terms, today=self._import_date)

    def _write_lines(self, placed: Sequence[PlacedContract]) -> None:
        lines = [line for item in placed for line in item.checked.parsed.lines]
        products = product_ids({line.product for line in lines})
        tax_rates = tax_rate_ids(
            {line.tax_percent for line in lines if line.tax_percent is not None}
        )
        copy_rows(
            ContractLine,
            _LINE_COLUMNS,
            (
                (
                    terms.line_id,
                    item.contract_id,
                    position,
                    products[line.product],
                    tax_rates.get(line.tax_percent),
                    *_line_cells(line),
                )
                for item in placed
                for position, (line, terms) in enumerate(
                    zip(
                        item.checked.parsed.lines,
                        item.checked.terms.lines,
                        strict=True,
                    ),
                    start=1,
                )
            ),
        )

    def _charge_lines(self, placed: Sequence[PlacedContract]) -> Iterator[str]:
        for item in placed:
            charges = plan(item.checked.terms, today=self._import_date)
            item.charges = len(charges)
            item.past = sum(charge.bill_date < self._import_date for charge in charges)
            yield from charge_lines(
                charges,
                contract_id=item.contract_id,
                bill_group_id=item.bill_group_id,
                external_before=self._import_date,
            )


def _line_cells(line: ParsedLine) -> tuple[Any, ...]:
    return (
        line.description,
        line.charge_type.value,
        line.months,
        line.timing.value,
        line.quantity,
        line.unit_price,
        line.discount_percent,
        line.proration.value,
        line.start,
        line.end,
        line.included_quantity,
        line.tiers,
    )
