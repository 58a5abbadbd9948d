"""What invoices store and print of custom fields (F2)."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillGroup
from contracts.models import Contract
from invoicing.models import Invoice
from invoicing.queries.paper_fields import read_paper_fields
from invoicing.services.generation import run_invoicing
from invoicing.services.sheet import compose_sheet
from tests.books import broken_invariants, sold
from tests.customfields.fields import make_field
from tests.factories import AccountFactory, BillGroupFactory

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
ODD = 'Köln\t"x" \\N {a}\\'


def buyer(**group_values: Any) -> BillGroup:
    account = AccountFactory.create(custom_fields={"vendor": "V 7"})
    group: BillGroup = BillGroupFactory.create(
        account=account, custom_fields=group_values
    )
    return group


def test_f2_printed_fields_are_copied_in_order_and_stay_as_they_were() -> None:
    make_field("vendor", printed=True)
    make_field("cost_center", object="BILL_GROUP", printed=True, position=2)
    make_field("since", object="BILL_GROUP", kind="DATE", printed=True, position=1)
    make_field("secret", object="BILL_GROUP")
    make_field("gone", object="BILL_GROUP", printed=True, archived=True)
    order = make_field("order_number", object="CONTRACT", printed=True)
    group = buyer(cost_center="4410", since="2026-03-02", secret="x", gone="y")
    sold(today=JAN_1, bill_group=group, number="C-1")
    Contract.objects.update(custom_fields={"order_number": "PO/9"})

    run_invoicing(as_of=JAN_1)
    order.label = "Renamed"
    order.save()
    BillGroup.objects.update(custom_fields={})

    invoice = Invoice.objects.get()
    assert invoice.printed_fields == [
        {"key": "vendor", "label": "Vendor", "kind": "TEXT", "value": "V 7"},
        {"key": "since", "label": "Since", "kind": "DATE", "value": "2026-03-02"},
        {"key": "cost_center", "label": "Cost center", "kind": "TEXT", "value": "4410"},
        {
            "key": "order_number",
            "label": "Order number",
            "kind": "TEXT",
            "value": "PO/9",
            "contract": "C-1",
        },
    ]
    sheet = compose_sheet(invoice)
    ((left, right),) = sheet.notes
    assert [(f.label, f.value) for f in left] == [
        ("Vendor", "V 7"),
        ("Since", "2 Mar 2026"),
    ]
    assert [(f.label, f.value) for f in right] == [("Cost center", "4410")]
    assert [(f.label, f.value) for f in sheet.contracts[0].fields] == [
        ("Order number", "PO/9")
    ]
    assert broken_invariants() == []


@pytest.mark.parametrize("text", [ODD, "=1+1", "<b>x</b>", "株式会社"])
def test_any_text_arrives_as_it_was_written(text: str) -> None:
    make_field("cost_center", object="BILL_GROUP", printed=True)
    make_field("note", object="INVOICE", default="a 'b' \"c\" \\N")
    sold(today=JAN_1, bill_group=buyer(cost_center=text))

    run_invoicing(as_of=JAN_1)

    invoice = Invoice.objects.get()
    assert [entry["value"] for entry in invoice.printed_fields] == [text]
    assert invoice.custom_fields == {"note": "a 'b' \"c\" \\N"}


@pytest.mark.parametrize(
    ("language", "kind", "stored", "printed"),
    [
        ("en", "YES_NO", True, "Yes"),
        ("de", "YES_NO", False, "Nein"),
        ("fr", "YES_NO", True, "Oui"),
        ("es", "YES_NO", True, "Sí"),
        ("en", "NUMBER", "-1234.5", "−1,234.5"),  # noqa: RUF001 (a minus)
        ("de", "NUMBER", "1234.5", "1.234,5"),
        ("en", "URL", "https://a.example/b", "https://a.example/b"),
    ],
)
def test_values_are_printed_as_the_language_writes_them(
    language: str,
    kind: str,
    stored: str | bool,  # noqa: FBT001 (a case of the table)
    printed: str,
) -> None:
    make_field("x", object="BILL_GROUP", kind=kind, printed=True)
    group = buyer(x=stored)
    group.account.language = language
    group.account.save()
    sold(today=JAN_1, bill_group=group)

    run_invoicing(as_of=JAN_1)

    (((fact,), ()),) = compose_sheet(Invoice.objects.get()).notes
    assert fact.value == printed


def test_each_document_prints_the_fields_of_its_own_contracts() -> None:
    make_field("order_number", object="CONTRACT", printed=True)
    group = buyer()
    for number in ("C-1", "C-2", "C-3"):
        sold(today=JAN_1, bill_group=group, number=number)
    for contract in Contract.objects.exclude(number="C-2"):
        contract.custom_fields = {"order_number": f"of {contract.number}"}
        contract.save()

    run_invoicing(as_of=JAN_1)

    invoice = Invoice.objects.get()
    assert [
        (entry["contract"], entry["value"]) for entry in invoice.printed_fields
    ] == [
        ("C-1", "of C-1"),
        ("C-3", "of C-3"),
    ]


def test_reading_for_many_documents_takes_three_queries_however_many_fields() -> None:
    for number in range(30):
        for name in ("ACCOUNT", "BILL_GROUP", "CONTRACT", "INVOICE"):
            make_field(
                f"f{number}", object=name, printed=name != "INVOICE", default="x"
            )

    with CaptureQueriesContext(connection) as captured:
        read_paper_fields([])

    assert len(captured) == 3


def test_nothing_is_read_of_owners_when_nothing_is_printed() -> None:
    make_field("cost_center", object="BILL_GROUP")

    with CaptureQueriesContext(connection) as captured:
        read_paper_fields([])

    assert len(captured) == 1
