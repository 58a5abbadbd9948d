"""Discard, reissue and fix (A6, A7, A11, A12)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.models import InvoicingSettings
from billing.services.reasons import ReasonMissing
from contracts.domain.term_changes import LineEdit, TermChanges
from contracts.models import Contract, ScheduledCharge
from contracts.services.late_usage import record_late_usage
from contracts.services.usage import record_usage
from invoicing.domain.states import CreditReason
from invoicing.models import BalanceEntry, CreditLimit, CreditNote, Invoice
from invoicing.services.corrections import (
    NotReissuable,
    discard_draft,
    finish_replacement,
    reissue_invoice,
)
from invoicing.services.credit_decisions import approve_credit
from invoicing.services.credits import credit_invoice
from invoicing.services.drafts import NotADraft
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import Fixed, fix_contract
from invoicing.services.numbering import IssueDateTooEarly
from invoicing.services.payments import record_payment
from tests.books import broken_invariants, line_of, sold
from tests.factories import UserFactory, tax_rate

pytestmark = pytest.mark.django_db

D = Decimal
JAN_1, FEB_1, MAR_1 = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
TODAY = date(2026, 3, 10)


def sell(**fields: Any) -> Contract:
    """A month of 20.00, in January, invoiced."""
    values: dict[str, Any] = {
        "today": date(2025, 12, 31),
        "start_date": JAN_1,
        "end_date": date(2026, 1, 31),
        "lines": [{"unit_price": D(20)}],
    }
    made = sold(**(values | fields))
    run_invoicing(as_of=JAN_1)
    return Contract.objects.get(pk=made.pk)


@pytest.fixture
def contract() -> Contract:
    return sell()


def fix(contract: Contract, price: str = "10", **fields: Any) -> Fixed:
    contract.refresh_from_db()
    values: dict[str, Any] = {
        "effective_date": contract.start_date,
        "reason": "Agreed 10",
        "actor": None,
        "today": TODAY,
    }
    return fix_contract(
        contract=contract,
        changes=TermChanges(
            version=contract.version,
            edits=(
                LineEdit(
                    line_id=contract.lines.order_by("position")[0].pk,
                    unit_price=D(price),
                ),
            ),
        ),
        **(values | fields),
    )


def pay(contract: Contract, amount: str) -> None:
    record_payment(
        bill_group=contract.bill_group,
        amount=D(amount),
        received_on=JAN_1,
        reference="",
        actor=None,
        today=TODAY,
    )


def invoices() -> list[Invoice]:
    return list(Invoice.objects.exclude(number=None).order_by("sequence"))


def left() -> Decimal:
    return sum((entry.left for entry in BalanceEntry.objects.all()), D(0))


def states(contract: Contract) -> list[str]:
    charges = ScheduledCharge.objects.filter(contract=contract).order_by("pk")
    return list(charges.values_list("state", flat=True))


def in_order() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return broken_invariants() == []


class TestFix:
    @pytest.mark.parametrize(
        ("paid", "pays", "on_balance"),
        [
            pytest.param("0", D(10), D(0), id="unpaid"),
            pytest.param("5", D(5), D(0), id="part_paid"),
            pytest.param("20", D(0), D(10), id="paid"),
        ],
    )
    def test_a6_the_table_of_20_that_should_be_10(
        self, contract: Contract, paid: str, pays: Decimal, on_balance: Decimal
    ) -> None:
        if D(paid):
            pay(contract, paid)

        fixed = fix(contract)

        wrong, right = invoices()
        (finished,) = fixed.finished
        assert wrong.status == "CREDITED"
        assert finished.issued == right
        assert (right.total, right.amount_due) == (D(10), pays)
        assert left() == on_balance
        assert in_order()

    def test_a6_what_was_credited_before_counts(self, contract: Contract) -> None:
        (wrong,) = invoices()
        credit_invoice(
            invoice=wrong,
            reason="Part",
            actor=None,
            today=TODAY,
            lines={wrong.lines.get().pk: D(8)},
        )

        fix(contract)

        assert sum(n.total for n in CreditNote.objects.all()) == D(20)
        assert invoices()[1].amount_due == D(10)
        assert in_order()

    def test_a3_goodwill_is_given_again_if_chosen(self, contract: Contract) -> None:
        (wrong,) = invoices()
        gift = credit_invoice(
            invoice=wrong,
            reason="Sorry",
            actor=None,
            today=TODAY,
            lines={wrong.lines.get().pk: D(3)},
            reason_code=CreditReason.GOODWILL,
        )

        (finished,) = fix(contract, give_again=[gift.pk]).finished

        (again,) = finished.given_again
        assert (again.total, again.reason_code) == (D(3), "GOODWILL")
        assert invoices()[1].amount_due == D(7)
        assert in_order()

    def test_a7_a_credit_that_needs_approval_holds_the_replacement(
        self, contract: Contract
    ) -> None:
        pay(contract, "5")
        CreditLimit.objects.create(
            legal_entity=contract.bill_group.legal_entity,
            currency="USD",
            amount=D(10),
        )
        clerk, boss = UserFactory.create(), UserFactory.create()

        (finished,) = fix(contract, actor=clerk).finished

        assert finished.issued is None
        assert finished.credit is not None
        assert finished.credit.status == "TO_APPROVE"
        assert len(invoices()) == 1
        assert in_order()

        approve_credit(note=finished.credit, actor=boss, today=TODAY)

        wrong, right = invoices()
        assert wrong.status == "CREDITED"
        assert (right.balance_applied, right.amount_due) == (D(5), D(5))
        assert in_order()

    def test_a7_all_of_it_or_nothing(self, contract: Contract) -> None:
        before = states(contract)

        with pytest.raises(IssueDateTooEarly):
            fix(contract, today=date(2025, 12, 1))

        assert states(contract) == before

    def test_a4_finished_later_it_comes_to_the_same(self, contract: Contract) -> None:
        (wrong,) = invoices()
        reissue_invoice(invoice=wrong, reason="PO", actor=None, today=TODAY)

        finished = finish_replacement(
            invoice=wrong, reason="PO", actor=None, today=TODAY
        )

        assert finished.issued is not None
        assert finished.issued.total == D(20)
        assert Invoice.objects.get(pk=wrong.pk).status == "CREDITED"
        assert in_order()


class TestReissue:
    def test_a12_takes_todays_address_po_and_tax(self, contract: Contract) -> None:
        group = contract.bill_group
        group.bill_to, group.po_number = "New name", "PO 77"
        group.save()

        replaced = reissue_invoice(
            invoice=invoices()[0], reason="Wrong PO", actor=None, today=TODAY
        )

        assert replaced.draft is not None
        assert replaced.draft.bill_to["name"] == "New name"
        assert replaced.draft.po_number == "PO 77"
        assert replaced.draft.total == D(20)
        assert states(contract) == ["SUPERSEDED", "DRAFTED"]
        assert in_order()

    def test_a12_taxes_of_the_service_dates(self) -> None:
        rate = tax_rate("19")
        contract = sell(lines=[{"unit_price": D(20), "tax_rate": rate}])
        rate.steps.update(percent=D(7))

        replaced = reissue_invoice(
            invoice=invoices()[0], reason="Wrong tax", actor=None, today=TODAY
        )

        assert replaced.draft is not None
        assert replaced.draft.tax == D("1.40")
        assert states(contract) == ["SUPERSEDED", "DRAFTED"]

    def test_a12_a_superseded_or_drafted_one_is_refused(
        self, contract: Contract
    ) -> None:
        (wrong,) = invoices()
        replaced = reissue_invoice(invoice=wrong, reason="PO", actor=None, today=TODAY)
        assert replaced.draft is not None

        for invoice in (wrong, replaced.draft):
            with pytest.raises(NotReissuable):
                reissue_invoice(invoice=invoice, reason="PO", actor=None, today=TODAY)
        with pytest.raises(ReasonMissing):
            reissue_invoice(invoice=wrong, reason=" ", actor=None, today=TODAY)


class TestDiscard:
    def draft(self, contract: Contract) -> Invoice:
        (wrong,) = invoices()
        replaced = reissue_invoice(invoice=wrong, reason="PO", actor=None, today=TODAY)
        assert replaced.draft is not None
        return replaced.draft

    def discard(self, draft: Invoice, **fields: Any) -> Invoice:
        values: dict[str, Any] = {"reason": "No", "actor": None, "today": TODAY}
        return discard_draft(invoice=draft, **(values | fields))

    def test_a11_the_old_invoice_is_kept_as_billed(self, contract: Contract) -> None:
        self.discard(self.draft(contract))

        (wrong,) = invoices()
        assert wrong.status == "OPEN"
        assert states(contract) == ["INVOICED", "SUPERSEDED"]
        assert in_order()
        reissue_invoice(invoice=wrong, reason="Again", actor=None, today=TODAY)
        assert in_order()

    @pytest.mark.parametrize(("skip", "state"), [(False, "PENDING"), (True, "SKIPPED")])
    def test_a11_charges_of_a_runs_draft_are_pending_again_or_skipped(
        self, *, skip: bool, state: str
    ) -> None:
        contract = sold(
            today=date(2025, 12, 31), start_date=JAN_1, end_date=date(2026, 1, 31)
        )
        settings_on(contract)
        run_invoicing(as_of=JAN_1)
        draft = Invoice.objects.get()

        self.discard(draft, skip=skip)

        draft.refresh_from_db()
        assert draft.status == "VOID"
        assert states(contract) == [state]
        assert in_order()

    def test_a11_usage_of_a_discarded_draft_is_rated_again(self) -> None:
        contract = usage_contract()
        settings_on(contract)
        run_invoicing(as_of=FEB_1)
        self.discard(Invoice.objects.get())
        record_usage(
            line=line_of(contract),
            usage_date=date(2026, 1, 9),
            quantity=D(5),
            idempotency_key="b",
            actor=None,
        )

        run_invoicing(as_of=FEB_1)

        draft = Invoice.objects.get(status="DRAFT")
        assert draft.total == D("1.50")
        assert in_order()

    def test_a11_an_issued_invoice_is_not_discarded(self, contract: Contract) -> None:
        with pytest.raises(NotADraft):
            self.discard(invoices()[0])
        with pytest.raises(ReasonMissing):
            self.discard(invoices()[0], reason="")


def settings_on(contract: Contract) -> None:
    """Runs make drafts."""
    InvoicingSettings.objects.update_or_create(
        legal_entity=contract.bill_group.legal_entity,
        defaults={"review_before_issue": True},
    )


def usage_contract() -> Contract:
    contract = sold(
        today=date(2025, 12, 31),
        start_date=JAN_1,
        end_date=date(2026, 3, 31),
        lines=[
            {
                "charge_type": "USAGE",
                "timing": "ARREARS",
                "quantity": None,
                "unit_price": D("0.10"),
            }
        ],
    )
    record_usage(
        line=line_of(contract),
        usage_date=date(2026, 1, 5),
        quantity=D(10),
        idempotency_key="a",
        actor=None,
    )
    return contract


class TestLateUsage:
    """P9: usage that is rated anew takes in what was recorded late."""

    def late(self) -> Contract:
        contract = usage_contract()
        run_invoicing(as_of=FEB_1)
        record_late_usage(
            line=line_of(contract),
            usage_date=date(2026, 1, 20),
            quantity=D(30),
            idempotency_key="late",
            actor=None,
            today=TODAY,
        )
        return contract

    def test_p9_a_pending_late_charge_goes_with_its_period(self) -> None:
        self.late()

        replaced = reissue_invoice(
            invoice=invoices()[0], reason="Usage", actor=None, today=TODAY
        )

        assert replaced.draft is not None
        assert replaced.draft.total == D(4)
        assert not ScheduledCharge.objects.filter(
            late_for__isnull=False, state="PENDING"
        ).exists()
        assert in_order()

    def test_p9_an_invoiced_late_charge_is_corrected_along(self) -> None:
        self.late()
        run_invoicing(as_of=MAR_1)
        january = invoices()[0]

        reissue_invoice(invoice=january, reason="Usage", actor=None, today=TODAY)

        drafts = Invoice.objects.filter(status="DRAFT")
        assert [draft.total for draft in drafts.order_by("bill_date")] == [D(4)]
        assert in_order()

    def test_p9_a_late_charge_moves_to_the_replacement_of_its_own_invoice(
        self,
    ) -> None:
        self.late()
        run_invoicing(as_of=MAR_1)
        march = invoices()[-1]

        replaced = reissue_invoice(invoice=march, reason="PO", actor=None, today=TODAY)

        assert replaced.draft is not None
        assert replaced.draft.total == march.total == D(3)
        assert in_order()


@settings(max_examples=20)
@given(
    st.lists(st.integers(min_value=1, max_value=3000), min_size=1, max_size=3),
    st.lists(st.integers(min_value=1, max_value=3000), max_size=3),
    st.sampled_from([0, 19]),
)
def test_a6_whatever_was_paid_and_amended_the_right_amount_is_claimed(
    prices: list[int], payments: list[int], percent: int
) -> None:
    """Invoices less credit notes are the last amended amount, and no cent is left."""
    rate = tax_rate(str(percent)) if percent else None
    with transaction.atomic():
        contract = sell(lines=[{"unit_price": D(20), "tax_rate": rate}])
        for price, cents in zip(
            prices, [*payments, *([0] * len(prices))], strict=False
        ):
            if cents:
                pay(contract, str(D(cents).scaleb(-2)))
            fix(contract, str(D(price).scaleb(-2)))
        claimed = sum(i.total - i.credited_due - i.credited_paid for i in invoices())
        net = D(prices[-1]).scaleb(-2)
        tax = (net * percent / 100).quantize(D("0.01"), "ROUND_HALF_UP")
        came_in = D(sum(payments[: len(prices)])).scaleb(-2)
        due = sum(i.amount_due for i in invoices())

        assert claimed == net + tax
        assert claimed - due + left() == came_in
        assert in_order()
        transaction.set_rollback(True)
