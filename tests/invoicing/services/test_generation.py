from datetime import date

import pytest

from invoicing.models import Invoice
from invoicing.services.generation import run_invoicing
from tests.books import broken_invariants, invoice_facts, sold

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)


def test_run_invoices_what_is_due_once() -> None:
    sold(today=JAN_1)

    run_invoicing(as_of=JAN_1)
    run_invoicing(as_of=JAN_1)

    assert invoice_facts() == [("INV-000001", JAN_1, "1E+2")]
    assert Invoice.objects.get().lines.count() == 1
    assert broken_invariants() == []
