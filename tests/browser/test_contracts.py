"""Contracts on the screen: a plan while it is typed, usage and contract files (P1, I1).

Each page is free of serious accessibility faults and console errors, wide and narrow.
"""

from datetime import date
from decimal import Decimal

import pytest

from contracts.models import Contract
from contracts.services.usage import record_usage
from invoicing.services.lifecycle import activate_contract
from tests.browser.conftest import Staff
from tests.contracts.sheet import sheet
from tests.factories import BillGroupFactory, ProductFactory, usage_line
from tests.staff import company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

USAGE_HEAD = "contract_number,line,usage_date,quantity,idempotency_key"


def upload(staff: Staff, path: str, name: str, data: bytes) -> None:
    staff.open(path)
    staff.page.set_input_files(
        "[type=file]", {"name": name, "mimeType": "text/csv", "buffer": data}
    )
    staff.press("Upload and check")


def test_plan_appears_while_the_contract_is_typed(staff: Staff) -> None:
    """P1."""
    group = BillGroupFactory.create(legal_entity=company())
    ProductFactory.create()
    staff.open("/admin/contracts/contract/add/")
    staff.accept()

    staff.page.fill("[name=bill_group]", group.public_id)
    staff.page.fill("[name=start_date]", "2026-01-01")
    staff.page.get_by_text("Line 1: Product").wait_for(timeout=10_000)
    staff.page.fill("[name=end_date]", "2026-12-31")
    staff.page.select_option("[name=lines-0-product]", index=1)
    staff.page.fill("[name=lines-0-quantity]", "3")
    staff.page.fill("[name=lines-0-unit_price]", "250")

    staff.page.get_by_text("12 charges planned, 9,000.00").wait_for(timeout=10_000)
    staff.accept()
    assert not Contract.objects.exists()


def test_contract_with_usage_and_usage_files_fit_the_screen(staff: Staff) -> None:
    """P9."""
    line = usage_line(
        contract__number="C-1",
        contract__bill_group__legal_entity=company(),
        position=1,
    )
    activate_contract(contract=line.contract, actor=None, today=date(2026, 1, 1))
    record_usage(
        line=line,
        usage_date=date(2026, 1, 15),
        quantity=Decimal(100),
        idempotency_key="k",
        actor=None,
    )
    staff.open(f"/admin/contracts/contract/{line.contract_id}/change/")
    assert "Usage by period" in staff.text
    staff.accept()

    bad = f"{USAGE_HEAD}\nC-1,1,2026-01-40,5,a\nC-9,1,2026-01-10,5,b\n"
    upload(staff, "/admin/contracts/usageimport/upload/", "bad.csv", bad.encode())
    assert "There is no contract with this number." in staff.text
    staff.accept()

    good = f"{USAGE_HEAD}\nC-1,1,2026-01-20,5,a\n"
    upload(staff, "/admin/contracts/usageimport/upload/", "good.csv", good.encode())
    staff.accept()
    staff.press("Record")
    staff.accept()
    staff.press("Record the usage")
    assert "1 record written." in staff.text


def test_contract_file_names_what_it_makes_and_what_is_past(staff: Staff) -> None:
    """I1, I2, I4."""
    company()
    later = {"start_date": "2099-01-01", "end_date": "2099-12-31"}
    data = sheet({}, {"contract_number": "C-2"} | later)

    upload(staff, "/admin/contracts/contractimport/upload/", "c.csv", data)

    assert "Taken as invoiced elsewhere" in staff.text
    assert "1 Jan 2026" in staff.text
    assert "Made at once" in staff.text
    staff.accept()
