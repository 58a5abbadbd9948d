"""Section 6 of the rules: from a file to contracts in force, through the commands."""

import json
from contextlib import suppress
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command

from billing.models import BillGroup, InvoicingSettings, TaxRate, TaxRateStep
from contracts.models import Contract, ContractImport, ScheduledCharge
from contracts.services.external import (
    record_external_number,
    release_external_charge,
)
from contracts.services.usage import UsagePeriodBilledElsewhere, record_usage
from invoicing.models import Invoice
from invoicing.services.generation import generate_next_invoice, run_invoicing
from tests.books import broken_invariants, invoice_facts
from tests.contracts.sheet import sheet
from tests.factories import LegalEntityFactory

pytestmark = pytest.mark.django_db

MARCH = date(2026, 3, 1)


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


def call(command: str, file: Path, *arguments: str) -> Any:
    """Return the JSON of a command, whatever its exit code."""
    out = StringIO()
    with suppress(SystemExit):
        call_command(command, str(file), "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def import_rows(file: Path, *rows: dict[str, str]) -> Any:
    """Import rows as of 1 March 2026."""
    file.write_bytes(sheet(*rows))
    report = call("import_contracts", file)
    assert report["errors"] == []
    return report


def rows_written() -> dict[str, int]:
    """Return how many rows each of our tables has."""
    return {
        model._meta.label: model._default_manager.count()
        for app in ("billing", "contracts", "invoicing", "customfields")
        for model in apps.get_app_config(app).get_models()
    }


def test_i1_the_preview_shows_what_the_import_then_stores(file: Path) -> None:
    """I1, I2: the same charges, in the same states."""
    file.write_bytes(
        sheet(
            {"end_date": "", "tax_rate": "19"},
            {"end_date": "", "product": "Calls", "charge_type": "usage"}
            | {"quantity": "", "tiers": "volume *:1", "unit_price": ""},
            {"contract_number": "C-2", "frequency": "quarterly", "bill_month": "1"}
            | {"start_date": "2026-02-10", "discount_percent": "10"},
        )
    )
    shown = call("preview_contracts", file)
    assert not Contract.objects.exists()

    call("import_contracts", file)

    stored = ScheduledCharge.objects.select_related("contract", "contract_line")
    assert sorted(
        (c["contract"], c["line"], c["period_start"], c["period_end"], c["state"])
        for c in shown["charges"]
    ) == sorted(
        (
            charge.contract.number,
            charge.contract_line.position,
            charge.period_start.isoformat(),
            charge.period_end.isoformat(),
            "PENDING" if charge.state == "INVOICED" else charge.state,
        )
        for charge in stored
    )


def test_i2_what_was_billed_elsewhere_is_never_billed_here(file: Path) -> None:
    """I2, I4: the run goes on from the first charge that is not past."""
    report = import_rows(file, {})
    assert report["invoices"] == []

    run_invoicing(as_of=MARCH)
    run_invoicing(as_of=date(2026, 4, 1))

    assert invoice_facts() == [
        ("INV-000001", MARCH, "1E+2"),
        ("INV-000002", date(2026, 4, 1), "1E+2"),
    ]
    states = ScheduledCharge.objects.order_by("bill_date").values_list("state")
    assert [state for (state,) in states][:4] == [
        "EXTERNAL",
        "EXTERNAL",
        "INVOICED",
        "INVOICED",
    ]
    assert broken_invariants() == []


@pytest.mark.parametrize("mode", ["automatic", "manual"])
def test_i2_no_mode_generates_what_was_billed_elsewhere(file: Path, mode: str) -> None:
    import_rows(file, {"invoicing": mode})
    group = BillGroup.objects.get()

    invoice = generate_next_invoice(bill_group=group, actor=None, today=MARCH)

    assert invoice.bill_date == MARCH


def test_i2_a_charge_billed_elsewhere_can_be_released_with_a_reason(
    file: Path,
) -> None:
    import_rows(file, {})
    january = ScheduledCharge.objects.get(period_start=date(2026, 1, 1))

    release_external_charge(charge=january, reason="Never billed there", actor=None)
    run_invoicing(as_of=MARCH)

    assert [bill_date for _, bill_date, _ in invoice_facts()] == [
        date(2026, 1, 1),
        MARCH,
    ]
    assert broken_invariants() == []


def test_i2_a_charge_billed_elsewhere_can_be_given_the_outside_number(
    file: Path,
) -> None:
    import_rows(file, {})
    january = ScheduledCharge.objects.get(period_start=date(2026, 1, 1))

    record_external_number(charge=january, number="OLD-17", actor=None)
    run_invoicing(as_of=MARCH)

    january.refresh_from_db()
    assert (january.state, january.external_number) == ("EXTERNAL", "OLD-17")
    assert len(invoice_facts()) == 1


def test_p9_usage_of_a_period_billed_elsewhere_is_refused(file: Path) -> None:
    import_rows(file, {"charge_type": "usage", "quantity": ""})
    line = Contract.objects.get().lines.get()

    with pytest.raises(UsagePeriodBilledElsewhere):
        record_usage(
            line=line,
            usage_date=date(2026, 1, 31),
            quantity=line.included_quantity,
            idempotency_key="k-1",
            actor=None,
        )


@pytest.mark.parametrize(
    ("row", "is_past"),
    [
        pytest.param({"start_date": "2026-02-28"}, True, id="bill_date_yesterday"),
        pytest.param({"start_date": "2026-03-01"}, False, id="bill_date_today"),
        pytest.param(
            {"start_date": "2026-02-01", "timing": "arrears"},
            False,
            id="arrears_of_february_billed_today",
        ),
        pytest.param(
            {"start_date": "2026-01-31", "timing": "arrears"},
            True,
            id="arrears_billed_in_february",
        ),
    ],
)
def test_i3_todays_bill_date_is_not_past(
    file: Path, row: dict[str, str], *, is_past: bool
) -> None:
    """I2, I3: judged by bill date, never by service date."""
    import_rows(file, row | {"bill_day": str(int(row["start_date"][-2:]))})

    first = ScheduledCharge.objects.earliest("bill_date")
    assert (first.state == "EXTERNAL") == is_past


def test_i3_the_import_date_is_kept_and_nothing_is_looked_at_again(
    file: Path,
) -> None:
    import_rows(file, {})

    with time_machine.travel("2026-06-01T12:00:00+00:00", tick=False):
        run_invoicing(as_of=date(2026, 3, 2))

    assert ContractImport.objects.get().import_date == MARCH
    assert ScheduledCharge.objects.filter(state="EXTERNAL").count() == 2
    assert len(invoice_facts()) == 1


def test_i4_a_contract_with_a_past_charge_makes_no_invoice_at_import(
    file: Path,
) -> None:
    """I4: not even where one of its lines is new."""
    report = import_rows(file, {}, {"product": "B", "line_start_date": "2026-03-01"})

    assert report["invoices"] == []


def test_i4_new_contracts_are_invoiced_at_once(file: Path) -> None:
    """I4, G6, G8: each its own first invoice, also for a start in the future."""
    report = import_rows(
        file,
        {"start_date": "2026-03-01"},
        {"start_date": "2026-05-01", "contract_number": "C-2"},
        {"start_date": "2026-03-01", "contract_number": "C-3", "timing": "arrears"},
    )

    assert [
        (invoice["bill_date"], [line["contract"] for line in invoice["lines"]])
        for invoice in report["invoices"]
    ] == [("2026-03-01", ["C-1"]), ("2026-05-01", ["C-2"])]
    assert broken_invariants() == []


@pytest.mark.parametrize(
    "values", [{"invoicing": "MANUAL"}, {"first_invoice": "ON_SCHEDULE"}], ids=str
)
def test_i4_settings_hold_the_first_invoices_of_an_import(
    file: Path, values: dict[str, str]
) -> None:
    """G1, G8."""
    InvoicingSettings.objects.create(legal_entity=LegalEntityFactory.create(), **values)

    report = import_rows(file, {"start_date": "2026-03-01"})

    assert report["invoices"] == []
    assert Contract.objects.get().status == "ACTIVE"


def test_i1_the_same_file_twice_is_refused_and_says_when(file: Path) -> None:
    import_rows(file, {})
    before = rows_written()

    again = call("import_contracts", file)

    assert "imported already: " in again["errors"][0]["message"]
    assert rows_written() == before


BAD_FILES = [
    pytest.param(b"", 1, "", "empty", id="empty_file"),
    pytest.param(b"\n\n", 1, "", "empty", id="blank_lines"),
    pytest.param(sheet({}).split(b"\n")[0], 1, "", "no rows", id="header_only"),
    pytest.param(b"PK\x03\x04" + b"0" * 50, 1, "", "Excel", id="xlsx_renamed"),
    pytest.param(
        sheet({"account_name": "Müller"}).decode().encode("latin-1"),
        2,
        "account_name",
        "UTF-8",
        id="latin_1",
    ),
    pytest.param(sheet({}).decode().encode("utf-16"), 1, "", "UTF-16", id="utf_16"),
    pytest.param(
        sheet({"product": "A"}).replace(b",A,", b',"A,'),
        2,
        "product",
        "quote",
        id="unclosed_quote",
    ),
    pytest.param(
        sheet({}).replace(b"currency", b"Currency"), 1, "Currency", "", id="column_case"
    ),
    pytest.param(
        sheet({}).replace(b"quantity,", b"").replace(b",1,100", b",100"),
        1,
        "quantity",
        "missing",
        id="missing_column",
    ),
    pytest.param(sheet({"colour": "red"}), 1, "colour", "not known", id="unknown"),
    pytest.param(
        sheet({"cf:team": "N"}), 1, "cf:team", "custom field", id="unknown_cf"
    ),
    pytest.param(sheet({}).replace(b",", b";"), 1, "", "semicolons", id="semicolons"),
    pytest.param(
        sheet({"start_date": "01/02/2026"}), 2, "start_date", "", id="ambiguous_date"
    ),
    pytest.param(
        sheet({"unit_price": "1,000"}), 2, "unit_price", "comma", id="ambiguous_number"
    ),
    pytest.param(
        sheet({"end_date": "2025-12-31"}), 2, "end_date", "before", id="end_first"
    ),
    pytest.param(
        sheet({}, {"contract_number": "C-2", "currency": "USD"}),
        3,
        "currency",
        "one currency",
        id="mixed_currency",
    ),
    pytest.param(
        sheet({"frequency": "weekly"}), 2, "frequency", "monthly", id="frequency"
    ),
    pytest.param(
        sheet({"contract_number": "C-TAKEN"}),
        2,
        "contract_number",
        "there already",
        id="duplicate_contract",
    ),
    pytest.param(sheet({"quantity": "-1"}), 2, "quantity", "negative", id="negative"),
    pytest.param(sheet({"currency": "XAU"}), 2, "currency", "ISO 4217", id="gold"),
    pytest.param(
        sheet({"bill_month": "1", "frequency": "every:5"}),
        2,
        "frequency",
        "bill month",
        id="bill_month_with_five_months",
    ),
    pytest.param(
        sheet({"end_date": "2126-01-01"}), 2, "end_date", "100 years", id="a_century"
    ),
]


@pytest.mark.parametrize(("content", "line", "column", "says"), BAD_FILES)
@pytest.mark.parametrize("command", ["preview_contracts", "import_contracts"])
def test_i5_a_bad_file_is_refused_whole_and_names_its_fault(
    file: Path, command: str, *, content: bytes, line: int, column: str, says: str
) -> None:
    """I1, I5: nothing is written, whatever else is in order."""
    InvoicingSettings.objects.create(legal_entity=LegalEntityFactory.create())
    taken = sheet({"contract_number": "C-TAKEN", "account_number": "A-TAKEN"})
    file.write_bytes(taken)
    call("import_contracts", file)
    before = rows_written()
    file.write_bytes(content)

    report = call(command, file)

    assert (line, column) in {(e["line"], e["column"]) for e in report["errors"]}
    assert any(says in e["message"] for e in report["errors"])
    assert rows_written() == before


def test_i5_every_faulty_row_is_named(file: Path) -> None:
    file.write_bytes(
        sheet(
            *(
                {"contract_number": f"C-{n}", "quantity": "x" if n % 2 else "1"}
                for n in range(10)
            )
        )
    )

    report = call("import_contracts", file)

    assert [error["line"] for error in report["errors"]] == [3, 5, 7, 9, 11]


def test_i5_rows_of_a_contract_may_stand_apart_and_share_its_bill_group(
    file: Path,
) -> None:
    """I5: `line` counts the rows of the contract."""
    import_rows(
        file,
        {"product": "A"},
        {"contract_number": "C-2", "product": "A"},
        {"product": "B"},
    )

    first = Contract.objects.get(number="C-1")
    assert [
        (line.position, line.product.name) for line in first.lines.order_by("position")
    ] == [(1, "A"), (2, "B")]
    assert BillGroup.objects.count() == 1
    assert Invoice.objects.count() == 0


@pytest.mark.parametrize("command", ["preview_contracts", "import_contracts"])
@pytest.mark.parametrize("changed_to", [None, "20"], ids=["no_step", "another_percent"])
def test_i5_a_tax_rate_that_settings_changed_is_not_guessed(
    file: Path, command: str, changed_to: str | None
) -> None:
    import_rows(file, {"tax_rate": "19"})
    rate = TaxRate.objects.get(name="19 %")
    if changed_to:
        TaxRateStep.objects.create(
            tax_rate=rate, valid_from=date(2026, 7, 1), percent=changed_to
        )
    else:
        rate.steps.all().delete()
    file.write_bytes(sheet({"contract_number": "C-NEW", "tax_rate": "19"}))

    (error,) = call(command, file)["errors"]

    assert (error["line"], error["column"], error["value"]) == (2, "tax_rate", "19")
    assert not Contract.objects.filter(number="C-NEW").exists()
