"""The demo company shows every case, and its explanations agree with its nights."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, QuerySet

from billing.models import (
    Account,
    AccountingPeriod,
    BillGroup,
    DeactivationRequest,
    LegalEntity,
    TaxRate,
)
from contracts.models import Contract, ContractLine, ScheduledCharge
from customfields.models import CustomField
from invoicing.management.demo.company import load_demo
from invoicing.management.demo.files import FOLDER, Row, read_demo
from invoicing.models import (
    CreditNote,
    Invoice,
    InvoiceLine,
    InvoiceRevision,
    ParkedBillGroup,
    Payment,
    PortalSubmission,
    RunDecision,
)
from invoicing.services.explain import Explanation, explain_invoice
from invoicing.services.generation import invoice_legal_entity
from tests.books import broken_invariants

TODAY = date(2026, 11, 22)

Outcome = tuple[object, ...]
Explanations = dict[int, Explanation]


@pytest.fixture
def demo(db: None) -> None:
    """Have the demo company."""
    load_demo(actor=User.objects.create(username="demo"), today=TODAY)


def _cases() -> dict[str, QuerySet[Any]]:
    lines = ContractLine.objects
    charges = ScheduledCharge.objects
    groups = BillGroup.objects
    invoices = Invoice.objects
    contracts = Contract.objects
    found: dict[str, QuerySet[Any]] = {
        "advance": lines.filter(charge_type="RECURRING", timing="ADVANCE"),
        "arrears": lines.filter(charge_type="RECURRING", timing="ARREARS"),
        "graduated": lines.filter(tiers__startswith="graduated"),
        "volume": lines.filter(tiers__startswith="volume"),
        "usage at a unit price": lines.filter(charge_type="USAGE", tiers=""),
        "included quantity": lines.filter(included_quantity__gt=0),
        "one-time": lines.filter(charge_type="ONE_TIME"),
        "discount": lines.filter(discount_percent__gt=0),
        "proration none": lines.filter(proration="NONE"),
        "line that begins later": lines.filter(
            start_date__gt=F("contract__start_date"), charge_type="RECURRING"
        ),
        "every two months": lines.filter(frequency_months=2),
        "every five months": lines.filter(frequency_months=5),
        "quarterly": lines.filter(frequency_months=3),
        "semiannual": lines.filter(frequency_months=6),
        "annual": lines.filter(frequency_months=12),
        "calendar quarters": lines.filter(contract__bill_month=1, frequency_months=3),
        "evergreen": contracts.filter(end_date=None),
        "ended": contracts.filter(end_date__lt=TODAY),
        "future start": contracts.filter(start_date__gt=TODAY),
        "future start, billed at signing": invoices.filter(
            bill_date__gt=TODAY, number__isnull=False
        ),
        "leading stub": charges.filter(
            period_start=F("contract__start_date"),
            contract__bill_day__lt=F("contract__start_date__day"),
        ),
        "trailing stub": charges.filter(
            period_end=F("contract__end_date"), contract__bill_group__name="Geelong"
        ),
        "two contracts on one invoice": invoices.annotate(
            contracts=Count("lines__charge__contract", distinct=True)
        ).filter(contracts__gt=1, number__isnull=False),
        "several bill groups": Account.objects.annotate(
            groups=Count("bill_groups")
        ).filter(groups__gt=2),
        "outside number": charges.filter(state="EXTERNAL").exclude(external_number=""),
        "usage of nothing": charges.filter(
            state="INVOICED", amount=0, quantity=0, invoice_line=None
        ),
        "rated usage": InvoiceLine.objects.exclude(detail=[]),
        "manual": groups.filter(invoicing="MANUAL", charges__bill_date__lt=TODAY),
        "manual, billed by hand": invoices.filter(
            bill_group__invoicing="MANUAL", run=None, number__isnull=False
        ),
        "inactive": groups.filter(
            status="INACTIVE", charges__state="PENDING", charges__bill_date__lt=TODAY
        ),
        "awaiting an invoice by hand": groups.filter(
            status="ACTIVE", awaiting_manual_invoice=True
        ),
        "deactivation requested": DeactivationRequest.objects.filter(state="REQUESTED"),
        "parked": ParkedBillGroup.objects.filter(reason__contains="13.5 %"),
        "held": invoices.filter(status="DRAFT", bill_group__name="Transport").exclude(
            held_reason=""
        ),
        "for review": invoices.filter(status="DRAFT", held_reason=""),
        "PO number": groups.exclude(po_number=""),
        "PO number missing for a portal": groups.filter(
            delivery="PORTAL", po_number=""
        ),
        "rate that changed": TaxRate.objects.annotate(steps_=Count("steps")).filter(
            steps_=2
        ),
        "invoice before the step": InvoiceLine.objects.filter(tax_percent=22),
        "invoice after the step": InvoiceLine.objects.filter(tax_percent=24),
        "two rates on one invoice": invoices.filter(taxes__1__isnull=False),
        "account's field": Account.objects.exclude(custom_fields={}),
        "bill group's field": groups.exclude(custom_fields={}),
        "contract's field": contracts.exclude(custom_fields={}),
        "printed field": CustomField.objects.filter(printed=True),
        "a year ago": invoices.filter(issue_date__lt=TODAY - timedelta(days=360)),
        "this month": invoices.filter(issue_date__gte=TODAY.replace(day=1)),
    }
    found |= _what_finance_did()
    for state in ("PENDING", "DRAFTED", "INVOICED", "EXTERNAL"):
        found[f"{state} charge"] = charges.filter(state=state)
    for currency in ("USD", "EUR", "JPY", "KWD"):
        found[f"invoice in {currency}"] = invoices.filter(
            currency=currency, number__isnull=False
        )
    for delivery in ("EMAIL", "PORTAL", "BOTH", "NONE"):
        found[f"delivery {delivery}"] = invoices.filter(bill_group__delivery=delivery)
    for language in ("en", "de", "fr", "es"):
        found[f"paper in {language}"] = invoices.filter(language=language)
    for day in (29, 30, 31):
        found[f"from the {day}th"] = contracts.filter(bill_day=day)
    for owner in ("ACCOUNT", "BILL_GROUP", "CONTRACT"):
        found[f"custom field of {owner}"] = CustomField.objects.filter(object=owner)
    return found


def _what_finance_did() -> dict[str, QuerySet[Any]]:
    invoices = Invoice.objects
    notes = CreditNote.objects
    contracts = Contract.objects
    found: dict[str, QuerySet[Any]] = {
        "paid": invoices.filter(status="PAID"),
        "paid in part": invoices.filter(status="OPEN", paid__gt=0),
        "long overdue": invoices.filter(
            status="OPEN", due_date__lt=TODAY - timedelta(days=90)
        ),
        "balance used": invoices.filter(balance_applied__gt=0),
        "payment taken back": Payment.objects.exclude(taken_back_on=None),
        "fixed": invoices.filter(status="CREDITED", replacements__status="OPEN"),
        "replacement that waits": invoices.filter(
            status="DRAFT", replaces__isnull=False
        ),
        "credit of a line": notes.filter(reason_code="SERVICE_ISSUE", status="ISSUED"),
        "credit that waits": notes.filter(status="TO_APPROVE"),
        "void credit": notes.filter(status="VOID"),
        "canceled": contracts.filter(status="CANCELED"),
        "cancels later": contracts.filter(status="ACTIVE", last_day__gt=TODAY),
        "amended for later": contracts.filter(amendments__effective_date__gt=TODAY),
        "edited address": InvoiceRevision.objects.filter(revision=2),
        "closed month": AccountingPeriod.objects.filter(state="CLOSED"),
        "portal, paid": PortalSubmission.objects.filter(invoice__status="PAID"),
    }
    for state in ("TO_SUBMIT", "SUBMITTED", "ACCEPTED", "DISPUTED"):
        found[f"portal, {state}"] = PortalSubmission.objects.filter(state=state)
    return found


@pytest.mark.usefixtures("demo")
def test_demo_shows_every_case_and_explains_the_next_forty_nights() -> None:
    """One test, since the demo takes half a minute to load."""
    _assert_every_case_with_books_in_order()
    _assert_explanation_agrees_with_the_next_forty_nights()


def _assert_every_case_with_books_in_order() -> None:
    held = Invoice.objects.filter(status="DRAFT").exclude(held_reason="")
    reviewed = Invoice.objects.filter(status="DRAFT", held_reason="", replaces=None)

    assert [name for name, rows in _cases().items() if not rows.exists()] == []
    assert [draft.bill_group.name for draft in held] == ["Transport"]
    assert {draft.bill_group.legal_entity.name for draft in reviewed} == {
        "Nordhaven Systems Inc."
    }
    assert ParkedBillGroup.objects.count() == 1
    assert Invoice.objects.exclude(number=None).count() > 400
    for seller in LegalEntity.objects.all():
        _assert_numbers_and_dates_rise(seller)
    assert broken_invariants() == []


def _assert_numbers_and_dates_rise(seller: LegalEntity) -> None:
    """M2, M8."""
    issued = Invoice.objects.filter(legal_entity=seller).exclude(number=None)
    rows = [(row.sequence, row.issue_date) for row in issued.order_by("sequence")]
    dates = [issue_date or date.max for _, issue_date in rows]

    assert [sequence for sequence, _ in rows] == list(range(1, len(rows) + 1))
    assert dates == sorted(dates)


def test_overview_names_every_bill_group_and_contract() -> None:
    overview = (FOLDER / "cases.md").read_text(encoding="utf-8")
    told = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in overview.splitlines()
        if row.startswith("|") and "ACC-" in row
    ]

    said = {
        (account.split(" ", 1)[0], group, account.split(" ", 1)[1])
        for _, _, account, groups, _ in told
        for group in groups.split(", ")
    }
    contracts = [number for *_, cell in told for number in cell.split(", ")]

    names = {row["number"]: row["name"] for row in _rows("accounts.csv")}
    groups = [
        (row["account_number"], row["bill_group"]) for row in _rows("bill_groups.csv")
    ]

    assert said == {(number, group, names[number]) for number, group in groups}
    assert len(names) == 42
    assert len(groups) == 54
    assert set(contracts) == {r["contract_number"] for r in _rows("contract_lines.csv")}


def _rows(name: str) -> list[Row]:
    return read_demo(name, today=TODAY)


def _assert_explanation_agrees_with_the_next_forty_nights() -> None:
    """G16: every bill group is told what the run of that day then does."""
    seen: set[object] = set()
    for days in range(1, 41):
        night = TODAY + timedelta(days=days)
        explained = {
            group.pk: explain_invoice(bill_group=group, on=night)
            for group in BillGroup.objects.select_related("legal_entity", "account")
        }
        told = {pk: _told(explanation) for pk, explanation in explained.items()}

        assert (night, _rehearse(night, explained)) == (night, told)
        seen |= {outcome[0] for outcome in told.values()}
        seen |= {explanation.rule for explanation in explained.values()}

    assert seen >= {"made", "not made", "nothing", "G2", "G3", "G4", "G7", "G13"}


def _told(explanation: Explanation) -> Outcome:
    """Return what the explanation says the night does."""
    assessment = explanation.assessment
    if explanation.will_generate:
        assert assessment is not None
        document, draft = assessment.document, assessment.decision.draft
        return "made", document.bill_date, document.totals.total, draft
    if explanation.rule == "G13" and not explanation.gates:
        return ("parked",)
    if assessment is None or assessment.decision.facts.due_from > explanation.on:
        return ("nothing",)
    return "not made", assessment.bill_date, explanation.rule


def _rehearse(night: date, explained: Explanations) -> dict[int, Outcome]:
    """Return what a night does with each bill group, and undo it.

    Of several invoices it is the first; of what is not made, what the explanation
    speaks of.
    """
    with transaction.atomic():
        runs = [
            invoice_legal_entity(as_of=night, legal_entity=seller, actor=None).pk
            for seller in LegalEntity.objects.all()
        ]
        happened = _happened(runs, explained)
        transaction.set_rollback(True)
    return happened


def _happened(runs: list[int], explained: Explanations) -> dict[int, Outcome]:
    happened: dict[int, Outcome] = dict.fromkeys(explained, ("nothing",))
    for decision in RunDecision.objects.filter(invoice=None).order_by("pk"):
        assessment = explained[decision.bill_group_id].assessment
        if assessment is None or assessment.bill_date != decision.bill_date:
            continue
        facts = assessment.decision.facts
        if facts.due_from <= facts.as_of:
            told = ("not made", decision.bill_date, decision.rule)
            happened[decision.bill_group_id] = told
    for parked in ParkedBillGroup.objects.filter(run__in=runs):
        happened[parked.bill_group_id] = ("parked",)
    for invoice in Invoice.objects.filter(run__in=runs).order_by("-bill_date"):
        is_draft = invoice.status == "DRAFT"
        made = ("made", invoice.bill_date, invoice.total, is_draft)
        happened[invoice.bill_group_id] = made
    return happened
