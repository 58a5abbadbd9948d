from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from contracts.domain.extension import appended
from contracts.domain.schedule import plan
from contracts.domain.terms import ChargeState, ContractTerms, UnplannableTerms
from contracts.models import Contract, ContractLine, ScheduledCharge
from contracts.queries import stored_charges, terms_of
from contracts.services import schedule
from contracts.services.schedule import (
    ChargesChanged,
    extend_contracts,
    reconcile_contracts,
)
from tests.contracts.test_queries import amend
from tests.factories import (
    ContractFactory,
    ContractLineFactory,
    LegalEntityFactory,
    usage_line,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 10)


def charges(contract: Contract, **conditions: Any) -> list[tuple[Any, ...]]:
    """Return a contract's charges: first day, last day, amount, state."""
    rows = ScheduledCharge.objects.filter(contract=contract, **conditions)
    return list(
        rows.order_by("contract_line", "period_start", "pk").values_list(
            "period_start", "period_end", "amount", "state"
        )
    )


def evergreen(**fields: Any) -> Contract:
    """Make an active evergreen contract with a monthly line, planned on TODAY."""
    contract: Contract = ContractFactory.create(
        end_date=None, status="ACTIVE", **fields
    )
    ContractLineFactory.create(contract=contract)
    reconcile_contracts(contract_ids=[contract.pk], today=TODAY)
    contract.refresh_from_db()
    return contract


class TestReconcile:
    def test_planned_charges_are_stored_as_planned(self) -> None:
        """P1, P7."""
        line = ContractLineFactory.create(
            contract__end_date=date(2026, 3, 15),
            quantity=Decimal("2.5"),
            unit_price=Decimal("10.333333"),
            discount_percent=Decimal("12.5"),
        )
        contract = line.contract

        reconcile_contracts(contract_ids=[contract.pk], today=TODAY)

        stored = stored_charges([contract.pk])[contract.pk]
        assert [
            (c.line_id, c.period, c.bill_date, c.quantity, c.unit_price, c.amount)
            for c in stored
        ] == [
            (c.line_id, c.period, c.bill_date, c.quantity, c.unit_price, c.amount)
            for c in plan(terms_of(contract), today=TODAY)
        ]
        row = ScheduledCharge.objects.filter(contract=contract).earliest("period_start")
        assert (row.bill_group_id, row.in_advance) == (contract.bill_group_id, True)
        assert (row.discount_percent, row.external_number) == (Decimal("12.5"), "")

    def test_usage_is_stored_without_an_amount(self) -> None:
        """P9."""
        line = usage_line()

        reconcile_contracts(contract_ids=[line.contract_id], today=TODAY)

        row = ScheduledCharge.objects.filter(contract_line=line).earliest("bill_date")
        assert (row.quantity, row.unit_price, row.amount) == (None, None, None)
        assert not row.in_advance

    def test_reconciling_twice_changes_nothing(self) -> None:
        """P7."""
        contract = evergreen()
        before = list(ScheduledCharge.objects.order_by("pk").values())

        again = reconcile_contracts(contract_ids=[contract.pk], today=TODAY)

        assert again[contract.pk].changes_nothing
        assert list(ScheduledCharge.objects.order_by("pk").values()) == before

    def test_an_earlier_day_never_shortens_the_plan(self) -> None:
        """P7: the plan reaches as far as it did."""
        contract = evergreen()

        again = reconcile_contracts(
            contract_ids=[contract.pk], today=TODAY - timedelta(days=300)
        )

        assert again[contract.pk].changes_nothing
        assert Contract.objects.get().extend_on == contract.extend_on

    def test_changed_terms_replace_what_is_pending(self) -> None:
        """P7: what is on a document, billed elsewhere or skipped stays."""
        line = ContractLineFactory.create(contract__end_date=date(2026, 4, 30))
        contract = line.contract
        reconcile_contracts(contract_ids=[contract.pk], today=TODAY)
        ScheduledCharge.objects.filter(period_start=date(2026, 2, 1)).update(
            state="SKIPPED"
        )
        amend(
            line,
            date(2026, 2, 1),
            unit_price=Decimal(120),
            last_day=date(2026, 3, 31),
        )

        result = reconcile_contracts(contract_ids=[contract.pk], today=TODAY)

        assert len(result[contract.pk].supersede) == 1
        assert len(result[contract.pk].cancel) == 1
        assert charges(contract) == [
            (date(2026, 1, 1), date(2026, 1, 31), Decimal(100), "PENDING"),
            (date(2026, 2, 1), date(2026, 2, 28), Decimal(100), "SKIPPED"),
            (date(2026, 3, 1), date(2026, 3, 31), Decimal(100), "SUPERSEDED"),
            (date(2026, 3, 1), date(2026, 3, 31), Decimal(120), "PENDING"),
            (date(2026, 4, 1), date(2026, 4, 30), Decimal(100), "CANCELED"),
        ]

    def test_a_charge_that_is_no_longer_pending_undoes_everything(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        line = ContractLineFactory.create()
        contract = line.contract
        reconcile_contracts(contract_ids=[contract.pk], today=TODAY)
        read = stored_charges([contract.pk])
        amend(line, date(2026, 1, 1), unit_price=Decimal(120))
        ScheduledCharge.objects.filter(period_start=date(2026, 1, 1)).update(
            state="DRAFTED"
        )
        monkeypatch.setattr(schedule, "stored_charges", lambda ids: read)

        with pytest.raises(ChargesChanged), transaction.atomic():
            reconcile_contracts(contract_ids=[contract.pk], today=TODAY)

        assert not ScheduledCharge.objects.filter(amount=120).exists()

    def test_terms_that_cannot_be_planned_are_refused(self) -> None:
        contract = ContractFactory.create()

        with pytest.raises(UnplannableTerms, match="no lines"):
            reconcile_contracts(contract_ids=[contract.pk], today=TODAY)

    def test_many_contracts_cost_as_many_queries_as_one(
        self, django_assert_max_num_queries: Callable[[int], Any]
    ) -> None:
        ids = [line.contract_id for line in ContractLineFactory.create_batch(5)]

        with django_assert_max_num_queries(7):
            reconcile_contracts(contract_ids=ids, today=TODAY)

        assert ScheduledCharge.objects.count() == 5 * 12


class TestExtend:
    def extend(self, as_of: date) -> int:
        return extend_contracts(as_of=as_of, legal_entity=LegalEntityFactory.create())

    def test_nothing_due_costs_one_look(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        """P1."""
        contract = evergreen()
        legal_entity = contract.bill_group.legal_entity
        assert contract.extend_on is not None
        eve = contract.extend_on - timedelta(days=1)

        with django_assert_num_queries(3):  # begin, look, commit
            extended = extend_contracts(as_of=eve, legal_entity=legal_entity)

        assert extended == 0

    def test_extending_only_appends(self) -> None:
        """P1."""
        contract = evergreen()
        before = list(ScheduledCharge.objects.order_by("pk").values())

        extended = self.extend(date(2026, 2, 1))

        rows = list(ScheduledCharge.objects.order_by("pk").values())
        assert extended == 1
        assert rows[: len(before)] == before
        assert [row["bill_date"] for row in rows[len(before) :]] == [date(2027, 3, 1)]
        contract.refresh_from_db()
        assert contract.extend_on == date(2026, 3, 1)

    def test_extending_every_night_equals_planning_at_once(self) -> None:
        """P1, G7: missed nights heal themselves."""
        nightly = evergreen()
        usage_line(contract=nightly, position=99)
        reconcile_contracts(contract_ids=[nightly.pk], today=TODAY)
        for night in range(1, 120):
            self.extend(TODAY + timedelta(days=night))
        last_night = TODAY + timedelta(days=119)

        planned = plan(terms_of(nightly), today=last_night)

        stored = stored_charges([nightly.pk])[nightly.pk]
        assert sorted((c.line_id, c.period.start, c.period.end) for c in stored) == (
            sorted((c.line_id, c.period.start, c.period.end) for c in planned)
        )

    def test_a_line_that_an_amendment_ended_is_not_extended(self) -> None:
        """A1, P1."""
        contract = evergreen()
        amend(contract.lines.get(), date(2026, 2, 1), last_day=date(2026, 1, 31))
        reconcile_contracts(contract_ids=[contract.pk], today=TODAY)
        contract.refresh_from_db()

        assert contract.extend_on is None
        assert self.extend(date(2030, 1, 1)) == 0

    def test_only_the_legal_entity_of_the_run_is_extended(self) -> None:
        evergreen()
        other = LegalEntityFactory.create(name="Somebody else")

        assert extend_contracts(as_of=date(2026, 5, 1), legal_entity=other) == 0
        assert self.extend(date(2026, 5, 1)) == 1

    def test_contracts_are_extended_in_portions(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(schedule, "EXTENDED_AT_ONCE", 2)
        for _ in range(5):
            evergreen()

        assert self.extend(date(2026, 5, 1)) == 5
        assert not Contract.objects.filter(extend_on__lte=date(2026, 5, 1)).exists()

    def test_a_contract_that_cannot_be_planned_does_not_stop_the_others(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """G13."""
        broken, sound = evergreen(start_date=date(2026, 1, 2)), evergreen()

        def append_sound(terms: ContractTerms, **arguments: Any) -> Any:
            if terms.start == broken.start_date:
                raise UnplannableTerms("It makes no sense.", field="start")
            return appended(terms, **arguments)

        monkeypatch.setattr(schedule, "appended", append_sound)

        extended = self.extend(date(2026, 5, 1))

        assert extended == 1
        assert f"contract {broken.pk} can't be extended" in caplog.text
        sound.refresh_from_db()
        assert sound.extend_on is not None
        assert sound.extend_on > date(2026, 5, 1)


@pytest.mark.django_db(transaction=True)
def test_contracts_that_somebody_else_holds_are_left_for_the_next_night() -> None:
    """P1: extending never waits."""
    held, free = evergreen(), evergreen()
    legal_entity = held.bill_group.legal_entity
    as_of = date(2026, 2, 1)
    extended: list[int] = []

    def extend() -> None:
        extended.append(extend_contracts(as_of=as_of, legal_entity=legal_entity))
        connection.close()

    with transaction.atomic():
        Contract.objects.select_for_update(no_key=True).get(pk=held.pk)
        thread = Thread(target=extend)
        thread.start()
        thread.join(timeout=20)
    extend()

    assert extended == [1, 1]
    assert Contract.objects.filter(extend_on__lte=as_of).count() == 0
    assert ScheduledCharge.objects.filter(contract=free).count() == (
        ScheduledCharge.objects.filter(contract=held).count()
    )


def test_the_database_refuses_a_charge_on_a_day_that_is_planned() -> None:
    """P8: also for COPY."""
    line: ContractLine = ContractLineFactory.create()
    reconcile_contracts(contract_ids=[line.contract_id], today=TODAY)
    [again] = plan(terms_of(line.contract), today=TODAY)[:1]

    with pytest.raises(IntegrityError, match="charged twice"), transaction.atomic():
        schedule.insert_charges(
            schedule.charge_lines(
                [again],
                contract_id=line.contract_id,
                bill_group_id=line.contract.bill_group_id,
            )
        )

    assert ScheduledCharge.objects.filter(state=ChargeState.PENDING).count() == 12
