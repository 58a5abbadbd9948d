"""Check a contract file completely, without writing anything (I1, I5)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Self

from billing.models import LegalEntity
from contracts.domain.csv_contracts import ParsedContract, ParsedFile, ParsedLine
from contracts.domain.csv_file import RowError
from contracts.domain.csv_rows import parse_contracts
from contracts.domain.csv_terms import parsed_terms, unplannable_row
from contracts.domain.schedule import PlannedCharge, plan
from contracts.domain.terms import ContractTerms, UnplannableTerms, check_terms
from contracts.services.garbage import garbage_left_alone
from contracts.services.import_facts import (
    BillGroupKey,
    StoredFacts,
    contradictions,
    read_facts,
)
from contracts.services.import_fields import (
    CustomValues,
    custom_keys,
    read_custom_fields,
)
from contracts.services.import_taxes import changed_tax_rates


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedContract:
    """A contract of a file, with terms that can be planned."""

    parsed: ParsedContract
    terms: ContractTerms

    @property
    def bill_group_key(self) -> BillGroupKey:
        """The account number and name of its bill group."""
        group = self.parsed.bill_group
        return group.account_number, group.name

    @property
    def lines_by_id(self) -> dict[int, ParsedLine]:
        """Its lines by the ids that they have in the terms."""
        ids = (line.line_id for line in self.terms.lines)
        return dict(zip(ids, self.parsed.lines, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """The contracts of a file that can be imported, or else all its errors.

    `facts` and `custom_values` say what is stored and what new owners will store.
    """

    legal_entity: LegalEntity
    contracts: tuple[CheckedContract, ...]
    facts: StoredFacts
    custom_values: CustomValues
    errors: tuple[RowError, ...]

    @classmethod
    def refused(cls, legal_entity: LegalEntity, *errors: RowError) -> Self:
        """Return a file of which nothing but its errors is known."""
        return cls(
            legal_entity=legal_entity,
            contracts=(),
            facts=StoredFacts(
                accounts={}, bill_groups={}, contract_numbers=set(), portals={}
            ),
            custom_values=CustomValues(),
            errors=errors,
        )


@garbage_left_alone()
def check_file(content: bytes, *, legal_entity: LegalEntity) -> CheckedFile:
    """Read a contract file and check it against what is stored (I5).

    Lines get ids from 1, in the order of contracts.
    """
    parsed = parse_contracts(content)
    return check_parsed(
        parsed,
        facts=read_facts(parsed.contracts),
        keys=custom_keys(content),
        legal_entity=legal_entity,
        line_ids=count(1),
    )


def check_parsed(
    parsed: ParsedFile,
    *,
    facts: StoredFacts,
    keys: tuple[str, ...],
    legal_entity: LegalEntity,
    line_ids: Iterator[int],
) -> CheckedFile:
    """Check the contracts of a file against what is stored.

    `keys` are those of its custom fields; each line takes the next of `line_ids`.
    """
    values, field_errors = read_custom_fields(keys, parsed.contracts, facts)
    errors = [
        *parsed.errors,
        *contradictions(parsed.contracts, facts, legal_entity),
        *changed_tax_rates(parsed.contracts),
        *field_errors,
    ]
    contracts = []
    for contract in parsed.contracts:
        terms = parsed_terms(contract, line_ids)
        try:
            check_terms(terms)
        except UnplannableTerms as fault:
            errors.append(unplannable_row(contract, fault))
        contracts.append(CheckedContract(parsed=contract, terms=terms))
    errors.sort(key=lambda error: error.line)
    return CheckedFile(
        legal_entity=legal_entity,
        contracts=() if errors else tuple(contracts),
        facts=facts,
        custom_values=values,
        errors=tuple(errors),
    )


def planned(
    contracts: Iterable[CheckedContract], *, today: date
) -> Iterator[tuple[CheckedContract, tuple[PlannedCharge, ...]]]:
    """Yield checked contracts with their charges, as planned on a day."""
    for contract in contracts:
        yield contract, plan(contract.terms, today=today)
