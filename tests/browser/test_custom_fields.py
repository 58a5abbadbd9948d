"""A field defined in one web process is used the next moment in another (F1, F2)."""

import csv
import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from django.conf import settings
from playwright.sync_api import Browser
from pypdf import PdfReader

from config.clock import today_in
from invoicing.models import Invoice
from tests.books import broken_invariants
from tests.browser.conftest import WIDE, Staff
from tests.factories import BillGroupFactory
from tests.faults.processes import database_url
from tests.staff import company, draft_contract, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

PASSWORD = "a good passphrase"


@contextmanager
def web_process() -> Iterator[str]:
    """Serve the test's database from a process of its own; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "manage.py",
        "runserver",
        "--noreload",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "DEBUG": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/admin/login/")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(address: str) -> None:
    """Return when a page is there."""
    for _ in range(300):
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):  # noqa: S310
            return
        time.sleep(0.2)
    pytest.fail(f"No answer from {address}.")


def test_f1_field_defined_in_a_browser_is_used_the_next_moment_everywhere(
    browser: Browser,
) -> None:
    user = person("Finance manager")
    user.set_password(PASSWORD)
    user.save()
    group = BillGroupFactory.create(legal_entity=company(), name="Hamburg plant")
    today = today_in("Europe/Berlin")
    contract = draft_contract(group, start=today)

    with ExitStack() as stack:
        people = []
        for _ in range(2):
            address = stack.enter_context(web_process())
            context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
            stack.callback(context.close)
            one = Staff(context.new_page(), address)
            one.open("/admin/")
            one.fill("Username", user.username)
            one.fill("Password", PASSWORD)
            one.press("Log in")
            people.append(one)
        manager, clerk = people
        change = f"/admin/billing/billgroup/{group.pk}/change/"
        clerk.open(change)
        assert "Cost center" not in clerk.text

        define(manager)

        clerk.open(change)
        clerk.fill("Cost center", "=4410")
        clerk.accept()
        clerk.press("Save")
        clerk.open("/admin/billing/billgroup/?cf_cost_center=441")
        assert "=4410" in clerk.text
        clerk.accept()
        clerk.open("/admin/billing/billgroup/?cf_cost_center=442")
        assert "Nothing matches." in clerk.text
        clerk.open("/admin/billing/billgroup/?q=4410")
        with clerk.page.expect_download() as download:
            clerk.page.get_by_role("link", name="Export CSV").click()
        text = download.value.path().read_text(encoding="utf-8")
        (row,) = csv.DictReader(io.StringIO(text))
        assert row["cf:cost_center"] == "'=4410"

        clerk.open(f"/admin/contracts/contract/{contract.pk}/activate/")
        clerk.press("Activate the contract")
        invoice = Invoice.objects.get()
        clerk.open(f"/admin/invoicing/invoice/{invoice.pk}/change/")
        assert "=4410" in clerk.text
        clerk.accept()
        pdf = clerk.page.request.get(
            f"{clerk.address}/admin/invoicing/invoice/{invoice.pk}/pdf/"
        ).body()
        printed = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
        assert "Cost center" in printed
        assert "=4410" in printed

        manager.open("/admin/customfields/customfield/")
        manager.press("Cost center")
        assert "1 bill group holds a value" in manager.text
        manager.fill("Label", "Kostenstelle")
        manager.press("Save")
        clerk.open(change)
        assert clerk.page.get_by_label("Kostenstelle").input_value() == "=4410"
    assert Invoice.objects.get().printed_fields[0]["label"] == "Cost center"
    assert broken_invariants() == []


def define(manager: Staff) -> None:
    """Define the cost center of bill groups in Settings."""
    manager.open("/admin/customfields/customfield/add/")
    manager.accept()
    manager.page.get_by_label("Object").select_option("BILL_GROUP")
    manager.fill("Label", "Cost center")
    manager.fill("Key", "cost_center")
    manager.page.get_by_label("Shown on the invoice").check()
    manager.press("Save")
    assert "was added successfully" in manager.page.inner_text("body")
