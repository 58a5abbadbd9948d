"""Each invariant of the books is seen broken once, planted past the guards."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from invoicing.models import Invoice
from invoicing.services.books import EVERY_INVARIANT, check_books
from invoicing.services.credits import credit_invoice
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import record_payment
from invoicing.services.portal import submit_documents
from tests.books import broken_invariants, sold
from tests.factories import BillGroupFactory, UserFactory, tax_rate
from tests.portal import entry_of, portal_invoice

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
FEB_1 = date(2026, 2, 1)
MAR_1 = date(2026, 3, 1)

# What breaks each invariant; with triggers, keys and checks out of force.
CORRUPTIONS = {
    "no_day_charged_twice": """
        UPDATE contracts_scheduledcharge SET period_end = period_end + 3
        WHERE id = (SELECT min(id) FROM contracts_scheduledcharge
                    WHERE state = 'PENDING')""",
    "no_day_lost": """
        UPDATE contracts_scheduledcharge SET state = 'CANCELED'
        WHERE id = (SELECT min(id) FROM contracts_scheduledcharge
                    WHERE state = 'PENDING')""",
    "late_usage_has_its_period": """
        INSERT INTO contracts_scheduledcharge
            (contract_line_id, contract_id, bill_group_id, period_start, period_end,
             bill_date, in_advance, quantity, discount_percent, amount, state,
             external_number, late_for_id)
        SELECT contract_line_id, contract_id, bill_group_id, period_start, period_end,
               bill_date, false, 1, 0, 1, 'PENDING', '', id
        FROM contracts_scheduledcharge WHERE state = 'PENDING' ORDER BY id LIMIT 1""",
    "plan_covers_the_term": """
        UPDATE contracts_scheduledcharge SET state = 'CANCELED'
        WHERE id IN (SELECT max(id) FROM contracts_scheduledcharge)""",
    "evergreen_plan_goes_on": """
        UPDATE contracts_contract SET end_date = NULL WHERE status = 'ACTIVE'""",
    "charge_fits_its_contract": """
        UPDATE contracts_scheduledcharge
        SET contract_id = (SELECT max(id) FROM contracts_contract)
        WHERE id = (SELECT min(id) FROM contracts_scheduledcharge
                    WHERE state = 'PENDING')""",
    "draft_contract_has_no_charges": """
        UPDATE contracts_contract SET status = 'DRAFT' WHERE status = 'ACTIVE'""",
    "invoiced_charge_has_its_line": """
        UPDATE contracts_scheduledcharge SET state = 'INVOICED'
        WHERE id = (SELECT min(id) FROM contracts_scheduledcharge
                    WHERE state = 'PENDING')""",
    "drafted_charge_is_on_a_draft": """
        UPDATE contracts_scheduledcharge SET state = 'DRAFTED'
        WHERE id = (SELECT min(id) FROM contracts_scheduledcharge
                    WHERE state = 'PENDING')""",
    "line_says_what_its_charge_says": """
        UPDATE contracts_scheduledcharge SET quantity = 7
        WHERE id = (SELECT min(id) FROM contracts_scheduledcharge
                    WHERE state = 'INVOICED')""",
    "issued_line_has_its_charge": """
        UPDATE contracts_scheduledcharge SET amount = 0, quantity = 0
        WHERE id = (SELECT min(charge_id) FROM invoicing_invoiceline);
        UPDATE invoicing_invoiceline SET charge_id = NULL
        WHERE charge_id = (SELECT min(charge_id) FROM invoicing_invoiceline)""",
    "subtotal_is_sum_of_lines": """
        UPDATE invoicing_invoice SET subtotal = subtotal - 1, tax = tax + 1,
            taxes = jsonb_set(taxes, '{0,tax}', to_jsonb((tax + 1)::text))
        WHERE sequence = 1""",
    "tax_is_sum_of_its_rates": """
        UPDATE invoicing_invoice SET tax = tax + 1, total = total + 1
        WHERE sequence = 1""",
    "taxable_is_sum_of_lines_of_its_rate": """
        UPDATE invoicing_invoice SET taxes = jsonb_set(taxes, '{0,taxable}', '"1"')
        WHERE sequence = 1""",
    "amounts_have_their_currencys_digits": """
        UPDATE invoicing_invoice SET tax = tax + 0.001, total = total + 0.001,
            taxes = jsonb_set(taxes, '{0,tax}', to_jsonb((tax + 0.001)::text))
        WHERE sequence = 1""",
    "invoice_fits_its_bill_group": """
        UPDATE billing_billgroup SET currency = 'EUR'""",
    "numbers_are_gapless": """
        UPDATE invoicing_invoice SET sequence = 9, number = 'INV-000009'
        WHERE sequence = 3""",
    "issued_invoice_has_its_series": """
        UPDATE invoicing_invoice SET number = 'INV-1' WHERE sequence = 1""",
    "dates_rise_with_numbers": """
        UPDATE invoicing_invoice SET issue_date = '2026-03-01',
            due_date = '2026-04-01' WHERE sequence = 1""",
    "issued_invoice_is_audited": """
        DELETE FROM billing_auditevent WHERE code = 'invoice.issued'""",
    "issued_invoice_gets_its_paper": """
        DELETE FROM invoicing_delivery WHERE invoice_id IS NOT NULL""",
    "paper_is_unchanged": """
        INSERT INTO invoicing_invoicerevision
            (invoice_id, revision, bill_to, reason, made_by_name, pdf, sha256)
        SELECT id, 1, '{}', '', '', 'paper', 'another' FROM invoicing_invoice""",
    "billed_elsewhere_is_not_billed_here": """
        UPDATE contracts_scheduledcharge SET state = 'EXTERNAL'
        WHERE id = (SELECT min(id) FROM contracts_scheduledcharge
                    WHERE state = 'INVOICED')""",
    "finished_run_has_no_open_batch": """
        UPDATE invoicing_runbatch SET is_open = true""",
    "nothing_issued_in_a_closed_month": """
        INSERT INTO billing_accountingperiod (legal_entity_id, month, state)
        SELECT id, '2026-01-01', 'CLOSED' FROM billing_legalentity;
        INSERT INTO billing_auditevent
            (at, actor_name, code, subject, before, after, reason)
        SELECT now() - interval '1 day', '', 'period.closed', '', '{}',
            jsonb_build_object('period', id), ''
        FROM billing_accountingperiod""",
    "claim_is_what_was_booked": """
        UPDATE invoicing_invoice SET paid = paid - 1, balance_applied = 1
        WHERE sequence = 3""",
    "status_follows_the_claim": """
        UPDATE invoicing_invoice SET status = 'CREDITED' WHERE sequence = 3""",
    "credit_is_sum_of_its_lines": """
        UPDATE invoicing_creditnoteline SET amount = amount - 1""",
    "no_line_is_credited_beyond_itself": """
        UPDATE invoicing_creditnoteline SET amount = 1000;
        UPDATE invoicing_creditnote SET subtotal = 1000, total = 1000 + tax,
            due_part = 1000 + tax - paid_part""",
    "credit_numbers_are_gapless": """
        UPDATE invoicing_creditnote SET sequence = 9 WHERE sequence = 2""",
    "credit_dates_rise_with_numbers": """
        UPDATE invoicing_creditnote SET issue_date = '2026-02-28'
        WHERE sequence = 2""",
    "what_credits_gave_back_is_balance": """
        UPDATE invoicing_balanceentry SET amount = amount + 1
        WHERE credit_note_id IS NOT NULL""",
    "payment_is_divided_whole": """
        UPDATE invoicing_payment SET amount = amount + 1""",
    "balance_says_what_was_used": """
        UPDATE invoicing_balanceentry SET used = used - 1
        WHERE credit_note_id IS NOT NULL""",
    "balance_says_what_was_withdrawn": """
        INSERT INTO invoicing_balancewithdrawal (entry_id, amount, withdrawn_on)
        SELECT id, 1, '2026-02-28' FROM invoicing_balanceentry
        WHERE credit_note_id IS NOT NULL""",
    "money_stays_in_its_bill_group": """
        UPDATE invoicing_payment SET currency = 'EUR'""",
    "issued_credit_is_audited": """
        DELETE FROM billing_auditevent WHERE code = 'credit_note.issued'""",
    "issued_credit_gets_its_paper": """
        DELETE FROM invoicing_delivery WHERE credit_note_id IS NOT NULL""",
    "mail_follows_its_paper": """
        UPDATE invoicing_delivery SET state = 'SENT', recipient = 'a@b.example'
        WHERE credit_note_id IS NOT NULL""",
    "mail_went_with_a_paper": """
        INSERT INTO invoicing_delivery (credit_note_id, kind, state, recipient)
        SELECT id, 'EMAIL', 'SENT', 'a@b.example' FROM invoicing_creditnote""",
    "credit_paper_is_unchanged": """
        INSERT INTO invoicing_creditnoterevision (credit_note_id, is_void, pdf, sha256)
        SELECT id, false, 'paper', 'another' FROM invoicing_creditnote""",
    "balance_at_issue_is_of_that_day": """
        UPDATE invoicing_balanceuse SET at_issue = true, used_on = used_on + 1""",
    "portal_invoice_is_in_the_worklist": """
        UPDATE billing_billgroup SET portal_since = '2000-01-01'
        WHERE delivery = 'PORTAL';
        DELETE FROM invoicing_portalstep;
        DELETE FROM invoicing_portalsubmission WHERE credit_note_id IS NULL""",
    "portal_credit_note_is_with_its_invoice": """
        DELETE FROM invoicing_portalsubmission WHERE credit_note_id IS NOT NULL""",
    "portal_entry_fits_its_document": """
        UPDATE invoicing_portalsubmission SET issue_date = issue_date - 1""",
    "portal_state_is_that_of_the_last_step": """
        UPDATE invoicing_portalsubmission SET state = 'ACCEPTED'""",
    "portal_step_is_audited": """
        DELETE FROM billing_auditevent WHERE code = 'portal.submitted'""",
}
# A corruption may break a second invariant, where one can't be had without the other.
ALSO_BROKEN = {
    "no_line_is_credited_beyond_itself": {"claim_is_what_was_booked"},
    "billed_elsewhere_is_not_billed_here": {"line_says_what_its_charge_says"},
}


@contextmanager
def no_guards() -> Iterator[None]:
    """Do without triggers and foreign keys."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.fixture
def books() -> None:
    """Three nights of a bill group with tax; the last is paid and credited twice."""
    group = BillGroupFactory.create()
    lines = [{"unit_price": Decimal(100), "tax_rate": tax_rate("19")}]
    sold(today=JAN_1, bill_group=group, lines=lines)
    sold(today=JAN_1, bill_group=group, start_date=date(2026, 6, 1))
    run_invoicing(as_of=JAN_1)
    run_invoicing(as_of=FEB_1)
    run_invoicing(as_of=date(2026, 3, 1))
    paid = Invoice.objects.get(sequence=3)
    record_payment(
        bill_group=group,
        amount=paid.total,
        received_on=FEB_1,
        reference="",
        actor=None,
        today=date(2026, 3, 1),
        chosen={paid.pk: paid.total},
    )
    for _ in range(2):
        credit_invoice(
            invoice=paid,
            reason="Less",
            actor=None,
            today=date(2026, 3, 1),
            lines={paid.lines.get().pk: Decimal(10)},
        )
    in_a_portal()


def in_a_portal() -> None:
    """An invoice of another customer in its portal, submitted and credited."""
    invoice = portal_invoice(today=MAR_1)
    submit_documents(
        submissions=[entry_of(invoice)],
        reference="AR-1",
        on=MAR_1,
        actor=UserFactory.create(),
        today=MAR_1,
    )
    credit_invoice(
        invoice=invoice, reason="x", actor=None, today=MAR_1, amount=Decimal(5)
    )


def test_every_invariant_has_its_corruption() -> None:
    assert set(CORRUPTIONS) == {invariant.name for invariant in EVERY_INVARIANT}


def test_good_books_break_nothing(books: None) -> None:
    assert broken_invariants() == []


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_invariant_finds_what_breaks_it(books: None, name: str) -> None:
    with no_guards(), connection.cursor() as cursor:
        cursor.execute(CORRUPTIONS[name])

    assert set(broken_invariants()) == {name} | ALSO_BROKEN.get(name, set())
    (found,) = [broken for broken in check_books() if broken.invariant.name == name]
    assert found.count >= 1
    assert found.examples
