"""What tests of invoicing begin and end with: sold contracts, and books in order."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from contracts.models import Contract, ContractLine
from contracts.services.terms import activate
from invoicing.models import Invoice
from invoicing.services.books import check_books
from tests.factories import ContractFactory, ContractLineFactory


def sold(
    *, today: date, lines: Sequence[dict[str, Any]] = ({},), **contract: Any
) -> Contract:
    """Make a contract with lines and activate it, without a first invoice."""
    made: Contract = ContractFactory.create(**contract)
    for position, line in enumerate(lines, start=1):
        ContractLineFactory.create(contract=made, position=position, **line)
    return activate(contract=made, actor=None, today=today)


def line_of(contract: Contract) -> ContractLine:
    """Return a contract's only line."""
    return contract.lines.get()


def broken_invariants() -> list[str]:
    """Return the names of the invariants that do not hold; the books are in order."""
    return [broken.invariant.name for broken in check_books()]


def invoice_facts() -> list[tuple[str, date, str]]:
    """Return number, bill date and total of the issued invoices, by number."""
    return [
        (invoice.number or "", invoice.bill_date, str(invoice.total.normalize()))
        for invoice in Invoice.objects.exclude(number=None).order_by("sequence")
    ]
