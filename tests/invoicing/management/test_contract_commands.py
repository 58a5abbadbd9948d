"""`preview_contracts` and `import_contracts`: JSON, text and exit codes."""

import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from billing.models import AccountingPeriod, BillGroup, LegalEntity
from contracts.domain.csv_file import MAX_BYTES
from contracts.models import Contract, ContractImport, ScheduledCharge
from invoicing.management.contract_file import read_upload
from invoicing.models import Invoice
from tests.contracts.sheet import sheet
from tests.factories import LegalEntityFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def march_first() -> Any:
    with time_machine.travel("2026-03-01T12:00:00+00:00", tick=False):
        yield


@pytest.fixture(autouse=True)
def _legal_entity() -> None:
    LegalEntityFactory.create()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contracts.csv"


def run(*arguments: object, exit_code: int = 0) -> str:
    """Return what a command printed, having checked its exit code."""
    out = StringIO()
    code: object = 0
    try:
        call_command(*map(str, arguments), stdout=out)
    except SystemExit as stopped:
        code = stopped.code
    assert code == exit_code
    return out.getvalue()


def printed(*arguments: object, exit_code: int = 0) -> Any:
    """Return the JSON that a command printed."""
    return json.loads(run(*arguments, "--json", exit_code=exit_code))


def closed_february() -> None:
    AccountingPeriod.objects.create(
        legal_entity=LegalEntity.objects.get(), month="2026-02-01", state="CLOSED"
    )


class TestPreview:
    def test_json_has_every_charge_and_pending_invoice(self, file: Path) -> None:
        """DESIGN section 7: `line` counts the rows of the contract."""
        file.write_bytes(
            sheet(
                {
                    "end_date": "2026-03-15",
                    "quantity": "2.50",
                    "unit_price": "10.1000",
                    "tax_rate": "19",
                },
                {"contract_number": "C-2", "bill_group": "Yen", "currency": "JPY"}
                | {"charge_type": "one_time", "unit_price": "1200"},
                {"end_date": "2026-03-15", "product": "Calls", "quantity": ""}
                | {"charge_type": "usage", "unit_price": "0.5"},
            )
        )

        shown = printed("preview_contracts", file)

        assert list(shown) == ["errors", "charges", "pending_invoices"]
        assert shown["errors"] == []
        assert shown["charges"][0] == {
            "contract": "C-1",
            "line": 1,
            "period_start": "2026-01-01",
            "period_end": "2026-01-31",
            "bill_date": "2026-01-01",
            "quantity": "2.5",
            "unit_price": "10.1",
            "amount": "25.25",
            "currency": "EUR",
            "state": "EXTERNAL",
        }
        assert [
            (c["contract"], c["line"], c["bill_date"], c["amount"], c["state"])
            for c in shown["charges"][2:]
        ] == [
            ("C-1", 1, "2026-03-01", "12.22", "PENDING"),
            ("C-1", 2, "2026-02-01", None, "EXTERNAL"),
            ("C-1", 2, "2026-03-01", None, "PENDING"),
            ("C-1", 2, "2026-03-16", None, "PENDING"),
            ("C-2", 1, "2026-01-01", "1200", "EXTERNAL"),
        ]
        usage = shown["charges"][3]
        assert (usage["quantity"], usage["unit_price"]) == (None, None)
        assert shown["pending_invoices"] == [
            {
                "bill_group": "Main",
                "bill_date": "2026-03-01",
                "currency": "EUR",
                "total": "14.54",
            },
            {
                "bill_group": "Main",
                "bill_date": "2026-03-16",
                "currency": "EUR",
                "total": "0.00",
            },
        ]

    def test_dates_can_be_given(self, file: Path) -> None:
        """A preview may look ahead."""
        file.write_bytes(sheet({"end_date": ""}))

        shown = printed(
            "preview_contracts",
            file,
            "--import-date=2026-04-01",
            "--through=2026-05-31",
        )

        assert [(c["bill_date"], c["state"]) for c in shown["charges"]] == [
            ("2026-01-01", "EXTERNAL"),
            ("2026-02-01", "EXTERNAL"),
            ("2026-03-01", "EXTERNAL"),
            ("2026-04-01", "PENDING"),
            ("2026-05-01", "PENDING"),
        ]

    def test_m6_date_in_a_closed_month_is_refused_in_json(self, file: Path) -> None:
        """The same error as that of the import; the file's own errors follow it."""
        closed_february()
        file.write_bytes(sheet({}))
        asked = [file, "--import-date=2026-02-28"]

        shown = printed("preview_contracts", *asked, exit_code=1)
        tried = printed("import_contracts", *asked, exit_code=1)

        assert [list(error) for error in shown["errors"]] == [
            ["line", "column", "value", "message"]
        ]
        assert "closed through 28 Feb 2026" in shown["errors"][0]["message"]
        assert shown["errors"] == tried["errors"]
        assert (shown["charges"], shown["pending_invoices"]) == ([], [])

        file.write_bytes(sheet({"quantity": "1,5"}))
        both = printed("preview_contracts", *asked, exit_code=1)["errors"]
        assert [error["column"] for error in both] == ["", "quantity"]

    def test_m6_date_in_a_closed_month_is_refused_in_text(self, file: Path) -> None:
        closed_february()
        file.write_bytes(sheet({}))

        shown = run("preview_contracts", file, "--import-date=2026-02-28", exit_code=1)

        assert shown == (
            "It can't be imported as of 2026-02-28: The books are closed through "
            "28 Feb 2026, so no document can be dated 28 Feb 2026. Choose a later "
            "date.\n"
        )
        assert "can be imported" in run("preview_contracts", file)

    def test_errors_exit_with_1(self, file: Path) -> None:
        """I5."""
        file.write_bytes(sheet({}, {"contract_number": "C-2", "quantity": "1,5"}))

        shown = printed("preview_contracts", file, exit_code=1)

        assert shown["charges"] == shown["pending_invoices"] == []
        [error] = shown["errors"]
        assert list(error) == ["line", "column", "value", "message"]
        assert (error["line"], error["column"], error["value"]) == (
            3,
            "quantity",
            "1,5",
        )

    def test_people_read_figures(self, file: Path) -> None:
        """I1, I4."""
        file.write_bytes(
            sheet({}, {"contract_number": "C-2", "start_date": "2026-03-01"})
        )

        text = run("preview_contracts", file)

        assert text.splitlines() == [
            "2 contracts with 2 lines can be imported.",
            "Charges to bill: 20, 2000.00 EUR.",
            "Charges before 2026-03-01, billed elsewhere: 2, 200.00 EUR.",
            "Invoices made at once: 1, 100.00 EUR.",
        ]

    def test_people_read_errors(self, file: Path) -> None:
        file.write_bytes(sheet({"quantity": "1,5"}))

        text = run("preview_contracts", file, exit_code=1)

        assert "line 2, quantity “1,5”: A comma can be" in text

    def test_nothing_is_written(self, file: Path) -> None:
        """I1."""
        file.write_bytes(sheet({}))

        run("preview_contracts", file)
        run("preview_contracts", file, "--json")

        assert not ContractImport.objects.exists()
        assert not BillGroup.objects.exists()


class TestImport:
    def test_json_names_contracts_and_invoices(self, file: Path) -> None:
        """DESIGN section 7, I4, G6."""
        file.write_bytes(
            sheet(
                {"tax_rate": "19"},
                {"contract_number": "C-2", "start_date": "2026-03-01"}
                | {"tax_rate": "19"},
            )
        )

        report = printed("import_contracts", file)

        group = BillGroup.objects.get()
        assert report == {
            "contracts": [
                {"contract": "C-1", "bill_group": group.public_id},
                {"contract": "C-2", "bill_group": group.public_id},
            ],
            "invoices": [
                {
                    "number": "INV-000001",
                    "status": "OPEN",
                    "account": "A-1",
                    "bill_group": group.public_id,
                    "bill_date": "2026-03-01",
                    "issue_date": "2026-03-01",
                    "due_date": "2026-03-31",
                    "currency": "EUR",
                    "subtotal": "100.00",
                    "tax": "19.00",
                    "total": "119.00",
                    "lines": [
                        {
                            "contract": "C-2",
                            "product": "Platform",
                            "period_start": "2026-03-01",
                            "period_end": "2026-03-31",
                            "quantity": "1",
                            "unit_price": "100",
                            "amount": "100.00",
                        }
                    ],
                }
            ],
            "errors": [],
        }
        assert ContractImport.objects.get().file_name == "contracts.csv"

    def test_the_import_date_decides_what_is_past(self, file: Path) -> None:
        """I2, I3, M8."""
        file.write_bytes(sheet({}))

        report = printed("import_contracts", file, "--import-date=2026-01-01")

        assert [invoice["issue_date"] for invoice in report["invoices"]] == [
            "2026-01-01"
        ]
        assert not ScheduledCharge.objects.filter(state="EXTERNAL").exists()

    def test_an_import_date_in_the_future_is_refused(self, file: Path) -> None:
        """M8."""
        file.write_bytes(sheet({}))

        report = printed(
            "import_contracts", file, "--import-date=2026-03-02", exit_code=1
        )

        [error] = report["errors"]
        assert "lies in the future; today is 1 Mar 2026" in error["message"]
        assert not Contract.objects.exists()

    def test_today_is_the_legal_entitys(self, file: Path) -> None:
        """Half past eleven at night in UTC is the next day in Hamburg."""
        file.write_bytes(sheet({}))

        with time_machine.travel("2026-02-28T23:30:00+00:00", tick=False):
            printed("import_contracts", file)

        assert str(ContractImport.objects.get().import_date) == "2026-03-01"

    def test_the_same_file_twice_says_when(self, file: Path) -> None:
        """I1."""
        file.write_bytes(sheet({}))
        printed("import_contracts", file)

        again = printed("import_contracts", file, exit_code=1)

        assert again["contracts"] == again["invoices"] == []
        [error] = again["errors"]
        assert "imported already: " in error["message"]
        assert Contract.objects.count() == 1

    def test_errors_exit_with_1_and_nothing_is_written(self, file: Path) -> None:
        """I1."""
        file.write_bytes(sheet({}, {"end_date": "2025-12-31"}))

        report = printed("import_contracts", file, exit_code=1)

        assert report["contracts"] == report["invoices"] == []
        assert report["errors"]
        assert not ContractImport.objects.exists()
        assert not Contract.objects.exists()

    def test_people_read_what_was_done(self, file: Path) -> None:
        file.write_bytes(sheet({"start_date": "2026-03-01"}))

        text = run("import_contracts", file)

        assert text.splitlines() == [
            "1 contract imported and activated.",
            "Invoices made at once: 1.",
            f"INV-000001  {BillGroup.objects.get().public_id}  100.00 EUR  OPEN",
        ]

    def test_people_read_that_the_file_was_imported_before(self, file: Path) -> None:
        file.write_bytes(sheet({"start_date": "2026-03-01"}))
        run("import_contracts", file)

        text = run("import_contracts", file, exit_code=1)

        assert text.startswith(f"Nothing was imported:\nfile “{file.name}”: ")

    def test_people_read_why_nothing_was_imported(self, file: Path) -> None:
        file.write_bytes(sheet({"currency": "EURO"}))

        text = run("import_contracts", file, exit_code=1)

        assert text.startswith("Nothing was imported:\nline 2, currency “EURO”: ")

    def test_a_legal_entity_can_be_named(self, file: Path) -> None:
        other = LegalEntityFactory.create(name="Somebody else")
        file.write_bytes(sheet({}))

        printed("import_contracts", file, "--legal-entity=Somebody else")

        assert BillGroup.objects.get().legal_entity == other


@pytest.mark.parametrize("command", ["preview_contracts", "import_contracts"])
class TestFiles:
    def test_a_missing_file_is_told(self, command: str, file: Path) -> None:
        with pytest.raises(CommandError, match=r"There is no file .*contracts\.csv"):
            run(command, file, "--json")

    def test_a_folder_is_told(self, command: str, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="is a folder"):
            run(command, tmp_path)

    def test_an_unreadable_file_is_told(
        self, command: str, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, os.strerror(13))

        monkeypatch.setattr(Path, "open", refuse)

        with pytest.raises(CommandError, match="can't be read: Permission denied"):
            run(command, file)

    def test_a_gigabyte_is_refused_without_being_read_through(
        self, command: str, file: Path
    ) -> None:
        """Only as much is read as shows that it is too much."""
        with file.open("wb") as sparse:
            sparse.truncate(1_000_000_000)

        report = printed(command, file, exit_code=1)

        assert "more than 50 MB" in report["errors"][0]["message"]
        upload = read_upload(str(file), LegalEntityFactory.create())
        assert len(upload.content) == MAX_BYTES + 1

    def test_an_unknown_legal_entity_is_told(self, command: str, file: Path) -> None:
        with pytest.raises(CommandError, match="no legal entity named “Nobody”"):
            run(command, file, "--legal-entity=Nobody")

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"PK\x03\x04rest", id="xlsx"),
            pytest.param(b"\xff\xfea\x00", id="utf16"),
            pytest.param(sheet({"account_name": "A"})[:-9] + b'"x', id="open_quote"),
            pytest.param(b"account_number\nA-1\n", id="columns_missing"),
        ],
    )
    def test_a_file_that_is_no_contract_file_writes_nothing(
        self, command: str, file: Path, content: bytes
    ) -> None:
        file.write_bytes(content)

        report = printed(command, file, exit_code=1)

        assert report["errors"]
        assert not ContractImport.objects.exists()
        assert not Invoice.objects.exists()
