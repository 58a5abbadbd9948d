"""What new documents store of custom fields: copies of the printed ones (F2).

Definitions are read once for all documents of a batch, owners only if one of their
fields is printed. The entries are made as JSON text, ready to be copied: those of a
bill group and its account once for all its documents.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.values import PrintedFields
from customfields.queries import invoice_definitions
from invoicing.domain.document import Document
from invoicing.queries.pending import id_array

OF_GROUPS: Final = """
SELECT {columns}
FROM billing_billgroup g
JOIN billing_account a ON a.id = g.account_id
WHERE g.id = ANY (%s::bigint[])
  AND (a.custom_fields ?| %s OR g.custom_fields ?| %s)
"""
OF_CONTRACTS: Final = """
SELECT {columns} FROM contracts_contract c
WHERE id = ANY (%s::bigint[]) AND custom_fields ?| %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFields:
    """The `printed_fields` of documents, in their order, and what all store as own."""

    printed: tuple[str, ...]
    own: str


def read_paper_fields(documents: Sequence[tuple[int, Document]]) -> PaperFields:
    """Return what documents, each after its bill group's id, store as JSON text."""
    known = invoice_definitions()
    groups = _of_groups(
        {group_id for group_id, _ in documents},
        known.printed[FieldObject.ACCOUNT],
        known.printed[FieldObject.BILL_GROUP],
    )
    contracts = _of_contracts(documents, known.printed[FieldObject.CONTRACT])
    return PaperFields(
        printed=tuple(
            f"[{', '.join([*groups.get(group_id, ()), *of_contracts])}]"
            for (group_id, _), of_contracts in zip(
                documents, _by_document(documents, contracts), strict=True
            )
        ),
        own=json.dumps(known.defaults, ensure_ascii=False),
    )


def _of_groups(
    bill_group_ids: Iterable[int],
    of_account: Sequence[FieldDefinition],
    of_group: Sequence[FieldDefinition],
) -> Mapping[int, list[str]]:
    if not of_account and not of_group:
        return {}
    account, group = PrintedFields(of_account), PrintedFields(of_group)
    columns = ["g.id", *_values("a", account), *_values("g", group)]
    with connection.cursor() as cursor:
        cursor.execute(
            OF_GROUPS.format(columns=", ".join(columns)),
            [
                *account.keys,
                *group.keys,
                id_array(bill_group_ids),
                list(account.keys),
                list(group.keys),
            ],
        )
        of_accounts = len(account.keys)
        return {
            pk: account.entries(values[:of_accounts])
            + group.entries(values[of_accounts:])
            for pk, *values in cursor.fetchall()
        }


def _of_contracts(
    documents: Sequence[tuple[int, Document]], definitions: Sequence[FieldDefinition]
) -> Mapping[int, list[str]]:
    if not definitions:
        return {}
    numbers = {
        line.charge.contract_id: line.charge.contract_number
        for _, document in documents
        for line in document.lines
    }
    printed = PrintedFields(definitions)
    columns = ["c.id", *_values("c", printed)]
    with connection.cursor() as cursor:
        cursor.execute(
            OF_CONTRACTS.format(columns=", ".join(columns)),
            [*printed.keys, id_array(numbers), list(printed.keys)],
        )
        return {
            pk: printed.entries(values, contract=numbers[pk])
            for pk, *values in cursor.fetchall()
        }


def _values(owner: str, printed: PrintedFields) -> list[str]:
    """Return a column for each printed field: its value as JSON, as it is stored."""
    return [f"{owner}.custom_fields -> %s" for _ in printed.keys]


def _by_document(
    documents: Sequence[tuple[int, Document]], contracts: Mapping[int, Collection[str]]
) -> Iterable[list[str]]:
    """Yield the entries of each document's contracts, in the order of its lines."""
    if not contracts:
        yield from ([] for _ in documents)
        return
    for _, document in documents:
        on_it = dict.fromkeys(line.charge.contract_id for line in document.lines)
        yield [entry for pk in on_it for entry in contracts.get(pk, ())]
