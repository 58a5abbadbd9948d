"""What every upload page says of its file: the columns, and a sample that is read."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from config.adminsite.file_import import UploadFile
from contracts.admin.usage_import import UploadUsage
from contracts.domain.csv_columns import KNOWN
from contracts.domain.csv_rows import parse_contracts
from contracts.domain.usage_csv import parse_usage
from contracts.models import ContractImport
from contracts.services.import_check import check_file
from invoicing.admin.imports import ImportContracts, UploadContracts
from invoicing.admin.payment_import import UploadPaymentFile, UploadPaymentsHere
from invoicing.domain.payment_csv import parse_payments
from invoicing.services.lifecycle import upload_contracts
from tests.contracts.sheet import sheet
from tests.portal import ariba
from tests.staff import client_of, company

pytestmark = pytest.mark.django_db

UPLOADS = (UploadContracts, UploadUsage, UploadPaymentFile, UploadPaymentsHere)


@pytest.mark.parametrize("upload", UPLOADS)
def test_every_column_is_listed(upload: type[UploadFile]) -> None:
    page = client_of("Finance clerk").get(upload.url()).content.decode()

    for column in upload.kind.columns:
        assert escape(column.name) in page
        assert escape(column.meaning) in page


@pytest.mark.parametrize("upload", UPLOADS)
def test_sample_is_a_file_for_those_who_may_upload(upload: type[UploadFile]) -> None:
    client = client_of("Finance clerk")

    sample = client.get(upload.url(), {"sample": "1"})

    assert sample["Content-Type"] == "text/csv; charset=utf-8"
    assert sample.content.decode() == upload.kind.sample
    assert client_of("Auditor").get(upload.url(), {"sample": "1"}).status_code == 403


@pytest.mark.parametrize(
    ("upload", "parse"),
    [
        (UploadContracts, parse_contracts),
        (UploadUsage, parse_usage),
        (UploadPaymentFile, parse_payments),
    ],
)
def test_sample_has_no_faults(upload: type[UploadFile], parse: Any) -> None:
    parsed = parse(upload.kind.sample.encode())

    assert tuple(parsed.errors) == ()


def test_sample_of_contracts_can_be_imported() -> None:
    """I1."""
    checked = check_file(UploadContracts.kind.sample.encode(), legal_entity=company())

    assert checked.errors == ()
    assert len(checked.contracts) == 2


def test_guide_names_every_column_of_contracts() -> None:
    guide = {column.name for column in UploadContracts.kind.columns}

    assert guide == {*KNOWN, "cf:<key>"}


@pytest.fixture
def uploaded() -> ContractImport:
    """Return the sample, ready to import."""
    return upload_contracts(
        content=UploadContracts.kind.sample.encode(),
        file_name="sample.csv",
        legal_entity=company(),
        actor=None,
        today=date(2026, 3, 1),
    )


def figures(client: Client, upload: ContractImport, day: str) -> str:
    page = client.post(ImportContracts.url(upload.pk), {"import_date": day})
    assert page.status_code == 200
    return page.content.decode()


def test_another_import_date_shows_its_figures(uploaded: ContractImport) -> None:
    """I2."""
    client = client_of("Finance manager")

    january = figures(client, uploaded, "2026-01-01")
    march = figures(client, uploaded, "2026-03-01")

    assert "As of 1 Jan 2026" in january
    assert "0 charges taken as billed elsewhere" in january
    assert "0 charges taken as billed elsewhere" not in march
    assert not ContractImport.objects.filter(state="IMPORTED").exists()


def test_refused_date_can_be_corrected_on_the_page(uploaded: ContractImport) -> None:
    """M8."""
    refused = figures(client_of("Finance manager"), uploaded, "2199-01-01")

    assert "lies in the future" in refused
    assert "Update the figures" in refused
    assert "Import the contracts" not in refused


def test_preview_of_an_import_names_the_portals_of_new_bill_groups() -> None:
    """F3."""
    ariba()
    waiting = upload_contracts(
        content=sheet(
            {"delivery": "portal", "portal": "ariba"},
            {"contract_number": "C-2", "bill_group": "Two", "delivery": "both"},
        ),
        file_name="contracts.csv",
        legal_entity=company(),
        actor=None,
        today=date(2026, 1, 1),
    )
    client = client_of("Finance clerk")

    for page in (
        f"/admin/contracts/contractimport/{waiting.pk}/change/",
        ImportContracts.url(waiting.pk),
    ):
        text = client.get(page).content.decode()
        assert (
            "New bill groups by portal:</b> 1 in Ariba, 1 in Portal, which the" in text
        )
