"""The commands that other people's scripts call: their JSON and their exit codes."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from billing.models import BillGroup, TaxRate
from contracts.services.usage import record_usage
from invoicing.models import Invoice, InvoiceRun
from invoicing.services.lifecycle import activate_contract
from tests.books import sold
from tests.factories import BillGroupFactory, tax_rate, usage_line

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)


@pytest.fixture(autouse=True)
def first_of_february() -> Any:
    with time_machine.travel("2026-02-01T12:00:00+00:00", tick=False):
        yield


def output(*arguments: str, exit_code: int = 0) -> Any:
    """Return what a command printed as JSON, having checked its exit code."""
    out = StringIO()
    if exit_code:
        with pytest.raises(SystemExit) as stopped:
            call_command(*arguments, stdout=out)
        assert stopped.value.code == exit_code
    else:
        call_command(*arguments, stdout=out)
    return json.loads(out.getvalue())


def test_run_invoicing_reports_invoices_with_their_lines() -> None:
    group = BillGroupFactory.create(currency="JPY")
    contract = sold(
        today=JAN_1,
        bill_group=group,
        lines=[
            {
                "quantity": Decimal("2.5"),
                "unit_price": Decimal(1000),
                "tax_rate": tax_rate("10"),
            }
        ],
    )

    report = output("run_invoicing", "--as-of", "2026-01-01", "--json")

    assert report == {
        "as_of": "2026-01-01",
        "invoices": [
            {
                "number": "INV-000001",
                "status": "OPEN",
                "account": group.account.number,
                "bill_group": group.public_id,
                "bill_date": "2026-01-01",
                "issue_date": "2026-01-01",
                "due_date": "2026-01-31",
                "currency": "JPY",
                "subtotal": "2500",
                "tax": "250",
                "total": "2750",
                "lines": [
                    {
                        "contract": contract.number,
                        "product": "Platform",
                        "period_start": "2026-01-01",
                        "period_end": "2026-01-31",
                        "quantity": "2.5",
                        "unit_price": "1000",
                        "amount": "2500",
                    }
                ],
            }
        ],
        "held": [],
        "parked": [],
    }


def test_run_invoicing_takes_today_at_the_legal_entity_by_default() -> None:
    sold(today=JAN_1)

    report = output("run_invoicing", "--json")

    assert report["as_of"] == "2026-02-01"
    assert [i["bill_date"] for i in report["invoices"]] == ["2026-01-01", "2026-02-01"]


def test_dry_run_shows_what_the_run_then_does_and_writes_nothing() -> None:
    sold(today=JAN_1)
    held = sold(today=JAN_1).bill_group
    BillGroup.objects.filter(pk=held.pk).update(invoicing="MANUAL")

    rehearsal = output("run_invoicing", "--as-of", "2026-01-15", "--dry-run", "--json")
    assert not Invoice.objects.exists()
    assert not InvoiceRun.objects.exists()
    report = output("run_invoicing", "--as-of", "2026-01-15", "--json")

    assert [invoice | {"number": None} for invoice in report["invoices"]] == rehearsal[
        "invoices"
    ]
    assert report["held"] == rehearsal["held"]
    assert [decision["rule"] for decision in report["held"]] == ["G3"]


def text(*arguments: str) -> list[str]:
    """Return the lines that a command printed."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("rehearsed", [True, False], ids=["dry_run", "run"])
def test_g14_held_drafts_are_told_apart_in_text_and_json(*, rehearsed: bool) -> None:
    """Between holds without a document, in one order for the run and its rehearsal."""
    manual, catching_up, late = (
        sold(today=JAN_1, end_date=date(2026, 1, 31)).bill_group,
        sold(today=JAN_1, start_date=date(2025, 6, 1)).bill_group,
        sold(today=JAN_1, end_date=date(2026, 1, 31)).bill_group,
    )
    BillGroup.objects.filter(pk__in=[manual.pk, late.pk]).update(invoicing="MANUAL")
    asked = ["run_invoicing", "--as-of", "2026-02-01", *["--dry-run"] * rehearsed]

    report = output(*asked, "--json")

    assert {invoice["status"] for invoice in report["invoices"]} == {"DRAFT"}
    assert [(held["bill_group"], held["rule"]) for held in report["held"]] == [
        (manual.public_id, "G3"),
        *[(catching_up.public_id, "G14")] * 9,
        (late.public_id, "G3"),
    ]
    assert "more than the limit of 3" in report["held"][1]["sentence"]
    assert {tuple(held) for held in report["held"]} == {
        ("bill_group", "bill_date", "rule", "sentence")
    }


@pytest.mark.parametrize("rehearsed", [True, False], ids=["dry_run", "run"])
def test_g10_g14_text_says_what_was_held_for_review_and_billed_at_zero(
    *, rehearsed: bool
) -> None:
    nothing = {"unit_price": Decimal(0), "quantity": Decimal(0)}
    free = sold(today=JAN_1, lines=[nothing]).bill_group
    half_free = sold(today=JAN_1, lines=[nothing, {}]).bill_group
    two_free = sold(today=JAN_1, lines=[nothing, {}, nothing]).bill_group
    catching_up = sold(today=JAN_1, start_date=date(2025, 9, 1)).bill_group

    lines = text("run_invoicing", "--as-of", "2026-01-01", *["--dry-run"] * rehearsed)

    assert [line for line in lines if catching_up.public_id in line][-1] == (
        f"Held for review {catching_up.public_id}, bill date 2026-01-01: 4 bill dates "
        "of the bill group are overdue, more than the limit of 3. A draft is made: "
        "review it, then issue or discard it."
    )
    at = "bill date 2026-01-01"
    assert [line for line in lines if line.startswith("Invoiced at zero")] == [
        f"Invoiced at zero {free.public_id}, {at}: all of it, without a document.",
        f"Invoiced at zero {half_free.public_id}, {at}: 1 charge beside its document.",
        f"Invoiced at zero {two_free.public_id}, {at}: 2 charges beside its document.",
    ]


@pytest.mark.parametrize("rehearsed", [True, False], ids=["dry_run", "run"])
def test_exit_code_2_says_that_a_group_was_parked(*, rehearsed: bool) -> None:
    broken = TaxRate.objects.create(name="Empty")
    group = sold(today=JAN_1, lines=[{"tax_rate": broken}]).bill_group
    sold(today=JAN_1)

    report = output(
        "run_invoicing",
        "--as-of",
        "2026-01-01",
        "--json",
        *["--dry-run"] * rehearsed,
        exit_code=2,
    )

    assert [parked["bill_group"] for parked in report["parked"]] == [group.public_id]
    assert "Empty has no percent on 31 Jan 2026" in report["parked"][0]["reason"]
    assert len(report["invoices"]) == 1


@pytest.mark.parametrize("rehearsed", [True, False], ids=["dry_run", "run"])
def test_g16_usage_that_no_invoice_can_hold_is_parked_as_was_explained(
    *, rehearsed: bool
) -> None:
    line = usage_line(contract__bill_group=BillGroupFactory.create())
    activate_contract(contract=line.contract, actor=None, today=JAN_1)
    for key in ("a", "b"):
        record_usage(
            line=line,
            usage_date=JAN_1,
            quantity=Decimal(999999999999),
            idempotency_key=key,
            actor=None,
        )
    sentence = (
        f"The usage of Platform of contract {line.contract.number} is more than an "
        "invoice can hold."
    )
    group = line.contract.bill_group.public_id

    told = output("explain_invoice", group, "--on", "2026-02-01", "--json")
    report = output(
        "run_invoicing",
        "--as-of",
        "2026-02-01",
        "--json",
        *["--dry-run"] * rehearsed,
        exit_code=2,
    )

    assert not told["will_generate"]
    assert sentence in told["sentence"]
    assert [parked["bill_group"] for parked in report["parked"]] == [group]
    assert sentence in report["parked"][0]["reason"]


def test_run_of_a_future_day_is_refused_but_can_be_rehearsed() -> None:
    sold(today=JAN_1)

    with pytest.raises(CommandError, match="--dry-run"):
        call_command("run_invoicing", "--as-of", "2026-02-02")

    assert not Invoice.objects.exists()
    assert output("run_invoicing", "--as-of", "2026-03-01", "--dry-run", "--json")


def test_run_before_the_last_document_is_refused_with_its_date() -> None:
    sold(today=JAN_1)
    output("run_invoicing", "--as-of", "2026-01-15", "--json")
    sold(today=JAN_1)

    for rehearsal in ([], ["--dry-run"]):
        with pytest.raises(CommandError, match="dated 15 Jan 2026"):
            call_command("run_invoicing", "--as-of", "2026-01-14", *rehearsal)


def test_explain_invoice_names_the_gate_and_the_expected_date() -> None:
    group = sold(today=JAN_1, start_date=date(2026, 3, 1)).bill_group

    report = output("explain_invoice", group.public_id, "--json")

    assert report["bill_group"] == group.public_id
    assert report["on"] == "2026-02-01"
    assert (report["will_generate"], report["rule"]) == (False, "G7")
    assert report["expected_date"] == "2026-03-01"
    assert {tuple(gate) for gate in report["gates"]} == {("rule", "passed", "sentence")}


def test_explain_invoice_of_an_unknown_group_says_what_an_id_looks_like() -> None:
    with pytest.raises(CommandError, match="BG-000123"):
        call_command("explain_invoice", "BG-999999")


def test_check_books_is_silent_on_good_books_and_loud_on_broken_ones() -> None:
    sold(today=JAN_1)
    output("run_invoicing", "--json")
    assert output("check_books", "--json")["broken"] == []

    BillGroup.objects.update(currency="EUR")

    (broken,) = output("check_books", "--json", exit_code=1)["broken"]
    assert broken["name"] == "invoice_fits_its_bill_group"
