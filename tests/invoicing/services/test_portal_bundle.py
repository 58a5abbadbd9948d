"""The bundle of a portal: papers by name, the index, and the pairs (F3)."""

import csv
import zipfile
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO

import pytest

from contracts.models import Contract
from customfields.models import CustomField
from invoicing.models import PortalSubmission
from invoicing.queries.portal import missing_of, missing_of_group
from invoicing.services import portal_bundle
from invoicing.services.credits import credit_invoice
from invoicing.services.portal_bundle import (
    Bundle,
    BundleNotPossible,
    make_papers,
    plan_bundle,
    zip_chunks,
)
from tests.portal import ariba, entry_of, portal_group, portal_invoice

pytestmark = pytest.mark.django_db

JAN_9 = date(2026, 1, 9)


@pytest.fixture(autouse=True)
def paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do without the seconds that real papers cost."""
    monkeypatch.setattr(
        portal_bundle,
        "document_pdf",
        lambda submission: f"%PDF {submission}".encode(),
    )


def opened(bundle: Bundle) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(b"".join(zip_chunks(bundle))))


def index(bundle: Bundle) -> list[dict[str, str]]:
    text = opened(bundle).read("index.csv").decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


def field(owner: str, key: str) -> None:
    CustomField.objects.create(object=owner, key=key, label=key.title(), kind="TEXT")


def test_f3_bundle_holds_each_paper_under_the_name_the_portal_asks_for() -> None:
    group = portal_group(ariba(file_pattern="{po_number}_{number}"), po_number="PO/7")
    invoice = portal_invoice(group)

    bundle = plan_bundle([entry_of(invoice)])

    with opened(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["index.csv", "PO_7_INV-000001.pdf"]
        assert archive.read("PO_7_INV-000001.pdf") == b"%PDF INV-000001"
    assert bundle.file_name == "Ariba-bundle.zip"


def test_f3_index_shows_the_chosen_columns_and_no_formula() -> None:
    field("BILL_GROUP", "portal_id")
    field("CONTRACT", "order")
    columns = [
        ["Invoice", "number"],
        ["PO", "po_number"],
        ["Supplier", "bill_group.portal_id"],
        ["Order", "contract.order"],
        ["Total", "total"],
        ["Contracts", "contracts"],
    ]
    group = portal_group(ariba(columns=columns), po_number='=HYPERLINK("http://x")')
    group.custom_fields = {"portal_id": "+49"}
    group.save()
    entry = entry_of(portal_invoice(group))
    contract = Contract.objects.get()
    contract.custom_fields = {"order": "@cmd"}
    contract.save()

    (row,) = index(plan_bundle([entry]))

    assert row == {
        "Invoice": "INV-000001",
        "PO": '\'=HYPERLINK("http://x")',
        "Supplier": "'+49",
        "Order": "'@cmd",
        "Total": "100.00",
        "Contracts": contract.number,
    }


def test_f3_credit_note_and_its_invoice_go_together() -> None:
    invoice = portal_invoice()
    note = credit_invoice(
        invoice=invoice, reason="x", actor=None, today=JAN_9, amount=Decimal(40)
    )

    bundle = plan_bundle([PortalSubmission.objects.get(credit_note=note)])

    assert [(str(e.submission), e.is_added) for e in bundle.entries] == [
        (invoice.number, True),
        (note.number, False),
    ]
    credited = index(bundle)[1]
    assert (credited["Kind"], credited["Credits"]) == ("credit note", invoice.number)
    assert credited["Total"] == "40.00"


def test_f3_bundle_of_two_portals_is_refused() -> None:
    one = entry_of(portal_invoice())
    other = entry_of(portal_invoice(portal_group(ariba(name="Coupa"))))

    with pytest.raises(BundleNotPossible, match="several portals: Ariba, Coupa"):
        plan_bundle([one, other])


def test_f3_bundle_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = entry_of(portal_invoice())
    monkeypatch.setattr(portal_bundle, "MOST_BYTES", 3)
    with pytest.raises(BundleNotPossible, match="Choose fewer"):
        make_papers(plan_bundle([entry]))

    monkeypatch.setattr(portal_bundle, "MOST_DOCUMENTS", 0)
    with pytest.raises(BundleNotPossible, match="at most 0"):
        plan_bundle([entry])


def test_f3_what_is_missing_is_the_same_before_and_after_the_invoice() -> None:
    field("BILL_GROUP", "portal_id")
    field("CONTRACT", "order")
    group = portal_group(
        ariba(
            required_fields=["bill_group.portal_id", "contract.order"],
            customer_tax_id_required=True,
        ),
        po_number="",
    )
    entry = entry_of(portal_invoice(group))
    group.refresh_from_db()

    before = [one.text for one in missing_of_group(group)]
    after = [one.text for one in missing_of([entry])[entry.pk]]

    assert before == after
    assert before == [
        "PO number",
        "Tax id of the customer",
        f"Portal_Id of {group.name}",
        f"Order of {Contract.objects.get().number}",
    ]


def test_f3_archived_field_is_asked_for_no_more() -> None:
    field("BILL_GROUP", "portal_id")
    group = portal_group(ariba(required_fields=["bill_group.portal_id"]))
    assert len(missing_of_group(group)) == 1

    CustomField.objects.update(archived=True)

    assert missing_of_group(group) == ()


def test_f3_bundle_holds_the_credit_note_under_the_name_the_portal_asks_for() -> None:
    group = portal_group(ariba(file_pattern="{po_number}_{kind}_{number}"))
    invoice = portal_invoice(group)
    note = credit_invoice(
        invoice=invoice, reason="x", actor=None, today=JAN_9, amount=Decimal(40)
    )

    bundle = plan_bundle([entry_of(invoice)])

    named = f"PO-7_credit-note_{note.number}.pdf"
    with opened(bundle) as archive:
        assert archive.namelist() == [
            "index.csv",
            f"PO-7_invoice_{invoice.number}.pdf",
            named,
        ]
        assert archive.read(named) == f"%PDF {note.number}".encode()
    assert [row["File"] for row in index(bundle)][1] == named
