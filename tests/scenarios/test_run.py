"""The nightly run: what is due, how often, and in which form (G7-G17)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from billing.models import BillGroup, InvoicingSettings, TaxRate
from billing.services.reasons import ReasonMissing
from contracts.models import ScheduledCharge, UsageRecord
from invoicing.domain.eligibility import Outcome
from invoicing.models import Invoice, InvoiceRun, ParkedBillGroup, RunDecision
from invoicing.services.drafts import BillGroupNotActive, NotADraft, issue_draft
from invoicing.services.explain import explain_invoice
from invoicing.services.generation import (
    NotGenerated,
    generate_all_due,
    generate_first_invoices,
    generate_next_invoice,
    preview_next_invoice,
    run_invoicing,
)
from invoicing.services.parking import NotParked, release_bill_group
from invoicing.services.rehearsal import dry_run_invoicing
from tests.books import broken_invariants, invoice_facts, line_of, sold
from tests.factories import BillGroupFactory, LegalEntityFactory, tax_rate

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
FEB_1 = date(2026, 2, 1)
MAR_1 = date(2026, 3, 1)
USAGE = {
    "charge_type": "USAGE",
    "timing": "ARREARS",
    "quantity": None,
    "unit_price": Decimal("0.10"),
}


def settings(**values: object) -> None:
    InvoicingSettings.objects.update_or_create(
        legal_entity=LegalEntityFactory.create(), defaults=values
    )


def bill_dates() -> list[date]:
    return list(
        Invoice.objects.order_by("bill_date", "pk").values_list("bill_date", flat=True)
    )


def test_g7_a_missed_night_heals_itself_oldest_first() -> None:
    sold(today=JAN_1)

    run_invoicing(as_of=MAR_1)

    assert [(n, d) for n, d, _ in invoice_facts()] == [
        ("INV-000001", JAN_1),
        ("INV-000002", FEB_1),
        ("INV-000003", MAR_1),
    ]
    assert set(Invoice.objects.values_list("issue_date", flat=True)) == {MAR_1}
    assert broken_invariants() == []


@pytest.mark.parametrize(
    ("offset", "night", "made"),
    [
        (0, FEB_1 - timedelta(1), 0),
        (0, FEB_1, 1),
        (2, FEB_1 + timedelta(1), 0),
        (2, FEB_1 + timedelta(2), 1),
        (-30, FEB_1 - timedelta(31), 0),
        (-30, FEB_1 - timedelta(30), 1),
    ],
)
def test_g7_the_offset_moves_the_night(offset: int, night: date, made: int) -> None:
    settings(bill_date_offset=offset)
    sold(today=JAN_1, start_date=FEB_1)

    run_invoicing(as_of=night)

    assert Invoice.objects.count() == made


def test_g7_a_negative_offset_never_bills_arrears_early() -> None:
    settings(bill_date_offset=-30)
    sold(
        today=JAN_1,
        lines=[{}, {"timing": "ARREARS"}],
        end_date=date(2026, 2, 28),
    )

    run_invoicing(as_of=date(2026, 1, 31))

    assert bill_dates() == [JAN_1]


def test_g8_first_invoice_is_of_that_contract_only_even_if_it_starts_later() -> None:
    group = BillGroupFactory.create()
    sold(today=JAN_1, bill_group=group, start_date=MAR_1)
    other = sold(today=JAN_1, bill_group=group, start_date=MAR_1)

    (invoice,) = generate_first_invoices(contracts=[other], actor=None, today=JAN_1)

    assert invoice.bill_date == MAR_1
    assert invoice.issue_date == JAN_1
    assert {line.contract_number for line in invoice.lines.all()} == {other.number}


def test_g8_first_invoice_waits_for_its_night_when_settings_say_so() -> None:
    settings(first_invoice="ON_SCHEDULE")
    contract = sold(today=JAN_1)

    assert generate_first_invoices(contracts=[contract], actor=None, today=JAN_1) == ()


def test_g8_a_contract_billed_elsewhere_has_had_its_first_invoice() -> None:
    contract = sold(today=JAN_1)
    ScheduledCharge.objects.filter(contract=contract, bill_date=JAN_1).update(
        state="EXTERNAL"
    )

    assert generate_first_invoices(contracts=[contract], actor=None, today=JAN_1) == ()


def test_g9_by_hand_makes_the_oldest_one_a_click() -> None:
    group = sold(today=JAN_1).bill_group

    first = generate_next_invoice(bill_group=group, actor=None, today=FEB_1)
    second = generate_next_invoice(bill_group=group, actor=None, today=FEB_1)
    early = generate_next_invoice(bill_group=group, actor=None, today=FEB_1)

    assert [i.bill_date for i in (first, second, early)] == [JAN_1, FEB_1, MAR_1]
    assert broken_invariants() == []


def test_g9_arrears_are_refused_until_their_period_has_ended() -> None:
    group = sold(today=JAN_1, lines=[{"timing": "ARREARS"}]).bill_group

    with pytest.raises(NotGenerated, match="from 1 Feb 2026 on"):
        generate_next_invoice(bill_group=group, actor=None, today=date(2026, 1, 31))

    assert not Invoice.objects.exists()
    made = generate_next_invoice(bill_group=group, actor=None, today=FEB_1)
    assert made.bill_date == FEB_1


def test_g9_all_due_makes_one_invoice_per_bill_date() -> None:
    group = sold(today=JAN_1).bill_group

    made = generate_all_due(bill_group=group, actor=None, today=MAR_1)

    assert [invoice.bill_date for invoice in made] == [JAN_1, FEB_1, MAR_1]
    with pytest.raises(NotGenerated):
        generate_all_due(bill_group=group, actor=None, today=MAR_1)


def test_charges_of_a_group_with_one_bill_date_share_an_invoice_p6() -> None:
    group = BillGroupFactory.create()
    sold(today=JAN_1, bill_group=group)
    sold(today=JAN_1, bill_group=group, lines=[{}, {}])

    run_invoicing(as_of=JAN_1)

    assert Invoice.objects.get().lines.count() == 3
    assert Invoice.objects.get().total == 300


def test_g10_zero_without_quantity_makes_no_document_and_the_run_says_so() -> None:
    contract = sold(today=JAN_1, lines=[USAGE])

    (run,) = run_invoicing(as_of=FEB_1)

    assert isinstance(run, InvoiceRun)
    assert not Invoice.objects.exists()
    charge = contract.charges.get(bill_date=FEB_1)
    assert charge.state == "INVOICED"
    assert (charge.amount, charge.quantity) == (Decimal(0), Decimal(0))
    assert run.batches.get().zero == 1
    assert RunDecision.objects.get(run=run).rule == "G10"
    assert broken_invariants() == []


def test_a_free_product_with_a_quantity_is_invoiced_and_paid_at_once_m9() -> None:
    sold(today=JAN_1, lines=[{"unit_price": Decimal(0)}])

    run_invoicing(as_of=JAN_1)

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.number) == ("PAID", "INV-000001")
    assert invoice.total == 0


def test_p9_usage_is_rated_when_it_is_invoiced() -> None:
    contract = sold(
        today=JAN_1,
        lines=[
            USAGE
            | {
                "unit_price": None,
                "included_quantity": Decimal(50),
                "tiers": "graduated 100:0.5;*:0.3",
            }
        ],
    )
    for day, quantity in ((1, "100"), (31, "150.5")):
        UsageRecord.objects.create(
            line=line_of(contract),
            usage_date=date(2026, 1, day),
            quantity=Decimal(quantity),
            idempotency_key=f"jan-{day}",
        )
    UsageRecord.objects.create(
        line=line_of(contract),
        usage_date=FEB_1,
        quantity=Decimal(1000),
        idempotency_key="feb-1",
    )

    run_invoicing(as_of=FEB_1)

    line = Invoice.objects.get().lines.get()
    assert line.quantity == Decimal("250.5")
    assert line.amount == Decimal("80.15")  # 50 free, 100 x 0.50, 100.5 x 0.30
    assert [part["quantity"] for part in line.detail] == ["100", "100.500000"]
    assert broken_invariants() == []


def test_g13_one_bad_group_is_parked_and_the_rest_is_invoiced() -> None:
    TaxRate.objects.create(name="Without a percent")
    bad = sold(
        today=JAN_1, lines=[{"tax_rate": TaxRate.objects.get(name="Without a percent")}]
    ).bill_group
    for _ in range(5):
        sold(today=JAN_1)

    run_invoicing(as_of=JAN_1)

    parked = ParkedBillGroup.objects.get()
    assert parked.bill_group == bad
    assert "Without a percent" in parked.reason
    assert Invoice.objects.count() == 5
    assert InvoiceRun.objects.get().state == "FINISHED"
    assert broken_invariants() == []


def test_g13_a_parked_group_is_left_alone_until_it_is_released() -> None:
    group = sold(today=JAN_1).bill_group
    ParkedBillGroup.objects.create(bill_group=group, reason="It broke.")

    run_invoicing(as_of=JAN_1)
    assert not Invoice.objects.exists()
    with pytest.raises(NotGenerated, match="parked: It broke"):
        generate_next_invoice(bill_group=group, actor=None, today=JAN_1)
    with pytest.raises(ReasonMissing):
        release_bill_group(bill_group=group, reason=" ", actor=None)

    release_bill_group(bill_group=group, reason="Mended", actor=None)
    run_invoicing(as_of=JAN_1)

    assert Invoice.objects.count() == 1
    with pytest.raises(NotParked):
        release_bill_group(bill_group=group, reason="Again", actor=None)


def test_g14_more_overdue_dates_than_the_limit_make_held_drafts() -> None:
    sold(today=JAN_1)

    run_invoicing(as_of=date(2026, 5, 2))

    drafts = Invoice.objects.all()
    assert {draft.status for draft in drafts} == {"DRAFT"}
    assert len(drafts) == 5
    assert "5 bill dates" in drafts[0].held_reason
    assert set(ScheduledCharge.objects.filter(state="DRAFTED")) == {
        draft.lines.get().charge for draft in drafts
    }
    assert broken_invariants() == []


def test_g14_a_total_far_over_the_last_one_makes_a_held_draft() -> None:
    group = sold(today=JAN_1, end_date=date(2026, 1, 31)).bill_group
    run_invoicing(as_of=JAN_1)
    sold(
        today=JAN_1,
        bill_group=group,
        start_date=FEB_1,
        lines=[{"unit_price": Decimal("1000.01")}],
    )

    run_invoicing(as_of=FEB_1)

    draft = Invoice.objects.get(status="DRAFT")
    assert "more than 10 times" in draft.held_reason


def test_g14_stubs_are_compared_at_full_price() -> None:
    group = sold(
        today=JAN_1,
        start_date=date(2026, 1, 31),
        end_date=date(2026, 1, 31),
        bill_day=1,
    ).bill_group
    run_invoicing(as_of=date(2026, 1, 31))
    sold(today=JAN_1, bill_group=group, start_date=FEB_1)

    run_invoicing(as_of=FEB_1)

    assert set(Invoice.objects.values_list("status", "total")) == {
        ("OPEN", Decimal("3.23")),
        ("OPEN", Decimal(100)),
    }


def test_g15_a_dry_run_says_what_the_run_does_and_writes_nothing() -> None:
    for _ in range(3):
        sold(today=JAN_1)
    held = sold(today=JAN_1).bill_group
    BillGroup.objects.filter(pk=held.pk).update(invoicing="MANUAL")

    rehearsal = list(
        dry_run_invoicing(as_of=JAN_1, legal_entity=held.legal_entity).assessments
    )

    assert not Invoice.objects.exists()
    assert not InvoiceRun.objects.exists()
    assert not RunDecision.objects.exists()
    run_invoicing(as_of=JAN_1)
    assert {
        (a.group.bill_group_id, a.bill_date, a.document.totals.total)
        for a in rehearsal
        if a.decision.outcome is Outcome.GENERATE
    } == set(Invoice.objects.values_list("bill_group_id", "bill_date", "total"))


def test_g16_a_held_decision_is_kept_once_not_every_night() -> None:
    group = sold(today=JAN_1).bill_group
    BillGroup.objects.filter(pk=group.pk).update(invoicing="MANUAL")

    for day in range(1, 6):
        run_invoicing(as_of=date(2026, 1, day))
    assert [decision.rule for decision in RunDecision.objects.all()] == ["G3"]

    BillGroup.objects.filter(pk=group.pk).update(status="INACTIVE")
    run_invoicing(as_of=date(2026, 1, 6))
    assert list(RunDecision.objects.order_by("pk").values_list("rule", flat=True)) == [
        "G3",
        "G2",
    ]


def test_g16_the_explanation_names_the_night_it_is_expected() -> None:
    group = sold(today=JAN_1, start_date=FEB_1).bill_group

    explained = explain_invoice(bill_group=group, on=JAN_1)

    assert (explained.will_generate, explained.rule) == (False, "G7")
    assert explained.expected_date == FEB_1
    assert [gate.passed for gate in explained.gates][:4] == [True] * 4


def test_g17_with_review_the_run_makes_drafts_that_staff_issue() -> None:
    settings(review_before_issue=True)
    sold(today=JAN_1, lines=[{"tax_rate": tax_rate("19")}])
    run_invoicing(as_of=JAN_1)
    draft = Invoice.objects.get()
    assert (draft.status, draft.number, draft.held_reason) == ("DRAFT", None, "")

    issued = issue_draft(invoice=draft, actor=None, today=FEB_1)

    assert (issued.status, issued.number) == ("OPEN", "INV-000001")
    assert (issued.issue_date, issued.due_date) == (FEB_1, date(2026, 3, 3))
    assert issued.total == Decimal(119)
    assert issued.deliveries.get().kind == "PDF"
    assert ScheduledCharge.objects.get(invoice_line__invoice=issued).state == "INVOICED"
    with pytest.raises(NotADraft):
        issue_draft(invoice=draft, actor=None, today=FEB_1)
    assert broken_invariants() == []


def test_a2_a_runs_draft_is_not_issued_while_its_group_is_not_active() -> None:
    settings(review_before_issue=True)
    group = sold(today=JAN_1).bill_group
    run_invoicing(as_of=JAN_1)
    BillGroup.objects.filter(pk=group.pk).update(status="INACTIVE")

    with pytest.raises(BillGroupNotActive):
        issue_draft(invoice=Invoice.objects.get(), actor=None, today=JAN_1)


def test_m8_due_date_is_never_before_the_bill_date() -> None:
    contract = sold(today=JAN_1, start_date=date(2026, 6, 1))

    (invoice,) = generate_first_invoices(contracts=[contract], actor=None, today=JAN_1)

    assert invoice.due_date == date(2026, 6, 1)


def test_d1_an_address_that_changes_leaves_existing_invoices_as_they_are() -> None:
    group = sold(today=JAN_1).bill_group
    run_invoicing(as_of=JAN_1)
    BillGroup.objects.filter(pk=group.pk).update(
        address_line1="New Street 2", country="DE"
    )
    run_invoicing(as_of=FEB_1)

    streets = [
        invoice.bill_to["line1"] for invoice in Invoice.objects.order_by("sequence")
    ]
    assert streets == ["Main Street 1", "New Street 2"]


def test_m1_tax_is_computed_once_per_rate_and_yen_have_no_digits() -> None:
    group = BillGroupFactory.create(currency="JPY")
    rate = tax_rate("10")
    sold(
        today=JAN_1,
        bill_group=group,
        lines=[{"unit_price": Decimal("33.5"), "tax_rate": rate}] * 3,
    )

    run_invoicing(as_of=JAN_1)

    invoice = Invoice.objects.get()
    assert [invoice.subtotal, invoice.tax, invoice.total] == [102, 10, 112]
    assert invoice.taxes == [
        {"name": "Standard", "percent": "10", "taxable": "102", "tax": "10"}
    ]


def test_g10_usage_and_zero_charges_share_a_night_with_what_is_billed() -> None:
    contract = sold(
        today=JAN_1,
        lines=[USAGE, {"timing": "ARREARS"}, {"quantity": Decimal(0)}, USAGE],
    )
    UsageRecord.objects.create(
        line=contract.lines.get(position=1),
        usage_date=JAN_1,
        quantity=Decimal("12.5"),
        idempotency_key="jan",
    )

    run_invoicing(as_of=FEB_1)

    assert not ParkedBillGroup.objects.exists()
    (invoice,) = Invoice.objects.all()
    assert (invoice.bill_date, invoice.total) == (FEB_1, Decimal("101.25"))
    assert invoice.lines.count() == 2
    zero = contract.charges.filter(state="INVOICED", amount=0)
    assert sorted(zero.values_list("bill_date", flat=True)) == [JAN_1, FEB_1, FEB_1]
    assert broken_invariants() == []


def test_g9_zero_ahead_of_its_day_is_not_eaten_by_a_click() -> None:
    contract = sold(today=JAN_1, lines=[{"quantity": Decimal(0)}])

    for _ in range(2):
        with pytest.raises(NotGenerated):
            generate_next_invoice(
                bill_group=contract.bill_group, actor=None, today=JAN_1
            )

    states = contract.charges.order_by("bill_date").values_list("state", flat=True)
    assert list(states) == ["INVOICED", *["PENDING"] * 11]


def test_g9_behind_a_zero_nothing_is_made_ahead_of_its_day_unasked() -> None:
    group = sold(today=JAN_1, lines=[USAGE], end_date=date(2026, 1, 31)).bill_group
    sold(today=JAN_1, bill_group=group, start_date=date(2026, 9, 1))

    with pytest.raises(NotGenerated, match="bills zero"):
        generate_next_invoice(bill_group=group, actor=None, today=FEB_1)

    preview = preview_next_invoice(bill_group=group, today=FEB_1)
    assert preview is not None
    assert preview.decision.warning
    made = generate_next_invoice(bill_group=group, actor=None, today=FEB_1)
    assert made.bill_date == preview.bill_date == date(2026, 9, 1)


def test_g9_all_due_counts_the_offset() -> None:
    settings(bill_date_offset=-30, invoicing="MANUAL")
    group = sold(today=JAN_1, start_date=date(2026, 1, 20)).bill_group

    made = generate_all_due(bill_group=group, actor=None, today=JAN_1)

    assert [invoice.bill_date for invoice in made] == [date(2026, 1, 20)]


def test_g13_a_parked_group_is_held_not_worked_out_again() -> None:
    rate = TaxRate.objects.create(name="Empty")
    group = sold(today=JAN_1, lines=[{"tax_rate": rate}]).bill_group
    run_invoicing(as_of=JAN_1)

    (run,) = run_invoicing(as_of=date(2026, 1, 2))

    assert isinstance(run, InvoiceRun)
    batch = run.batches.get()
    assert (batch.parked, batch.held) == (0, 1)
    explained = explain_invoice(bill_group=group, on=date(2026, 1, 2))
    assert explained.rule == "G13"
    assert "is parked" in explained.sentence
    assert explained.gates


def test_g2_comes_before_what_would_break() -> None:
    rate = TaxRate.objects.create(name="Empty")
    group = sold(today=JAN_1, lines=[{"tax_rate": rate}]).bill_group
    BillGroup.objects.filter(pk=group.pk).update(status="INACTIVE")

    run_invoicing(as_of=JAN_1)

    assert not ParkedBillGroup.objects.exists()
    assert RunDecision.objects.get().rule == "G2"
    assert explain_invoice(bill_group=group, on=JAN_1).rule == "G2"


def test_g14_the_last_invoice_is_the_last_issued() -> None:
    group = BillGroupFactory.create()
    early = sold(
        today=JAN_1,
        bill_group=group,
        start_date=date(2026, 12, 1),
        lines=[{"unit_price": Decimal(5)}],
    )
    generate_first_invoices(contracts=[early], actor=None, today=JAN_1)
    for day, price in ((5, 40), (6, 200)):
        sold(
            today=JAN_1,
            bill_group=group,
            start_date=date(2026, 1, day),
            end_date=date(2026, 1, day),
            lines=[
                {
                    "charge_type": "ONE_TIME",
                    "frequency_months": None,
                    "unit_price": Decimal(price),
                }
            ],
        )

    run_invoicing(as_of=date(2026, 1, 5))
    run_invoicing(as_of=date(2026, 1, 6))

    assert not Invoice.objects.filter(status="DRAFT").exists()


def test_g14_overdue_dates_that_bill_nothing_do_not_count() -> None:
    group = sold(today=JAN_1, lines=[USAGE]).bill_group
    sold(today=JAN_1, bill_group=group, start_date=date(2026, 6, 1))

    run_invoicing(as_of=date(2026, 6, 1))

    assert Invoice.objects.get().status == "OPEN"


def test_g16_the_explanation_speaks_of_the_one_that_is_made() -> None:
    settings(bill_date_offset=-10)
    group = sold(today=JAN_1, lines=[{"timing": "ARREARS"}]).bill_group
    sold(today=JAN_1, bill_group=group, start_date=date(2026, 2, 5))
    night = date(2026, 1, 27)

    explained = explain_invoice(bill_group=group, on=night)
    run_invoicing(as_of=night)

    assert explained.will_generate
    assert explained.assessment is not None
    assert explained.assessment.bill_date == Invoice.objects.get().bill_date
