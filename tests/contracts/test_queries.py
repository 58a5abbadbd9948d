from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.domain.period import Period
from contracts.domain.rating import TariffModel
from contracts.domain.terms import ChargeState, ChargeType, Timing
from contracts.models import (
    Amendment,
    Contract,
    ContractLine,
    LineChange,
    ScheduledCharge,
    UsageRecord,
)
from contracts.queries import (
    pending_charges,
    pending_invoices,
    stored_charges,
    tariff_on,
    terms_of,
    terms_of_contracts,
    usage_of_charges,
)
from tests.factories import (
    BillGroupFactory,
    ContractFactory,
    ContractLineFactory,
    usage_line,
)

pytestmark = pytest.mark.django_db

START = date(2026, 1, 1)
MARCH = date(2026, 3, 1)


def amend(line: ContractLine, effective_date: date, **changes: Any) -> LineChange:
    """Store an amendment of one line."""
    amendment = Amendment.objects.create(
        contract=line.contract, effective_date=effective_date, reason="Agreed"
    )
    return LineChange.objects.create(amendment=amendment, line=line, **changes)


def charge(line: ContractLine, first: date, last: date, **fields: Any) -> Any:
    """Store a charge of a line, pending and 100.00 unless said otherwise."""
    values: dict[str, Any] = {
        "contract": line.contract,
        "bill_group": line.contract.bill_group,
        "bill_date": first,
        "in_advance": line.timing == Timing.ADVANCE,
        "quantity": Decimal(1),
        "unit_price": Decimal(100),
        "amount": Decimal(100),
    }
    return ScheduledCharge.objects.create(
        contract_line=line, period_start=first, period_end=last, **(values | fields)
    )


class TestTerms:
    def test_a_contract_has_the_terms_of_its_columns(self) -> None:
        contract = ContractFactory.create(bill_month=1, bill_day=5)
        line = ContractLineFactory.create(
            contract=contract, quantity=Decimal(3), end_date=date(2026, 6, 30)
        )

        terms = terms_of(contract)

        assert (terms.start, terms.end, terms.last_day) == (
            START,
            date(2026, 12, 31),
            None,
        )
        assert (terms.bill_day, terms.bill_month, terms.currency) == (5, 1, "USD")
        [planned] = terms.lines
        assert (planned.line_id, planned.charge_type, planned.months) == (
            line.pk,
            ChargeType.RECURRING,
            1,
        )
        assert (planned.start, planned.agreed_end) == (START, date(2026, 6, 30))
        assert planned.stretches[0].rates.price == Decimal(300)

    def test_bill_day_is_that_of_the_start_unless_given(self) -> None:
        """P2."""
        contract = ContractFactory.create(start_date=date(2026, 1, 31))

        assert terms_of(contract).bill_day == 31

    def test_lines_come_in_the_order_of_their_positions(self) -> None:
        contract = ContractFactory.create()
        second = ContractLineFactory.create(contract=contract, position=2)
        first = ContractLineFactory.create(contract=contract, position=1)

        lines = terms_of(contract).lines

        assert [line.line_id for line in lines] == [first.pk, second.pk]

    def test_amendments_are_laid_over_the_original_terms(self) -> None:
        """A1: the latest effective date, the newest amendment where they are equal."""
        line = ContractLineFactory.create()
        amend(line, date(2026, 6, 1), unit_price=Decimal(130))
        amend(line, MARCH, unit_price=Decimal(110))
        amend(line, MARCH, unit_price=Decimal(120), quantity=Decimal(2))

        [planned] = terms_of(line.contract).lines

        assert [
            (stretch.from_date, stretch.rates.unit_price, stretch.rates.quantity)
            for stretch in planned.stretches
        ] == [
            (START, Decimal(100), Decimal(1)),
            (MARCH, Decimal(120), Decimal(2)),
            (date(2026, 6, 1), Decimal(130), Decimal(2)),
        ]

    def test_an_amendment_ends_a_line(self) -> None:
        """A1."""
        line = ContractLineFactory.create()
        amend(line, MARCH, last_day=date(2026, 2, 28))

        assert terms_of(line.contract).lines[0].last_day == date(2026, 2, 28)

    def test_many_contracts_cost_three_queries(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        lines = [*ContractLineFactory.create_batch(4), usage_line()]
        amend(lines[0], MARCH, quantity=Decimal(2))
        ids = [line.contract_id for line in lines]

        with django_assert_num_queries(3):
            terms = terms_of_contracts(ids)

        assert terms.keys() == set(ids)

    def test_stored_charges_are_the_live_ones(self) -> None:
        line = ContractLineFactory.create()
        february = charge(line, date(2026, 2, 1), date(2026, 2, 28), state="INVOICED")
        charge(line, START, date(2026, 1, 31), state="SUPERSEDED")
        january = charge(line, START, date(2026, 1, 31), state="EXTERNAL")
        charge(line, MARCH, date(2026, 3, 31), state="CANCELED")

        stored = stored_charges([line.contract_id])[line.contract_id]

        assert [(item.id, item.state) for item in stored] == [
            (january.pk, ChargeState.EXTERNAL),
            (february.pk, ChargeState.INVOICED),
        ]
        assert stored[0].period == Period(START, date(2026, 2, 1))
        assert stored[0].amount == Decimal(100)


class TestPendingInvoices:
    def test_charges_of_a_bill_date_are_one_pending_invoice(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        """P6: across contracts of the bill group."""
        group = BillGroupFactory.create()
        contracts = ContractFactory.create_batch(2, bill_group=group)
        lines = [ContractLineFactory.create(contract=c) for c in contracts]
        for line in lines:
            charge(line, START, date(2026, 1, 31))
        charge(lines[0], MARCH, date(2026, 3, 31), amount=Decimal("12.5"))
        charge(lines[1], MARCH, date(2026, 3, 31), state="INVOICED")

        with django_assert_num_queries(1):
            found = pending_invoices([group.pk])

        assert [
            (invoice.bill_date, invoice.charges, str(invoice.subtotal))
            for invoice in found
        ] == [(START, 2, "200.00"), (MARCH, 1, "12.50")]
        assert {invoice.currency for invoice in found} == {"USD"}

    def test_subtotal_has_the_digits_of_its_currency(self) -> None:
        """M1."""
        group = BillGroupFactory.create(currency="JPY")
        line = ContractLineFactory.create(contract__bill_group=group)
        charge(line, START, date(2026, 1, 31), amount=Decimal(1200))

        assert str(pending_invoices([group.pk])[0].subtotal) == "1200"

    def test_usage_that_is_not_rated_is_counted_and_adds_nothing(self) -> None:
        """P9."""
        line = usage_line()
        charge(line, START, date(2026, 1, 31), amount=None, quantity=None)

        [found] = pending_invoices([line.contract.bill_group_id])

        assert (found.charges, found.unrated, str(found.subtotal)) == (1, 1, "0.00")

    def test_bill_groups_can_be_given_as_a_query(self) -> None:
        line = ContractLineFactory.create()
        charge(line, START, date(2026, 1, 31))
        account = line.contract.bill_group.account

        assert len(pending_invoices(account.bill_groups.all())) == 1

    def test_charges_of_a_pending_invoice_come_in_the_order_of_its_lines(self) -> None:
        contract: Contract = ContractFactory.create()
        second = ContractLineFactory.create(contract=contract, position=2)
        first = ContractLineFactory.create(contract=contract, position=1)
        for line in (second, first):
            charge(line, START, date(2026, 1, 31))
        charge(first, MARCH, date(2026, 3, 31))

        found = pending_charges(bill_group=contract.bill_group, bill_date=START)

        assert [row.contract_line_id for row in found] == [first.pk, second.pk]


class TestUsage:
    def record(self, line: ContractLine, day: date, quantity: str) -> None:
        UsageRecord.objects.create(
            line=line,
            usage_date=day,
            quantity=Decimal(quantity),
            idempotency_key=f"{line.pk} {day} {quantity}",
        )

    def usage_charge(self, line: ContractLine, first: date, last: date) -> Any:
        return charge(line, first, last, amount=None, quantity=None, unit_price=None)

    def test_quantities_within_the_period_are_summed(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        """P9."""
        line, other = usage_line(), usage_line()
        january = self.usage_charge(line, START, date(2026, 1, 31))
        february = self.usage_charge(line, date(2026, 2, 1), date(2026, 2, 28))
        elsewhere = self.usage_charge(other, START, date(2026, 1, 31))
        self.record(line, START, "1.5")
        self.record(line, date(2026, 1, 31), "2.25")
        self.record(line, date(2026, 2, 1), "7")

        with django_assert_num_queries(2):
            usage = usage_of_charges([january.pk, february.pk, elsewhere.pk])

        assert {key: used for key, (used, _) in usage.items()} == {
            january.pk: Decimal("3.75"),
            february.pk: Decimal(7),
            elsewhere.pk: Decimal(0),
        }

    def test_tariff_is_at_the_terms_of_the_last_day(self) -> None:
        """P9, A1."""
        line = usage_line(included_quantity=Decimal(10), discount_percent=Decimal(5))
        january = self.usage_charge(line, START, date(2026, 1, 31))
        february = self.usage_charge(line, date(2026, 2, 1), date(2026, 2, 28))
        amend(
            line,
            date(2026, 1, 31),
            unit_price=Decimal("0.20"),
            included_quantity=Decimal(0),
        )
        amend(line, MARCH, unit_price=Decimal(9))

        usage = usage_of_charges([january.pk, february.pk])

        for _, tariff in usage.values():
            assert tariff.model is TariffModel.PER_UNIT
            assert tariff.unit_price == Decimal("0.20")
            assert tariff.included_quantity == 0
            assert tariff.discount_percent == 5

    def test_tiers_can_come_and_go_by_amendment(self) -> None:
        """P9, A1."""
        line = usage_line()
        amend(line, MARCH, tiers="graduated 100:0.50;*:0.30")
        amend(line, date(2026, 6, 1), tiers="")

        models = [
            tariff_on(line, day).model
            for day in (START, MARCH, date(2026, 5, 31), date(2026, 6, 1))
        ]

        assert models == [
            TariffModel.PER_UNIT,
            TariffModel.GRADUATED,
            TariffModel.GRADUATED,
            TariffModel.PER_UNIT,
        ]

    def test_tiers_without_a_unit_price(self) -> None:
        line = usage_line(unit_price=None, tiers="volume 10:2;*:1")

        tariff = tariff_on(line, START)

        assert tariff.model is TariffModel.VOLUME
        assert [tier.unit_price for tier in tariff.tiers] == [2, 1]
