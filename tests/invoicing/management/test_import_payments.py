"""`import_payments`: a payments file from the command line (M4)."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from invoicing.models import Payment
from tests.factories import BillGroupFactory
from tests.staff import company

pytestmark = pytest.mark.django_db

HEAD = "bill_group,amount,currency,received_on,reference\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with one payment of 5.00 USD."""
    group = BillGroupFactory.create(legal_entity=company())
    path = tmp_path / "bank.csv"
    path.write_text(f"{HEAD}{group.public_id},5,USD,2026-01-10,a\n")
    return path


def told(file: Path, *options: str) -> str:
    out = StringIO()
    call_command("import_payments", str(file), *options, stdout=out)
    return out.getvalue()


def test_dry_run_writes_nothing(file: Path) -> None:
    assert told(file, "--dry-run") == (
        "1 payment can be recorded.\n"
        "5.00 USD: 0.00 pays invoices, 5.00 goes to the credit balance.\n"
    )
    assert not Payment.objects.exists()


def test_m4_a_file_is_recorded_and_the_same_again_refused(file: Path) -> None:
    first = json.loads(told(file, "--json"))
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("import_payments", str(file), "--json", stdout=out)

    [error] = json.loads(out.getvalue())["errors"]
    assert (first["errors"], first["payments"]) == ([], 1)
    assert "This file was recorded already" in error["message"]
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("options", [("--json",), ("--json", "--dry-run")])
def test_errors_are_listed_and_nothing_is_recorded(
    file: Path, options: tuple[str, ...]
) -> None:
    file.write_text(file.read_text() + "BG-999999,5,USD,2026-01-10,b\n")
    out = StringIO()

    with pytest.raises(SystemExit, match="1"):
        call_command("import_payments", str(file), *options, stdout=out)

    [error] = json.loads(out.getvalue())["errors"]
    assert (error["line"], error["column"]) == (3, "bill_group")
    assert not Payment.objects.exists()
