"""Editing the custom fields of invoices and of contracts in force (F2, M3, M5)."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from billing.models import AuditEvent
from config.adminsite.actions import CONFIRM, FINGERPRINT
from invoicing.models import Invoice
from invoicing.services.documents import ensure_revision
from tests.customfields.fields import make_field
from tests.factories import BillGroupFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)


@pytest.fixture
def invoice() -> Invoice:
    make_field("cost_center", object="BILL_GROUP", printed=True)
    make_field("checked", object="INVOICE", kind="YES_NO", default=False)
    make_field("remark", object="INVOICE", required=True)
    group = BillGroupFactory.create(
        legal_entity=company(), custom_fields={"cost_center": "4410"}
    )
    active_contract(group, today=JAN_1)
    return Invoice.objects.get()


def confirmed(client: Client, url: str, answers: dict[str, str]) -> Any:
    review: Any = client.post(url, answers)
    fingerprint = review.context["review"].fingerprint
    return client.post(url, answers | {CONFIRM: "1", FINGERPRINT: fingerprint})


def test_f2_own_fields_of_an_issued_invoice_change_with_an_audit_entry(
    invoice: Invoice,
) -> None:
    clerk = client_of("Finance clerk")
    url = f"/admin/invoicing/invoice/{invoice.pk}/edit-fields/"
    before = ensure_revision(invoice=invoice).sha256
    answers = {"cf_checked": "yes", "cf_remark": "Seen", "reason": "Month end"}

    review: Any = clerk.post(url, answers)
    assert [(f.label, f.value, f.note) for f in review.context["review"].figures] == [
        ("Checked", "Yes", "was: No"),
        ("Remark", "Seen", "was: blank"),
    ]
    invoice.refresh_from_db()
    assert invoice.custom_fields == {"checked": False}

    confirmed(clerk, url, answers)

    invoice.refresh_from_db()
    assert invoice.custom_fields == {"checked": True, "remark": "Seen"}
    assert [entry["value"] for entry in invoice.printed_fields] == ["4410"]
    assert ensure_revision(invoice=invoice).sha256 == before
    entry = AuditEvent.objects.get(code="invoice.fields_changed")
    assert (entry.invoice_id, entry.reason) == (invoice.pk, "Month end")
    assert entry.before == {"Checked": "no", "Remark": ""}
    assert entry.after == {"Checked": "yes", "Remark": "Seen"}
    page = clerk.get(f"/admin/invoicing/invoice/{invoice.pk}/change/").content.decode()
    assert "Seen" in page
    assert "4410" in page


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"cf_checked": "maybe", "cf_remark": "x"}, "Write yes or no."),
        ({"cf_checked": "no", "cf_remark": ""}, "Remark is required."),
        ({"cf_checked": "no", "cf_remark": "a\x07"}, "invisible character"),
    ],
)
def test_bad_values_are_refused_at_their_field(
    invoice: Invoice, answers: dict[str, str], said: str
) -> None:
    url = f"/admin/invoicing/invoice/{invoice.pk}/edit-fields/"

    answer = client_of("Finance clerk").post(url, answers)

    assert said in answer.content.decode()
    invoice.refresh_from_db()
    assert invoice.custom_fields == {"checked": False}


@pytest.mark.parametrize("role", ["Support", "Auditor"])
def test_fields_are_edited_by_finance_only(invoice: Invoice, role: str) -> None:
    url = f"/admin/invoicing/invoice/{invoice.pk}/edit-fields/"

    assert client_of(role).get(url).status_code == 403
    assert client_of(role).post(url, {"cf_remark": "x"}).status_code == 403


def test_nothing_changed_is_said(invoice: Invoice) -> None:
    Invoice.objects.update(custom_fields={"remark": "Seen"})
    url = f"/admin/invoicing/invoice/{invoice.pk}/edit-fields/"

    answer = client_of("Finance clerk").post(url, {"cf_remark": "Seen"})

    assert "Nothing is changed." in answer.content.decode()


def test_invoices_are_filtered_shown_and_exported_by_their_own_fields(
    invoice: Invoice,
) -> None:
    clerk = client_of("Finance clerk")
    Invoice.objects.update(custom_fields={"remark": "=Quicksilver", "checked": True})

    page = clerk.get("/admin/invoicing/invoice/?cf_checked=yes&q=quicksilver")
    assert b"=Quicksilver" in page.content
    none: Any = clerk.get("/admin/invoicing/invoice/?cf_checked=no")
    assert list(none.context["cl"].result_list) == []

    file: Any = clerk.get(
        "/admin/invoicing/invoice/export/?cf_checked=yes&q=quicksilver"
    )
    head, row = b"".join(file.streaming_content).decode().splitlines()
    assert head.endswith("amount_due,printed_fields,cf:checked,cf:remark")
    assert row.endswith(",Cost center: 4410,yes,'=Quicksilver")
    found: Any = clerk.get("/admin/search/?q=quicksilver")
    assert found.url == f"/admin/invoicing/invoice/{invoice.pk}/change/"


def test_f2_fields_of_a_contract_in_force_change_while_its_terms_stay() -> None:
    make_field("order_number", object="CONTRACT", printed=True)
    contract = active_contract(
        BillGroupFactory.create(legal_entity=company()), today=JAN_1
    )
    clerk = client_of("Finance clerk")

    confirmed(
        clerk,
        f"/admin/contracts/contract/{contract.pk}/edit-fields/",
        {"cf_order_number": "PO 9", "reason": ""},
    )

    version = contract.version
    contract.refresh_from_db()
    assert (contract.custom_fields, contract.version) == (
        {"order_number": "PO 9"},
        version,
    )
    entry = AuditEvent.objects.get(code="contract.fields_changed")
    assert (entry.contract_id, entry.after) == (contract.pk, {"Order number": "PO 9"})
    page = clerk.get(f"/admin/contracts/contract/{contract.pk}/change/")
    assert "PO 9" in page.content.decode()
