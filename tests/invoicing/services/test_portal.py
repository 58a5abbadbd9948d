"""Documents enter the worklist at their issue and go their way, step by step (F3)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from billing.models import AuditEvent, InvoicingSettings, PortalProfile
from billing.services.reasons import ReasonMissing
from invoicing.domain.portal import PortalState
from invoicing.models import (
    CreditNote,
    Delivery,
    Invoice,
    PortalFile,
    PortalStep,
    PortalSubmission,
)
from invoicing.services.credit_decisions import void_credit_note
from invoicing.services.credits import credit_invoice
from invoicing.services.drafts import issue_draft
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import record_payment
from invoicing.services.payments_taken_back import take_back_payment
from invoicing.services.portal import (
    StepIncomplete,
    accept_documents,
    dispute_documents,
    submit_documents,
    withdraw_documents,
)
from invoicing.services.portal_files import CheckedFile
from tests.books import broken_invariants, sold
from tests.factories import BillGroupFactory, UserFactory
from tests.portal import ariba, entry_of, portal_group, portal_invoice
from tests.staff import company

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
JAN_9 = date(2026, 1, 9)
PROOF = CheckedFile(name="shot.png", content_type="image/png", content=b"png")


def submit(*rows: PortalSubmission, **fields: Any) -> Any:
    given: dict[str, Any] = {
        "reference": "AR-1",
        "on": JAN_9,
        "actor": UserFactory.create(),
        "today": JAN_9,
    }
    return submit_documents(submissions=rows, **{**given, **fields})


def paid(invoice: Invoice) -> Any:
    return record_payment(
        bill_group=invoice.bill_group,
        amount=invoice.amount_due,
        received_on=JAN_9,
        reference="",
        actor=None,
        today=JAN_9,
    )


def test_f3_issued_invoice_of_a_portal_enters_the_worklist_and_is_not_mailed() -> None:
    invoice = portal_invoice()

    entry = entry_of(invoice)
    assert (entry.state, entry.issue_date) == ("TO_SUBMIT", JAN_1)
    assert entry.portal.name == "Ariba"
    assert Delivery.objects.get().recipient == ""
    assert broken_invariants() == []


@pytest.mark.parametrize(
    ("delivery", "entries", "recipient"),
    [
        ("BOTH", 1, "billing@customer.example"),
        ("EMAIL", 0, "billing@customer.example"),
        ("NONE", 0, ""),
    ],
)
def test_g11_delivery_decides(delivery: str, entries: int, recipient: str) -> None:
    portal_invoice(portal_group(delivery=delivery))

    assert PortalSubmission.objects.count() == entries
    assert Delivery.objects.get().recipient == recipient
    assert broken_invariants() == []


def test_f3_run_writes_all_entries_of_a_batch_with_one_statement() -> None:
    company()
    for _ in range(3):
        sold(today=JAN_1, bill_group=portal_group())
    sold(today=JAN_1, bill_group=BillGroupFactory.create())

    with CaptureQueriesContext(database) as queries:
        run_invoicing(as_of=JAN_1)

    assert PortalSubmission.objects.count() == 3
    writes = [q for q in queries if "COPY invoicing_portalsubmission" in q["sql"]]
    assert len(writes) <= 1
    assert broken_invariants() == []


def test_f3_draft_enters_the_worklist_only_when_it_is_issued() -> None:
    entity = company()
    InvoicingSettings.objects.create(legal_entity=entity, review_before_issue=True)
    sold(today=JAN_1, bill_group=portal_group())
    run_invoicing(as_of=JAN_1)
    assert not PortalSubmission.objects.exists()

    issue_draft(invoice=Invoice.objects.get(), actor=None, today=JAN_9)

    assert PortalSubmission.objects.get().issue_date == JAN_9
    assert broken_invariants() == []


def test_f3_credit_note_follows_its_invoice_even_when_the_group_left_the_portal() -> (
    None
):
    invoice = portal_invoice()
    group = invoice.bill_group
    group.delivery = "EMAIL"
    group.save()

    note = credit_invoice(invoice=invoice, reason="x", actor=None, today=JAN_9)

    assert PortalSubmission.objects.get(credit_note=note).invoice_id == invoice.pk
    assert broken_invariants() == []


def test_f3_voided_credit_note_leaves_the_worklist_unless_it_was_submitted() -> None:
    invoice = portal_invoice()
    waiting, uploaded = (
        credit_invoice(
            invoice=invoice, reason="x", actor=None, today=JAN_9, amount=Decimal(5)
        )
        for _ in range(2)
    )
    submit(PortalSubmission.objects.get(credit_note=uploaded))

    for note in (waiting, uploaded):
        void_credit_note(note=note, reason="mistake", actor=None, today=JAN_9)

    states = dict(PortalSubmission.objects.values_list("credit_note", "state"))
    assert states[waiting.pk] == "WITHDRAWN"
    assert states[uploaded.pk] == "SUBMITTED"
    assert broken_invariants() == []


def test_f3_steps_are_kept_with_their_proof_and_audited() -> None:
    entry = entry_of(portal_invoice())

    submit(entry, note="Batch 4", file=PROOF)

    entry.refresh_from_db()
    step = PortalStep.objects.get()
    assert (entry.state, entry.reference, entry.step_date) == (
        "SUBMITTED",
        "AR-1",
        JAN_9,
    )
    assert (step.note, step.file and step.file.name) == ("Batch 4", "shot.png")
    event = AuditEvent.objects.get(code="portal.submitted")
    assert event.invoice_id == entry.invoice_id
    assert (event.before["state"], event.after["state"]) == ("TO_SUBMIT", "SUBMITTED")
    assert event.after["sha256"] == PROOF.sha256


def test_f3_paid_follows_the_payment_and_back() -> None:
    invoice = portal_invoice()
    entry = entry_of(invoice)
    submit(entry)
    payment = paid(invoice)
    assert entry_of(invoice).standing == PortalState.PAID

    take_back_payment(payment=payment, reason="bounced", actor=None, today=JAN_9)

    assert entry_of(invoice).standing == PortalState.SUBMITTED


def test_f3_dispute_is_settled_by_another_upload() -> None:
    entry = entry_of(portal_invoice())
    actor = UserFactory.create()
    submit(entry)
    dispute_documents(
        submissions=[entry], reason="PO closed", on=JAN_9, actor=actor, today=JAN_9
    )
    submit(entry, reference="AR-2")
    accept_documents(submissions=[entry], on=JAN_9, actor=actor, today=JAN_9)

    entry.refresh_from_db()
    assert (entry.state, entry.reference) == ("ACCEPTED", "AR-2")
    assert list(entry.steps.order_by("pk").values_list("state", flat=True)) == [
        "SUBMITTED",
        "DISPUTED",
        "SUBMITTED",
        "ACCEPTED",
    ]
    assert broken_invariants() == []


def test_f3_of_several_those_take_the_step_that_can() -> None:
    able, done = entry_of(portal_invoice()), entry_of(portal_invoice())
    submit(done)

    taken = submit(able, done, reference="AR-9", file=PROOF)

    assert [row.pk for row in taken.done] == [able.pk]
    (refused,) = taken.refused
    assert "is submitted. Only one that is to submit" in refused
    done.refresh_from_db()
    assert done.reference == "AR-1"
    assert PortalFile.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"reference": " "}, "Give the reference", id="no_reference"),
        pytest.param({"reference": "A\x00B"}, "invisible character", id="null"),
        pytest.param({"reference": "A\nB"}, "line break", id="line_break"),
        pytest.param({"reference": "\u202eAR"}, "invisible character", id="direction"),
        pytest.param({"reference": "x" * 101}, "more than 100", id="long"),
        pytest.param({"note": "a\x1bb"}, "invisible character", id="note"),
        pytest.param({"note": "x" * 2001}, "more than 2,000", id="long_note"),
    ],
)
def test_f3_step_that_says_nothing_is_refused(
    fields: dict[str, str], said: str
) -> None:
    entry = entry_of(portal_invoice())

    with pytest.raises(StepIncomplete, match=said):
        submit(entry, **fields)

    assert not PortalStep.objects.exists()


@pytest.mark.parametrize("on", [date(2026, 1, 10), date(2025, 12, 31)])
def test_f3_step_on_an_impossible_day_is_refused(on: date) -> None:
    entry = entry_of(portal_invoice())

    taken = submit(entry, on=on)

    assert taken.done == ()
    assert len(taken.refused) == 1
    assert not PortalStep.objects.exists()


def test_f3_dispute_and_withdrawal_need_a_reason() -> None:
    entry = entry_of(portal_invoice())
    submit(entry)
    given = {"submissions": [entry], "reason": " \n", "on": JAN_9, "today": JAN_9}

    for step in (dispute_documents, withdraw_documents):
        with pytest.raises(ReasonMissing, match="document"):
            step(**given, actor=UserFactory.create())  # type: ignore[arg-type]


def test_f3_database_refuses_a_portal_group_without_its_portal() -> None:
    group = portal_group()
    group.portal = None

    with (
        pytest.raises(IntegrityError, match="bill_group_by_portal_names_it"),
        transaction.atomic(),
    ):
        group.save()


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://ariba.example", "https://u:p@x.example"]
)
def test_f3_database_refuses_an_address_that_is_none_of_the_web(address: str) -> None:
    with (
        pytest.raises(IntegrityError, match="portal_profile_address"),
        transaction.atomic(),
    ):
        ariba(address=address)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_portalstep SET note = 'x'",
        "DELETE FROM invoicing_portalstep",
        "UPDATE invoicing_portalfile SET name = 'x'",
        "DELETE FROM invoicing_portalsubmission",
        "UPDATE invoicing_portalsubmission SET issue_date = '2025-01-01'",
        "UPDATE invoicing_portalsubmission SET state = 'PAID'",
        """INSERT INTO invoicing_portalfile
            (name, content_type, content, sha256, uploaded_by_name)
        VALUES ('x', 'x', 'x', 'x', 'x')""",
    ],
)
def test_f3_database_keeps_the_history(statement: str) -> None:
    submit(entry_of(portal_invoice()), file=PROOF)

    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        database.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_f3_document_is_in_the_worklist_once() -> None:
    entry = entry_of(portal_invoice())
    entry.pk = None

    with pytest.raises(IntegrityError, match="invoice_once"), transaction.atomic():
        entry.save(force_insert=True)


def test_f3_replacement_and_credit_note_enter_too() -> None:
    invoice = portal_invoice()
    credit_invoice(invoice=invoice, reason="x", actor=None, today=JAN_9)

    assert PortalSubmission.objects.filter(invoice=invoice).count() == 2
    assert CreditNote.objects.get().portal_submissions.count() == 1
    assert PortalProfile.objects.count() == 1
