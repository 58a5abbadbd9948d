"""What the database refuses of documents and trail, even to raw SQL (M2, M3, M5)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import AuditEvent, InvoicingSettings
from invoicing.models import (
    Invoice,
    InvoiceLine,
    InvoiceRevision,
    InvoiceRun,
    NumberSeries,
    ParkedBillGroup,
)
from invoicing.services.generation import run_invoicing
from invoicing.services.payments import record_payment
from tests.books import sold

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)


@pytest.fixture
def invoice() -> Invoice:
    sold(today=JAN_1)
    run_invoicing(as_of=JAN_1)
    return Invoice.objects.get()


@pytest.fixture
def draft() -> Invoice:
    contract = sold(today=JAN_1)
    InvoicingSettings.objects.create(
        legal_entity=contract.bill_group.legal_entity, review_before_issue=True
    )
    run_invoicing(as_of=JAN_1)
    return Invoice.objects.get()


def refused(work: Callable[[], object], *, match: str) -> None:
    """Do something that the database must refuse, with these words."""

    def work_and_check_keys() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            work()
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match=match):
        work_and_check_keys()


@pytest.mark.parametrize(
    "change",
    [
        {"total": 1, "subtotal": 1},
        {"number": "INV-9"},
        {"issue_date": date(2026, 1, 2)},
        {"due_date": date(2027, 1, 1)},
        {"bill_to": {}},
        {"seller": {}},
        {"po_number": "PO-1"},
        {"currency": "EUR"},
        {"taxes": [{"tax": "1"}]},
        {"printed_fields": [1]},
        {"run": None},
        {"status": "DRAFT", "number": None, "sequence": None},
        {"status": "VOID", "number": None, "sequence": None},
    ],
    ids="-".join,
)
def test_m3_an_issued_invoice_never_changes(
    invoice: Invoice, change: dict[str, Any]
) -> None:
    refused(
        lambda: Invoice.objects.filter(pk=invoice.pk).update(**change),
        match="issued and does not change",
    )


def test_m3_what_is_paid_and_the_custom_fields_of_an_issued_invoice_change(
    invoice: Invoice,
) -> None:
    record_payment(
        bill_group=invoice.bill_group,
        amount=invoice.total,
        received_on=JAN_1,
        reference="",
        actor=None,
        today=JAN_1,
    )
    Invoice.objects.filter(pk=invoice.pk).update(custom_fields={"region": "north"})

    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_due) == ("PAID", 0)


@pytest.mark.parametrize("model", [Invoice, InvoiceLine])
def test_m3_nothing_issued_is_deleted(invoice: Invoice, model: Any) -> None:
    table = model._meta.db_table

    def delete() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608

    refused(delete, match="never deleted|does not change")


def test_m3_a_draft_is_not_deleted_either_and_void_is_final(draft: Invoice) -> None:
    refused(
        lambda: Invoice.objects.filter(pk=draft.pk)._raw_delete("default"),
        match="never deleted",
    )
    Invoice.objects.filter(pk=draft.pk).update(status="VOID")
    refused(
        lambda: Invoice.objects.filter(pk=draft.pk).update(status="DRAFT"),
        match="void and does not change",
    )


def test_m3_lines_of_an_issued_invoice_stand(invoice: Invoice) -> None:
    line = invoice.lines.get()
    refused(
        lambda: InvoiceLine.objects.filter(pk=line.pk).update(amount=1),
        match="issued invoice and does not change",
    )
    line.pk, line.charge_id = None, None
    refused(line.save, match="takes no further line")


def test_m3_a_line_can_leave_a_draft(draft: Invoice) -> None:
    InvoiceLine.objects.filter(invoice=draft).update(charge=None)

    assert draft.lines.get().charge is None


def test_m3_revisions_are_kept_as_they_are(invoice: Invoice) -> None:
    revision = InvoiceRevision.objects.create(
        invoice=invoice, revision=1, bill_to={}, pdf=b"%PDF", sha256="0"
    )
    revisions = InvoiceRevision.objects.filter(pk=revision.pk)
    refused(lambda: revisions.update(pdf=b""), match="append-only")
    refused(lambda: revisions._raw_delete("default"), match="append-only")


def test_m5_the_audit_trail_takes_new_entries_only(invoice: Invoice) -> None:
    events = AuditEvent.objects.filter(invoice_id=invoice.pk)
    assert events.count() == 1
    refused(lambda: events.update(reason="nothing happened"), match="append-only")
    refused(lambda: events._raw_delete("default"), match="append-only")


@pytest.mark.parametrize(
    "change",
    [
        {"next_sequence": 1},
        {"prefix": "X-"},
        {"digits": 3},
        {"first_sequence": 2},
        {"last_issue_date": date(2025, 12, 31)},
        {"last_issue_date": None},
    ],
    ids="-".join,
)
def test_m2_a_series_only_counts_up(invoice: Invoice, change: dict[str, Any]) -> None:
    series = NumberSeries.objects.filter(kind="INVOICE")
    refused(lambda: series.update(**change), match="only counts up")


def test_m2_a_series_with_numbers_is_never_deleted(invoice: Invoice) -> None:
    series = NumberSeries.objects.filter(kind="INVOICE")
    refused(lambda: series._raw_delete("default"), match="never deleted")


def test_a_series_without_numbers_can_be_set_up(invoice: Invoice) -> None:
    NumberSeries.objects.filter(kind="CREDIT_NOTE").update(prefix="GS-", digits=4)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"number": "INV-000001"}, "invoice_numbered_when_issued"),
        ({"status": "OPEN"}, "invoice_numbered_when_issued"),
        ({"total": Decimal(99)}, "invoice_total_is_subtotal_and_tax"),
        ({"paid": Decimal(101)}, "invoice_amounts_add_up"),
        ({"credited_paid": Decimal(1)}, "invoice_amounts_add_up"),
        ({"paid": Decimal(-1)}, "invoice_amounts_add_up"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_draft_keeps_its_constraints(
    draft: Invoice, change: dict[str, Any], constraint: str
) -> None:
    refused(
        lambda: Invoice.objects.filter(pk=draft.pk).update(**change), match=constraint
    )


@pytest.mark.parametrize(
    "change",
    [
        {"status": "PAID"},
        {"status": "CREDITED"},
        {"paid": Decimal(100)},
    ],
    ids=str,
)
def test_m9_open_means_that_something_is_due(
    invoice: Invoice, change: dict[str, Any]
) -> None:
    refused(
        lambda: Invoice.objects.filter(pk=invoice.pk).update(**change),
        match="invoice_open_while_something_is_due",
    )


def test_one_charge_stands_on_one_invoice(invoice: Invoice) -> None:
    line = invoice.lines.get()
    other = Invoice.objects.create(
        legal_entity=invoice.legal_entity,
        account=invoice.account,
        bill_group=invoice.bill_group,
        status="DRAFT",
        bill_date=JAN_1,
        net_terms=30,
        currency="USD",
        subtotal=100,
        tax=0,
        total=100,
        full_price_subtotal=100,
        bill_to={},
        seller={},
        language="en",
    )
    line.pk, line.invoice = None, other
    refused(line.save, match="charge_id")


def test_an_invoice_is_replaced_once(invoice: Invoice) -> None:
    def replacement() -> Invoice:
        return Invoice(
            legal_entity=invoice.legal_entity,
            account=invoice.account,
            bill_group=invoice.bill_group,
            status="DRAFT",
            bill_date=JAN_1,
            net_terms=30,
            currency="USD",
            subtotal=0,
            tax=0,
            total=0,
            full_price_subtotal=0,
            bill_to={},
            seller={},
            language="en",
            replaces=invoice,
        )

    replacement().save()

    refused(lambda: replacement().save(), match="invoice_replaced_once")


def test_g12_only_one_run_of_a_date_is_open(invoice: Invoice) -> None:
    run = InvoiceRun.objects.create(legal_entity=invoice.legal_entity, as_of=JAN_1)

    refused(
        lambda: InvoiceRun.objects.create(
            legal_entity=run.legal_entity, as_of=run.as_of
        ),
        match="run_one_open_a_date",
    )


def test_g13_a_group_is_parked_once_at_a_time(invoice: Invoice) -> None:
    ParkedBillGroup.objects.create(bill_group=invoice.bill_group, reason="One")

    refused(
        lambda: ParkedBillGroup.objects.create(
            bill_group=invoice.bill_group, reason="Two"
        ),
        match="parked_once_at_a_time",
    )


@pytest.mark.parametrize(
    "table", ["billing_billgroup", "billing_account", "billing_legalentity"]
)
def test_what_an_invoice_refers_to_is_not_deleted(invoice: Invoice, table: str) -> None:
    def delete() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608

    refused(delete, match="violates foreign key")
