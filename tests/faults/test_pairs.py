"""Each two of amend, cancel, credit, deactivate, close and the run, at once (G12, A10).

Real processes on one bill group. The first has done its work and not committed yet when
the second begins; every pair in both orders. What the books say after it is what one of
the two would have left after the other; nobody is told of a deadlock.
"""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from django.db import transaction

from billing.models import AccountingPeriod, AuditEvent, BillGroup, LegalEntity
from billing.services.bill_groups import NotActive, deactivate_bill_group
from billing.services.periods import PeriodStays, close_period
from contracts.domain.term_changes import LineEdit, TermChanges
from contracts.models import Contract, ScheduledCharge
from contracts.services.amendments import AmendmentRefused
from contracts.services.cancellation import CancellationRefused
from invoicing.domain.credit import NotCreditable
from invoicing.models import BalanceEntry, CreditNote, Invoice
from invoicing.services import papers
from invoicing.services.canceling import Unused
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import amend_contract, cancel_contract
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, line_of, sold
from tests.factories import BillGroupFactory, LegalEntityFactory, tax_rate
from tests.faults.worker import Job, run_together

pytestmark = pytest.mark.django_db(transaction=True)

D = Decimal
JAN_1, JAN_20 = date(2026, 1, 1), date(2026, 1, 20)
TODAY = date(2026, 2, 10)
HOLD = 0.25  # how long the first keeps what it has done
HEAD_START = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """A company with one customer: January is invoiced and part paid, February due.

    What people have on their pages before either of them clicks.
    """

    group: BillGroup
    contract: Contract
    january: Invoice
    charge: ScheduledCharge

    @property
    def legal_entity(self) -> LegalEntity:
        """The company, whose months are closed and whose run it is."""
        return self.group.legal_entity


def new_books(name: str) -> Books:
    legal_entity = LegalEntityFactory.create(name=name)
    group = BillGroupFactory.create(legal_entity=legal_entity)
    contract = sold(
        today=date(2025, 12, 31),
        bill_group=group,
        start_date=JAN_1,
        end_date=date(2026, 4, 30),
        lines=[{"unit_price": D(31), "tax_rate": tax_rate("19")}],
    )
    run_invoicing(as_of=JAN_1, legal_entity=legal_entity)
    record_payment(
        bill_group=group,
        amount=D(10),
        received_on=JAN_20,
        reference="",
        actor=None,
        today=JAN_20,
    )
    contract.refresh_from_db()
    return Books(
        group=group,
        contract=contract,
        january=Invoice.objects.get(bill_group=group),
        charge=ScheduledCharge.objects.get(contract=contract, state="INVOICED"),
    )


def amend(books: Books) -> None:
    edit = LineEdit(line_id=line_of(books.contract).pk, unit_price=D(20))
    amend_contract(
        contract=books.contract,
        changes=TermChanges(version=books.contract.version, edits=(edit,)),
        effective_date=JAN_1,
        reason="Agreed 20",
        actor=None,
        today=TODAY,
    )


def cancel(books: Books) -> None:
    cancel_contract(
        contract=books.contract,
        last_day=JAN_20,
        reason="Left",
        unused={books.charge.pk: Unused.DAYS},
        actor=None,
        today=TODAY,
    )


def credit(books: Books) -> None:
    credit_invoice(
        invoice=books.january, reason="Wrong", actor=None, today=TODAY, with_paid=True
    )


def deactivate(books: Books) -> None:
    deactivate_bill_group(
        bill_group=books.group, reason="Moved", actor=None, today=TODAY
    )


def close(books: Books) -> None:
    period = AccountingPeriod(legal_entity=books.legal_entity, month=JAN_1)
    close_period(period=period, actor=None)


def run(books: Books) -> None:
    run_invoicing(as_of=TODAY, legal_entity=books.legal_entity)


Deed = Callable[[Books], None]
DEEDS: tuple[Deed, ...] = (amend, cancel, credit, deactivate, close, run)
# What a person is told; anything else, a deadlock above all, fails the process.
REFUSALS = (
    AmendmentRefused,
    CancellationRefused,
    NotActive,
    NotCreditable,
    PeriodStays,
)


def do(deed: Deed, books: Books) -> None:
    with suppress(*REFUSALS):
        deed(books)


def first(deed: Deed, books: Books) -> Callable[[], None]:
    """Do it, and keep the transaction open for a while."""

    def work() -> None:
        if deed is run:
            take_numbers: Any = getattr(papers, "take_numbers")  # noqa: B009
            slowly = lambda **asked: held(take_numbers(**asked))  # noqa: E731
            setattr(papers, "take_numbers", slowly)  # noqa: B010
            do(run, books)
            return
        with suppress(*REFUSALS), transaction.atomic():
            deed(books)
            time.sleep(HOLD)

    return work


def held(result: Any) -> Any:
    time.sleep(HOLD)
    return result


def second(deed: Deed, books: Books) -> Callable[[], None]:
    """Come a little later, while the first is not done."""

    def work() -> None:
        time.sleep(HEAD_START)
        do(deed, books)

    return work


def digest(books: Books) -> dict[str, Any]:
    """Return what the books say, without ids and instants."""
    group, contract = books.group, books.contract
    group.refresh_from_db()
    contract.refresh_from_db()
    invoices = Invoice.objects.filter(bill_group=group)
    notes = CreditNote.objects.filter(invoice__in=invoices)
    return {
        "group": (group.status, group.awaiting_manual_invoice),
        "contract": (contract.status, contract.last_day, contract.version),
        "charges": Counter(
            ScheduledCharge.objects.filter(contract=contract).values_list(
                "period_start", "period_end", "bill_date", "amount", "state"
            )
        ),
        "invoices": Counter(
            invoices.values_list(
                *("bill_date", "issue_date", "status", "total", "paid"),
                *("balance_applied", "credited_due", "credited_paid", "amount_due"),
                *("sequence", "replaces__bill_date"),
            )
        ),
        "notes": Counter(
            notes.values_list(
                *("invoice__bill_date", "status", "total", "due_part", "paid_part"),
                "sequence",
            )
        ),
        "balance": Counter(
            BalanceEntry.objects.filter(bill_group=group).values_list("amount", "used")
        ),
        "closed": Counter(
            AccountingPeriod.objects.filter(
                legal_entity=books.legal_entity
            ).values_list("month", "state")
        ),
        "audit": Counter(
            AuditEvent.objects.filter(bill_group_id=group.pk).values_list("code")
        ),
    }


def in_turn(one: Deed, other: Deed) -> dict[str, Any]:
    books = new_books(f"{one.__name__}, then {other.__name__}")
    do(one, books)
    do(other, books)
    return digest(books)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(one, other, id=f"{one.__name__}_and_{other.__name__}")
        for one, other in combinations(DEEDS, 2)
    ],
)
def test_two_at_once_come_to_what_one_after_the_other_would(
    one: Deed, other: Deed
) -> None:
    serial = [in_turn(one, other), in_turn(other, one)]

    for early, late in ((one, other), (other, one)):
        books = new_books(f"{early.__name__} beside {late.__name__}")
        codes = run_together(
            Job(work=first(early, books)), Job(work=second(late, books))
        )

        assert codes == [0, 0]
        assert digest(books) in serial
    assert broken_invariants() == []
