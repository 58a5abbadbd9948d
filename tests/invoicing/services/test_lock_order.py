"""Locks are taken in one order by all, so that no two wait for each other (DESIGN 5).

Who takes the books last, behind the contract, is in the way of whoever closes a month.
"""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contracts.domain.term_changes import LineEdit, TermChanges
from contracts.models import Contract
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import fix_contract
from tests.books import line_of, sold

pytestmark = pytest.mark.django_db

JAN_1, TODAY = date(2026, 1, 1), date(2026, 3, 10)
LOCK = re.compile(r'FROM "?(\w+).*\bFOR (SHARE|NO KEY UPDATE|UPDATE)\b', re.DOTALL)
ORDER = ["billing_legalentity", "contracts_contract", "billing_billgroup"]


def locked_tables(queries: CaptureQueriesContext) -> list[str]:
    """Return the tables of which rows were locked, by their first lock."""
    found = (LOCK.search(query["sql"]) for query in queries.captured_queries)
    return list(dict.fromkeys(lock.group(1) for lock in found if lock))


def test_a7_fix_locks_the_books_before_the_contract_and_its_bill_group() -> None:
    made = sold(today=date(2025, 12, 31), start_date=JAN_1, end_date=date(2026, 1, 31))
    run_invoicing(as_of=JAN_1)
    contract = Contract.objects.get(pk=made.pk)
    edit = LineEdit(line_id=line_of(contract).pk, unit_price=Decimal(10))

    with CaptureQueriesContext(connection) as queries:
        fix_contract(
            contract=contract,
            changes=TermChanges(version=contract.version, edits=(edit,)),
            effective_date=JAN_1,
            reason="Agreed 10",
            actor=None,
            today=TODAY,
        )

    tables = locked_tables(queries)
    assert [table for table in tables if table in ORDER] == ORDER
    assert "invoicing_invoice" in tables[len(ORDER) :]
