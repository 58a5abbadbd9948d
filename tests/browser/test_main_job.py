"""Contracts in from a CSV, invoices out: the main job, as staff does it on the screen.

Each page on the way is free of serious accessibility faults and console errors (the
Content-Security-Policy would be heard there), wide and narrow, light and dark.
"""

from pathlib import Path

import pytest

from billing.models import BillGroup
from contracts.models import Contract
from invoicing.models import Invoice, InvoiceRun
from tests.browser.conftest import Staff
from tests.staff import company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

CSV = """\
account_number,account_name,bill_group,contract_number,start_date,currency,product,\
charge_type,quantity,unit_price,tax_rate,country
ACC-1,Halden Robotics GmbH,Hamburg plant,C-1,{start},EUR,Platform,recurring,10,20.00,\
19,DE
ACC-1,Halden Robotics GmbH,Lund,C-2,{start},EUR,Platform,recurring,1,50.00,19,SE
"""
FAULTY = CSV.replace("EUR,Platform", "XXX,Platform").format(start="2026-01-01")


def first_of_month() -> str:
    from config.clock import today_in

    return today_in("Europe/Berlin").replace(day=1).isoformat()


def upload(staff: Staff, path: Path, text: str) -> None:
    path.write_text(text)
    staff.open("/admin/contracts/contractimport/upload/")
    staff.accept()
    staff.page.set_input_files("input[type=file]", path)
    staff.press("Upload and check")
    staff.accept()


def test_page_to_log_in_is_accepted(staff: Staff) -> None:
    staff.page.context.clear_cookies()
    staff.open("/admin/")
    staff.accept()

    assert "/login/" in staff.page.url


def test_staff_imports_generates_runs_explains_and_prints(
    staff: Staff, tmp_path: Path
) -> None:
    company()
    staff.open("/admin/")
    staff.accept()

    upload(staff, tmp_path / "faulty.csv", FAULTY)
    assert "can't be imported" in staff.text
    assert not Contract.objects.exists()

    upload(staff, tmp_path / "contracts.csv", CSV.format(start=first_of_month()))
    assert not Contract.objects.exists()
    staff.press("Import")
    staff.accept()
    assert not Contract.objects.exists()
    staff.press("Import the contracts")
    assert "2 contracts imported" in staff.text
    staff.accept()
    assert Contract.objects.filter(status="ACTIVE").count() == 2

    group = BillGroup.objects.get(name="Hamburg plant")
    made = Invoice.objects.filter(bill_group=group).count()
    staff.open(f"/admin/billing/account/{group.account_id}/overview/")
    assert "Why is there no invoice?" in staff.text
    staff.accept()

    staff.page.get_by_role(
        "link", name="Generate next invoice of Hamburg plant"
    ).click()
    staff.page.wait_for_load_state("load")
    staff.accept()
    staff.press("Generate and issue")
    assert "238.00 EUR invoiced" in staff.text
    staff.accept()
    assert Invoice.objects.filter(bill_group=group).count() == made + 1

    staff.open("/admin/invoicing/invoicerun/dry-run/")
    staff.accept()
    staff.press("Run tonight's invoicing now")
    staff.accept()
    staff.press("Run it now")
    assert "Done in" in staff.text
    staff.accept()
    assert InvoiceRun.objects.filter(state="FINISHED").count() == 1

    invoice = Invoice.objects.filter(bill_group=group).order_by("-pk")[0]
    staff.open(f"/admin/invoicing/invoice/{invoice.pk}/change/")
    assert str(invoice.number) in staff.text
    staff.accept()
    paper = staff.page.request.get(
        f"{staff.address}/admin/invoicing/invoice/{invoice.pk}/pdf/"
    )
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.body().startswith(b"%PDF-")


def test_staff_drafts_a_contract_line_by_line_and_activates_it(
    staff: Staff, tmp_path: Path
) -> None:
    from contracts.models import Product
    from tests.factories import BillGroupFactory

    group = BillGroupFactory.create(legal_entity=company())
    Product.objects.create(name="Platform")
    page = staff.page

    staff.open(f"/admin/contracts/contract/add/?bill_group={group.pk}")
    staff.accept()
    page.fill("#id_number", "C-77")
    page.fill("#id_start_date", first_of_month())
    page.select_option("#id_lines-0-product", label="Platform")
    page.fill("#id_lines-0-quantity", "3")
    page.fill("#id_lines-0-unit_price", "40")
    page.get_by_role("button", name="Add line").click()
    page.select_option("#id_lines-1-product", label="Platform")
    page.select_option("#id_lines-1-charge_type", "USAGE")
    assert not page.is_visible("#id_lines-1-quantity")
    page.fill("#id_lines-1-tiers", "graduated 100:0.50;*:0.30")
    staff.accept()
    staff.press("Save")

    contract = Contract.objects.get(number="C-77")
    assert contract.lines.count() == 2
    staff.open(f"/admin/contracts/contract/{contract.pk}/change/")
    staff.accept()
    staff.press("Activate")
    assert "No invoice is made now." in staff.text  # G5: a usage line
    staff.accept()
    staff.press("Activate the contract")
    staff.accept()
    contract.refresh_from_db()
    assert contract.status == "ACTIVE"


LISTS = (
    "/admin/billing/account/", "/admin/billing/billgroup/",
    "/admin/contracts/contract/", "/admin/contracts/contractimport/",
    "/admin/contracts/usagerecord/", "/admin/contracts/scheduledcharge/",
    "/admin/invoicing/invoice/", "/admin/invoicing/pending/",
    "/admin/invoicing/delivery/", "/admin/invoicing/invoicerun/",
    "/admin/invoicing/parkedbillgroup/", "/admin/invoicing/rundecision/",
    "/admin/settings/", "/admin/billing/legalentity/",
    "/admin/billing/invoicingsettings/", "/admin/invoicing/numberseries/",
    "/admin/billing/taxrate/", "/admin/contracts/product/",
    "/admin/billing/auditevent/", "/admin/billing/account/add/",
    "/admin/billing/billgroup/add/", "/admin/billing/taxrate/add/",
    "/admin/contracts/usagerecord/record/", "/admin/search/?q=c",
)  # fmt: skip


def test_every_list_and_form_is_accepted(staff: Staff) -> None:
    from datetime import date

    from tests.staff import active_contract, draft_contract

    active_contract(today=date(2026, 1, 1))
    draft_contract()

    for path in LISTS:
        staff.open(path)
        staff.accept()


def test_theme_and_keys_work(staff: Staff) -> None:
    staff.open("/admin/")
    page = staff.page

    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    kept = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("/")

    assert before != after == kept
    assert page.evaluate("document.activeElement.id") == "global-search"
    staff.accept()


def test_second_click_on_a_confirmation_sends_nothing(staff: Staff) -> None:
    from tests.staff import active_contract

    contract = active_contract()
    staff.open(f"/admin/billing/billgroup/{contract.bill_group_id}/generate-next/")

    staff.page.get_by_role("button", name="Generate and issue").dblclick()
    staff.page.wait_for_url("**/overview/**")

    assert Invoice.objects.count() == 2
