"""The Ariba story, from Settings to paid: a customer that wants uploads (F3)."""

import zipfile
from pathlib import Path

import pytest
from PIL import Image

from billing.models import BillGroup, PortalProfile
from config.clock import today_in
from customfields.models import CustomField
from invoicing.models import Invoice, PortalStep, PortalSubmission
from tests.books import broken_invariants
from tests.browser.conftest import Staff
from tests.factories import BillGroupFactory
from tests.staff import company, draft_contract

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

WORKLIST = "/admin/invoicing/portalsubmission/"


def group_of_a_portal_customer() -> BillGroup:
    """A customer with a contract to activate, mailed so far and without a PO number."""
    CustomField.objects.create(
        object="BILL_GROUP", key="ariba_id", label="Ariba network id", kind="TEXT"
    )
    group: BillGroup = BillGroupFactory.create(
        legal_entity=company(), name="Hamburg plant"
    )
    draft_contract(group, start=today_in("Europe/Berlin"))
    return group


def describe_ariba(staff: Staff) -> None:
    staff.open("/admin/billing/portalprofile/add/")
    staff.accept()
    for field in ("po_number_required", "required_fields"):
        assert abs(box_above_its_word(staff, field)) <= 2
    staff.fill("Name", "Ariba")
    staff.fill("Address", "javascript:alert(1)")
    staff.press("Save")
    assert "Start the web address with https://" in staff.text
    staff.accept()
    staff.fill("Address", "https://service.ariba.example/supplier")
    staff.page.get_by_label("Bill group: Ariba network id").check()
    staff.fill("File names", "{po_number}_{number}")
    staff.fill(
        "Columns", "Invoice = number\nNetwork id = bill_group.ariba_id\nTotal = total"
    )
    staff.press("Save")
    staff.accept()
    assert PortalProfile.objects.get().file_pattern == "{po_number}_{number}"


def box_above_its_word(staff: Staff, field: str) -> float:
    """Return how many pixels the middle of a box lies below that of its word."""
    box = staff.page.locator(f"input[name={field}]").first
    row = box.locator("xpath=ancestor-or-self::*[label or self::label][1]")
    return float(
        row.evaluate(
            """row => {
                const word = document.createRange();
                const label = row.matches("label") ? row : row.querySelector("label");
                word.selectNodeContents(label.lastChild);
                const middle = one => {
                    const { top, height } = one.getBoundingClientRect();
                    return top + height / 2;
                };
                return middle(row.querySelector("input")) - middle(word);
            }"""
        )
    )


def see_the_worklist(staff: Staff) -> None:
    """It opens with the document, whose state and money are on the screen."""
    staff.open(WORKLIST)
    staff.accept()
    assert staff.page.url.endswith("?state=TO_DO")
    row = staff.page.locator("#result_list tbody tr")
    width = (staff.page.viewport_size or {"width": 0})["width"]
    for cell in (".m1", ".m2", ".m3"):
        place = row.locator(cell).bounding_box()
        assert place is not None
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= width
    assert row.locator(".m6").is_visible() == staff.is_wide, "nothing is missing"


def deliver_by_ariba(staff: Staff, group: BillGroup) -> None:
    page = f"/admin/billing/billgroup/{group.pk}/change/"
    staff.open(page)
    staff.page.get_by_label("Delivery", exact=True).select_option("PORTAL")
    staff.press("Save")
    assert "Choose the portal" in staff.text
    staff.accept()
    staff.page.get_by_label("Portal", exact=True).select_option(label="Ariba")
    staff.press("Save")
    staff.open(page)
    assert "Ariba would reject the next invoice." in staff.text
    assert "Ariba network id of Hamburg plant" in staff.text
    staff.accept()
    staff.fill("PO number", "4500019934")
    staff.fill("Ariba network id", "AN0142")
    staff.press("Save")
    staff.open(page)
    assert "All that it asks for is there." in staff.text
    staff.accept()


def make_the_first_invoice(staff: Staff, group: BillGroup) -> PortalSubmission:
    contract = group.contracts.get()
    staff.open(f"/admin/contracts/contract/{contract.pk}/activate/")
    staff.press("Activate the contract")
    return PortalSubmission.objects.get()


def download_bundle(staff: Staff, folder: Path) -> list[str]:
    staff.open("/admin/")
    assert "To submit to a portal" in staff.text
    staff.open(f"{WORKLIST}?state=TO_SUBMIT")
    staff.accept()
    staff.page.locator("input.action-select").first.check()
    staff.press("Download bundle")
    staff.accept()
    assert "4500019934_INV-000001.pdf" in staff.text
    with staff.page.expect_download() as waiting:
        staff.page.get_by_role("button", name="Download the bundle").click()
    path = folder / "bundle.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("4500019934_INV-000001.pdf").startswith(b"%PDF-")
        assert b"INV-000001,AN0142,100.00" in archive.read("index.csv")
        return archive.namelist()


def test_ariba_from_settings_to_paid(staff: Staff, tmp_path: Path) -> None:
    group = group_of_a_portal_customer()
    describe_ariba(staff)
    deliver_by_ariba(staff, group)
    entry = make_the_first_invoice(staff, group)
    see_the_worklist(staff)

    if staff.is_wide:  # lists on phones have no boxes to choose rows
        assert len(download_bundle(staff, tmp_path)) == 2

    page = f"{WORKLIST}{entry.pk}/change/"
    staff.open(page)
    staff.accept()
    staff.press("Mark submitted")
    staff.accept()
    fake = tmp_path / "shot.png"
    fake.write_text("<html>")
    staff.fill("Reference", "AR-2026-77")
    staff.page.set_input_files("input[type=file]", fake)
    staff.press("Mark submitted")
    assert "The file is neither PNG" in staff.text
    staff.accept()
    Image.new("RGB", (40, 30), "white").save(fake)
    staff.page.set_input_files("input[type=file]", fake)
    staff.press("Mark submitted")
    assert "is marked submitted." in staff.page.inner_text("body")
    staff.accept()

    staff.press("Mark disputed")
    staff.fill("Reason", "The approver asks for the delivery note")
    staff.press("Mark disputed")
    staff.accept()
    staff.open("/admin/")
    assert "Disputed in a portal" in staff.text
    staff.accept()

    staff.open(f"{WORKLIST}?state=DISPUTED" if staff.is_wide else page)
    if staff.is_wide:
        staff.page.locator("input.action-select").first.check()
    staff.press("Mark accepted")
    staff.accept()
    staff.press("Mark these accepted" if staff.is_wide else "Mark accepted")
    assert PortalStep.objects.filter(state="ACCEPTED").count() == 1
    staff.accept()

    invoice = Invoice.objects.get()
    staff.open(f"/admin/invoicing/invoice/{invoice.pk}/record-payment/")
    staff.press("Review")
    staff.press("Record the payment")
    staff.open(page)
    assert f"{invoice} is paid." in staff.text
    staff.accept()
    with staff.page.expect_download() as waiting:
        staff.page.get_by_role("link", name="shot.png").click()
    assert waiting.value.suggested_filename == "shot.png"
    for path in (
        f"/admin/invoicing/invoice/{invoice.pk}/change/",
        f"/admin/billing/account/{group.account_id}/overview/",
        "/admin/billing/portalprofile/",
        f"{WORKLIST}?state=PAID",
    ):
        staff.open(path)
        staff.accept()
    assert broken_invariants() == []
