"""What the database refuses of papers and their sending (M3, M4, M7).

Raw statements go past every service. Each test fails where its constraint or trigger
is missing.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import BillGroup
from invoicing.models import (
    BalanceEntry,
    BalanceUse,
    CreditLimit,
    CreditNote,
    CreditNoteRevision,
    Delivery,
    Invoice,
)
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.credits import credit_invoice
from invoicing.services.documents import store_revision
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import record_payment
from tests.books import sold

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, TODAY = date(2026, 1, 1), date(2026, 1, 20)


def refused(statement: str, *parameters: Any) -> bool:
    """Whether a statement is refused, at once or at the end of its transaction."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            assert cursor.rowcount
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError:
        return True
    return False


@pytest.fixture
def note() -> CreditNote:
    """A credit of a paid invoice of 100.00, whose money is balance."""
    contract = sold(
        today=date(2025, 12, 31), start_date=JAN_1, end_date=date(2026, 2, 28)
    )
    run_invoicing(as_of=JAN_1)
    invoice = Invoice.objects.get()
    record_payment(
        bill_group=BillGroup.objects.get(pk=contract.bill_group_id),
        amount=invoice.total,
        received_on=JAN_1,
        reference="",
        actor=None,
        today=JAN_1,
    )
    return credit_invoice(
        invoice=invoice, reason="Less", actor=None, today=JAN_1, amount=D(10)
    )


def keep_paper(note: CreditNote, *, is_void: bool = False) -> CreditNoteRevision:
    return CreditNoteRevision.objects.create(
        credit_note=note, is_void=is_void, pdf=b"%PDF", sha256="x"
    )


def test_m3_papers_of_a_credit_note_are_append_only(note: CreditNote) -> None:
    keep_paper(note)

    assert refused("UPDATE invoicing_creditnoterevision SET sha256 = 'y'")
    assert refused("DELETE FROM invoicing_creditnoterevision")
    with pytest.raises(IntegrityError), transaction.atomic():
        keep_paper(note)


def test_m3_no_paper_calls_a_standing_credit_note_void(note: CreditNote) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        keep_paper(note, is_void=True)

    void_credit_note(note=note, reason="Mistake", actor=None, today=TODAY)

    keep_paper(note, is_void=True)


def test_m3_a_credit_that_waits_has_no_paper(note: CreditNote) -> None:
    CreditLimit.objects.create(
        legal_entity=note.legal_entity, currency=note.currency, amount=0
    )
    waiting = credit_invoice(
        invoice=note.invoice, reason="More", actor=None, today=TODAY, amount=D(5)
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        keep_paper(waiting)


def use_as_at_issue(invoice: Invoice, used_on: date) -> None:
    BalanceUse.objects.create(
        entry=BalanceEntry.objects.get(),
        invoice=invoice,
        amount=D(1),
        used_on=used_on,
        at_issue=True,
    )


def test_m4_balance_of_another_day_is_not_called_used_at_issue(
    note: CreditNote,
) -> None:
    with pytest.raises(IntegrityError, match="before this balance"):
        use_as_at_issue(note.invoice, TODAY)


def test_m4_nor_once_the_paper_tells_what_is_due(note: CreditNote) -> None:
    store_revision(invoice=note.invoice, revision=1, bill_to={}, pdf=b"%PDF")

    with pytest.raises(IntegrityError, match="before this balance"):
        use_as_at_issue(note.invoice, JAN_1)


def test_m3_what_was_used_at_issue_stays_so(note: CreditNote) -> None:
    run_invoicing(as_of=date(2026, 2, 1))

    assert BalanceUse.objects.get().at_issue
    assert refused("UPDATE invoicing_balanceuse SET at_issue = false")


def test_m7_each_sending_is_once_a_kind(note: CreditNote) -> None:
    of_invoice = Delivery.objects.get(invoice__isnull=False)
    of_note = Delivery.objects.get(credit_note=note)

    for delivery in (of_invoice, of_note):
        delivery.pk = None
        delivery.sending = 2
        delivery.save(force_insert=True)
        delivery.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            delivery.save(force_insert=True)


@pytest.mark.parametrize("documents", [0, 2])
def test_m7_a_delivery_has_one_document(note: CreditNote, documents: int) -> None:
    owner = {"invoice": note.invoice, "credit_note": note} if documents else {}

    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(kind="PDF", sending=9, **owner)
