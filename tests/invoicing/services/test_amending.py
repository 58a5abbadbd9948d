"""Amendments and what follows for charges and documents (A1-A4, A6, A8)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing.models import AuditEvent
from billing.services.reasons import ReasonMissing
from contracts.domain.term_changes import LineEdit, NewLine, TermChanges
from contracts.domain.terms import ChargeType, Timing
from contracts.models import Amendment, Contract, ContractLine, ScheduledCharge
from contracts.services.amendments import AmendmentRefused, StaleTerms
from invoicing.models import Invoice
from invoicing.services.credits import credit_invoice
from invoicing.services.drafts import issue_draft
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import Amended, amend_contract, preview_amendment
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, sold
from tests.factories import tax_rate

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, FEB_1, TODAY = date(2026, 1, 1), date(2026, 2, 1), date(2026, 2, 10)


@pytest.fixture
def contract() -> Contract:
    """20.00 a month from January to April; two months are invoiced."""
    made = sold(
        today=date(2025, 12, 31),
        start_date=JAN_1,
        end_date=date(2026, 4, 30),
        lines=[{"quantity": D(2), "unit_price": D(10)}],
    )
    run_invoicing(as_of=JAN_1)
    run_invoicing(as_of=FEB_1)
    return Contract.objects.get(pk=made.pk)


def line(contract: Contract) -> ContractLine:
    found: ContractLine = contract.lines.order_by("position")[0]
    return found


def amend(contract: Contract, **fields: Any) -> Amended:
    """Amend the first line; `effective_date` is the start unless said otherwise."""
    contract.refresh_from_db()
    edit = {
        name: fields.pop(name)
        for name in ("quantity", "unit_price", "discount_percent", "ends")
        if name in fields
    }
    edits = (LineEdit(line_id=line(contract).pk, **edit),) if edit else ()
    values: dict[str, Any] = {
        "contract": contract,
        "changes": TermChanges(
            version=contract.version,
            edits=edits,
            new_lines=fields.pop("new_lines", ()),
        ),
        "effective_date": contract.start_date,
        "reason": "Wrong quantity",
        "actor": None,
        "today": TODAY,
    }
    return amend_contract(**(values | fields))


def live(contract: Contract) -> list[tuple[str, str, Decimal, str]]:
    rows = ScheduledCharge.objects.filter(contract=contract).exclude(
        state__in=["SUPERSEDED", "CANCELED"]
    )
    return [
        (
            charge.period_start.isoformat()[5:],
            charge.period_end.isoformat()[5:],
            (charge.amount or D(0)).normalize(),
            charge.state,
        )
        for charge in rows.order_by("contract_line", "period_start")
    ]


def totals(status: str) -> list[Decimal]:
    return [
        invoice.total.normalize()
        for invoice in Invoice.objects.filter(status=status).order_by("bill_date", "pk")
    ]


def in_order() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return broken_invariants() == []


class TestFromTheStart:
    def test_a3_each_issued_invoice_gets_a_replacement_draft(
        self, contract: Contract
    ) -> None:
        amended = amend(contract, quantity=D(1))

        assert live(contract) == [
            ("01-01", "01-31", D(10), "DRAFTED"),
            ("02-01", "02-28", D(10), "DRAFTED"),
            ("03-01", "03-31", D(10), "PENDING"),
            ("04-01", "04-30", D(10), "PENDING"),
        ]
        assert [
            (one.invoice.number, one.draft and one.draft.total)
            for one in amended.corrected.replaced
        ] == [("INV-000001", D(10)), ("INV-000002", D(10))]
        assert totals("OPEN") == [D(20), D(20)]
        assert (amended.value_before, amended.value_after) == (D(80), D(40))
        assert in_order()

    def test_a3_the_replacement_has_the_bill_date_and_bill_to_of_the_old_one(
        self, contract: Contract
    ) -> None:
        contract.bill_group.bill_to = "Another name"
        contract.bill_group.save()

        amend(contract, quantity=D(1))

        draft = Invoice.objects.filter(status="DRAFT").order_by("bill_date")[0]
        assert draft.replaces is not None
        assert draft.replaces.number == "INV-000001"
        assert draft.bill_date == JAN_1
        assert draft.bill_to == draft.replaces.bill_to

    def test_a4_a6_after_the_three_steps_the_right_amount_is_claimed(
        self, contract: Contract
    ) -> None:
        record_payment(
            bill_group=contract.bill_group,
            amount=D(25),
            received_on=FEB_1,
            reference="",
            actor=None,
            today=TODAY,
        )
        for one in amend(contract, quantity=D(1)).corrected.replaced:
            assert one.draft is not None
            issue_draft(invoice=one.draft, actor=None, today=TODAY)
            credit_invoice(
                invoice=one.invoice, reason="Replaced", actor=None, today=TODAY
            )

        invoices = Invoice.objects.exclude(number=None)
        claimed = sum(i.total - i.credited_due - i.credited_paid for i in invoices)
        assert claimed == D(20)
        assert sum(i.amount_due for i in invoices) == D(0)
        assert in_order()

    def test_a2_a_draft_is_rebuilt_once_more(self, contract: Contract) -> None:
        amend(contract, quantity=D(1))

        again = amend(contract, quantity=D(3))

        assert again.corrected.replaced == ()
        assert totals("DRAFT") == [D(30), D(30)]
        assert {draft.replaces_id for draft in again.corrected.rebuilt} == set(
            Invoice.objects.exclude(number=None).values_list("pk", flat=True)
        )
        assert in_order()


class TestInsideAPeriod:
    def test_a2_the_period_is_billed_as_two_lines(self, contract: Contract) -> None:
        amend(contract, quantity=D(4), effective_date=date(2026, 2, 15))

        assert live(contract) == [
            ("01-01", "01-31", D(20), "INVOICED"),
            ("02-01", "02-14", D(10), "DRAFTED"),
            ("02-15", "02-28", D(20), "DRAFTED"),
            ("03-01", "03-31", D(40), "PENDING"),
            ("04-01", "04-30", D(40), "PENDING"),
        ]
        assert totals("DRAFT") == [D(30)]
        assert in_order()

    def test_a1_from_a_day_ahead_nothing_issued_changes(
        self, contract: Contract
    ) -> None:
        amended = amend(contract, unit_price=D(11), effective_date=date(2026, 3, 1))

        assert amended.corrected.replaced == ()
        assert [charge[2] for charge in live(contract)] == [D(20), D(20), D(22), D(22)]
        assert in_order()

    def test_a1_ending_a_line_makes_the_day_before_its_last(
        self, contract: Contract
    ) -> None:
        amend(contract, ends=True, effective_date=date(2026, 2, 15))

        assert live(contract) == [
            ("01-01", "01-31", D(20), "INVOICED"),
            ("02-01", "02-14", D(10), "DRAFTED"),
        ]
        assert in_order()

    def test_a3_where_nothing_is_left_no_draft_is_made(
        self, contract: Contract
    ) -> None:
        amended = amend(contract, ends=True, effective_date=FEB_1)

        assert [one.draft for one in amended.corrected.replaced] == [None]
        assert live(contract) == [("01-01", "01-31", D(20), "INVOICED")]
        assert in_order()


class TestLinesAdded:
    def test_a3_an_added_line_goes_on_the_replacement_of_its_bill_date(
        self, contract: Contract
    ) -> None:
        new = NewLine(
            product_id=line(contract).product_id,
            charge_type=ChargeType.RECURRING,
            timing=Timing.ADVANCE,
            frequency_months=1,
            quantity=D(1),
            unit_price=D(5),
        )

        amend(contract, quantity=D(1), new_lines=(new,), effective_date=FEB_1)

        assert totals("DRAFT") == [D(15)]
        assert len(live(contract)) == 7
        assert in_order()

    def test_a2_an_added_line_alone_changes_no_issued_invoice(
        self, contract: Contract
    ) -> None:
        new = NewLine(
            product_id=line(contract).product_id,
            charge_type=ChargeType.ONE_TIME,
            timing=Timing.ADVANCE,
            frequency_months=None,
            quantity=D(1),
            unit_price=D(5),
        )

        amended = amend(contract, new_lines=(new,), effective_date=TODAY)

        assert amended.corrected.replaced == ()
        assert ("02-10", "02-10", D(5), "PENDING") in live(contract)
        assert in_order()


class TestSharedInvoice:
    def test_a3_charges_of_another_contract_move_along_unchanged(
        self, contract: Contract
    ) -> None:
        other = sold(
            today=date(2025, 12, 31),
            bill_group=contract.bill_group,
            start_date=date(2026, 3, 1),
            end_date=date(2026, 4, 30),
            lines=[{"unit_price": D(7), "tax_rate": tax_rate("19")}],
        )
        run_invoicing(as_of=date(2026, 3, 1))

        amend(contract, quantity=D(1), effective_date=date(2026, 3, 1))

        (draft,) = Invoice.objects.filter(status="DRAFT")
        assert (draft.subtotal, draft.tax) == (D(17), D("1.33"))
        assert live(other)[0] == ("03-01", "03-31", D(7), "DRAFTED")
        assert in_order()


class TestCreditedInvoices:
    def test_a3_one_credited_in_full_is_replaced_only_if_ticked(
        self, contract: Contract
    ) -> None:
        january = Invoice.objects.get(number="INV-000001")
        credit_invoice(invoice=january, reason="Gift", actor=None, today=TODAY)

        amended = amend(contract, quantity=D(1))
        ticked = amend(contract, quantity=D(3), replace_credited={january.pk})

        assert [one.invoice.number for one in amended.corrected.replaced] == [
            "INV-000002"
        ]
        assert [one.invoice.number for one in ticked.corrected.replaced] == [
            "INV-000001"
        ]
        assert in_order()


class TestElsewhere:
    def test_a3_what_was_billed_elsewhere_is_listed_and_stays(
        self, contract: Contract
    ) -> None:
        ScheduledCharge.objects.filter(period_start=date(2026, 3, 1)).update(
            state="EXTERNAL"
        )

        amended = amend(contract, quantity=D(1), effective_date=date(2026, 3, 1))

        (outside,) = amended.outside
        assert (outside.charge.amount, outside.planned_amount) == (D(20), D(10))
        assert live(contract)[2] == ("03-01", "03-31", D(20), "EXTERNAL")


class TestPreview:
    def test_a1_it_says_what_would_happen_and_writes_nothing(
        self, contract: Contract
    ) -> None:
        before = live(contract)
        version = contract.version

        previewed = preview_amendment(
            contract=contract,
            changes=TermChanges(
                version=version,
                edits=(LineEdit(line_id=line(contract).pk, quantity=D(1)),),
            ),
            effective_date=JAN_1,
            reason="Wrong",
            actor=None,
            today=TODAY,
        )

        contract.refresh_from_db()
        assert len(previewed.corrected.replaced) == 2
        assert previewed.value_after == D(40)
        assert live(contract) == before
        assert contract.version == version
        assert not Amendment.objects.exists()
        assert not AuditEvent.objects.filter(code="contract.amended").exists()


class TestRefused:
    def test_a8_a_draft_contract(self, contract: Contract) -> None:
        draft = sold_draft(contract)

        with pytest.raises(AmendmentRefused, match="is a draft"):
            amend(draft, quantity=D(1))

    @pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 5, 1)])
    def test_a8_a_day_outside_the_term(self, contract: Contract, day: date) -> None:
        with pytest.raises(AmendmentRefused, match="outside the term"):
            amend(contract, quantity=D(1), effective_date=day)

    def test_a8_stale_terms(self, contract: Contract) -> None:
        seen = contract.version
        amend(contract, quantity=D(1))

        with pytest.raises(StaleTerms):
            amend_contract(
                contract=contract,
                changes=TermChanges(
                    version=seen,
                    edits=(LineEdit(line_id=line(contract).pk, quantity=D(3)),),
                ),
                effective_date=JAN_1,
                reason="Later",
                actor=None,
                today=TODAY,
            )

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({}, "Nothing is changed"),
            ({"quantity": D(-1)}, "Platform: Quantities and prices are not negative"),
            ({"quantity": D("NaN")}, "Platform"),
            ({"unit_price": D("1e400")}, "Platform"),
            ({"discount_percent": D(101)}, "Platform"),
        ],
    )
    def test_a8_what_makes_no_sense(
        self, contract: Contract, fields: dict[str, Any], sentence: str
    ) -> None:
        before = live(contract)

        with pytest.raises(AmendmentRefused, match=sentence):
            amend(contract, **fields)

        assert live(contract) == before

    def test_a1_needs_a_reason(self, contract: Contract) -> None:
        before = live(contract)

        with pytest.raises(ReasonMissing, match="amendment"):
            amend(contract, quantity=D(1), reason=" ")

        assert live(contract) == before

    def test_a8_a_line_of_another_contract(self, contract: Contract) -> None:
        other = sold(today=TODAY)

        with pytest.raises(AmendmentRefused, match="not on this contract"):
            amend_contract(
                contract=contract,
                changes=TermChanges(
                    version=contract.version,
                    edits=(LineEdit(line_id=line(other).pk, quantity=D(1)),),
                ),
                effective_date=JAN_1,
                reason="Wrong",
                actor=None,
                today=TODAY,
            )


def sold_draft(like: Contract) -> Contract:
    draft: Contract = Contract.objects.create(
        number="C-draft", bill_group=like.bill_group, start_date=JAN_1
    )
    ContractLine.objects.create(
        contract=draft,
        position=1,
        product=line(like).product,
        quantity=D(2),
        unit_price=D(3),
    )
    return draft
