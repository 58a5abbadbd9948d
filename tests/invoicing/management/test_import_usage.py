"""`import_usage`: a usage file from the command line (P9)."""

import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from contracts.models import UsageRecord
from invoicing.services.lifecycle import activate_contract
from tests.factories import usage_line
from tests.staff import company

pytestmark = pytest.mark.django_db

HEAD = "contract_number,line,usage_date,quantity,idempotency_key\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file that records 5 of line 1 of C-1."""
    line = usage_line(
        contract__number="C-1",
        contract__bill_group__legal_entity=company(),
        position=1,
    )
    activate_contract(contract=line.contract, actor=None, today=date(2026, 1, 1))
    path = tmp_path / "usage.csv"
    path.write_text(f"{HEAD}C-1,1,2026-01-10,5,a\n")
    return path


def told(file: Path, *options: str) -> str:
    out = StringIO()
    call_command("import_usage", str(file), *options, stdout=out)
    return out.getvalue()


def test_dry_run_writes_nothing(file: Path) -> None:
    assert told(file, "--dry-run") == "1 record can be recorded.\n"
    assert not UsageRecord.objects.exists()


def test_file_is_recorded_and_the_same_again_changes_nothing(file: Path) -> None:
    first = json.loads(told(file, "--json"))
    again = json.loads(told(file, "--json"))

    assert (first["errors"], first["records"], first["repeated"]) == ([], 1, 0)
    assert (again["errors"], again["records"], again["repeated"]) == ([], 0, 1)
    assert UsageRecord.objects.count() == 1


@pytest.mark.parametrize("options", [("--json",), ("--json", "--dry-run")])
def test_errors_are_listed_and_nothing_is_recorded(
    file: Path, options: tuple[str, ...]
) -> None:
    file.write_text(f"{HEAD}C-1,1,2026-01-10,5,a\nC-1,1,2025-01-10,5,b\n")
    out = StringIO()

    with pytest.raises(SystemExit, match="1"):
        call_command("import_usage", str(file), *options, stdout=out)

    [error] = json.loads(out.getvalue())["errors"]
    assert (error["line"], error["column"], error["value"]) == (
        3,
        "usage_date",
        "2025-01-10",
    )
    assert not UsageRecord.objects.exists()
