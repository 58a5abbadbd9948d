"""What the database refuses of charges, whoever asks (P8, M3).

Raw updates go past every service and form. Each test fails where its constraint or
trigger is missing.
"""

from datetime import date
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from psycopg import errors

from billing.models import BillGroup
from contracts.models import Contract, ContractLine, ScheduledCharge
from tests.contracts.test_guards import refused
from tests.contracts.test_queries import charge
from tests.factories import BillGroupFactory, ContractFactory, ContractLineFactory

pytestmark = pytest.mark.django_db

JANUARY = (date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))


@pytest.fixture
def line() -> ContractLine:
    made: ContractLine = ContractLineFactory.create()
    return made


class TestCharges:
    @pytest.mark.parametrize(
        ("values", "name"),
        [
            ({"state": "LOST"}, "charge_state_known"),
            (
                {"period_start": date(2026, 2, 1)},
                "charge_ends_on_or_after_its_start",
            ),
            ({"amount": -1}, "charge_amounts_are_not_negative"),
            ({"quantity": -1}, "charge_amounts_are_not_negative"),
            ({"unit_price": -1}, "charge_amounts_are_not_negative"),
        ],
    )
    def test_a_charge_that_makes_no_sense(
        self, line: ContractLine, values: dict[str, Any], name: str
    ) -> None:
        charge(line, *JANUARY)

        with refused(name):
            ScheduledCharge.objects.update(**values)

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(JANUARY, id="same_days"),
            pytest.param((date(2026, 1, 31), date(2026, 2, 27)), id="last_day"),
            pytest.param((date(2025, 12, 2), date(2026, 1, 1)), id="first_day"),
            pytest.param((date(2026, 1, 10), date(2026, 1, 10)), id="within"),
            pytest.param((date(2025, 1, 1), date(2026, 12, 31)), id="around"),
        ],
    )
    @pytest.mark.parametrize(
        "state", ["PENDING", "DRAFTED", "INVOICED", "EXTERNAL", "SKIPPED"]
    )
    def test_a_second_live_charge_on_a_day(
        self, line: ContractLine, state: str, other: tuple[date, date]
    ) -> None:
        """P8."""
        charge(line, *JANUARY, state=state)

        with refused("charged twice"):
            charge(line, *other)

    def test_two_charges_of_one_statement_on_a_day(self, line: ContractLine) -> None:
        """P8: nor within one INSERT or COPY."""
        first = charge(line, *FEBRUARY, state="CANCELED")
        rows = [
            ScheduledCharge(
                **{
                    field.attname: getattr(first, field.attname)
                    for field in ScheduledCharge._meta.concrete_fields
                    if not field.primary_key and field.name != "state"
                }
            )
            for _ in range(2)
        ]

        with refused("charged twice"):
            ScheduledCharge.objects.bulk_create(rows)

    def test_the_refusal_is_told_from_others_by_its_constraint(
        self, line: ContractLine
    ) -> None:
        charge(line, *JANUARY)

        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            charge(line, *JANUARY)

        cause = refusal.value.__cause__
        assert isinstance(cause, errors.ExclusionViolation)
        assert cause.diag.constraint_name == "charge_days_billed_once"

    @pytest.mark.parametrize("state", ["SUPERSEDED", "CANCELED"])
    def test_a_charge_that_is_no_longer_live_frees_its_days(
        self, line: ContractLine, state: str
    ) -> None:
        charge(line, *JANUARY, state=state)

        charge(line, *JANUARY)

    def test_neighbours_and_other_lines_share_no_day(self, line: ContractLine) -> None:
        other = ContractLineFactory.create(contract=line.contract, position=99)

        charge(line, *JANUARY)
        charge(line, *FEBRUARY)
        charge(other, *JANUARY)

    @pytest.mark.parametrize(
        "values",
        [
            pytest.param({"state": "PENDING"}, id="revived"),
            pytest.param(
                {"state": "INVOICED", "period_start": date(2026, 1, 10)},
                id="revived_in_part",
            ),
        ],
    )
    def test_a_revived_charge_on_a_day_that_is_taken(
        self, line: ContractLine, values: dict[str, Any]
    ) -> None:
        """P8."""
        old = charge(line, *JANUARY, state="CANCELED")
        charge(line, *JANUARY)

        with refused("charged twice"):
            ScheduledCharge.objects.filter(pk=old.pk).update(**values)

    @pytest.mark.parametrize(
        "values",
        [
            pytest.param({"period_start": date(2026, 1, 31)}, id="earlier_start"),
            pytest.param({"period_end": date(2026, 3, 1)}, id="later_end"),
        ],
    )
    def test_a_charge_that_grows_into_another(
        self, line: ContractLine, values: dict[str, Any]
    ) -> None:
        """P8."""
        charge(line, *JANUARY)
        growing = charge(line, *FEBRUARY)
        charge(line, date(2026, 3, 1), date(2026, 3, 31))

        with refused("charged twice"):
            ScheduledCharge.objects.filter(pk=growing.pk).update(**values)

    def test_a_charge_that_moves_to_a_line_that_is_charged(
        self, line: ContractLine
    ) -> None:
        """P8."""
        other = ContractLineFactory.create(contract=line.contract, position=99)
        charge(line, *JANUARY)
        moving = charge(other, *JANUARY)

        with refused("charged twice"):
            ScheduledCharge.objects.filter(pk=moving.pk).update(contract_line=line)

    def test_a_charge_that_shrinks_or_is_skipped_is_fine(
        self, line: ContractLine
    ) -> None:
        charge(line, *JANUARY)

        ScheduledCharge.objects.update(period_end=date(2026, 1, 20), state="SKIPPED")

    @pytest.mark.parametrize(
        "values",
        [
            {"amount": 1},
            {"quantity": 2},
            {"unit_price": 1},
            {"discount_percent": 1},
            {"period_start": date(2026, 1, 2)},
            {"period_end": date(2026, 1, 30)},
            {"bill_date": date(2026, 1, 2)},
            {"in_advance": False},
            {"external_number": "OLD-1"},
            {"state": "PENDING", "unit_price": 1},
            {"state": "SUPERSEDED", "amount": 1},
        ],
        ids="_and_".join,
    )
    def test_a_change_of_what_an_invoiced_charge_says(
        self, line: ContractLine, values: dict[str, Any]
    ) -> None:
        """M3."""
        charge(line, *JANUARY, state="INVOICED")

        with refused("is invoiced and does not change"):
            ScheduledCharge.objects.update(**values)

    def test_an_invoiced_charge_is_superseded_or_reopened(
        self, line: ContractLine
    ) -> None:
        """A3, P9: usage that is pending again loses its rating."""
        first = charge(line, *JANUARY, state="INVOICED")
        second = charge(line, *FEBRUARY, state="INVOICED")

        ScheduledCharge.objects.filter(pk=first.pk).update(state="SUPERSEDED")
        ScheduledCharge.objects.filter(pk=second.pk).update(
            state="PENDING", amount=None, quantity=None
        )

    @pytest.mark.parametrize("state", ["PENDING", "CANCELED", "INVOICED"])
    def test_a_deleted_charge(self, line: ContractLine, state: str) -> None:
        """M3: of whatever state."""
        charge(line, *JANUARY, state=state)

        with refused("are never deleted"):
            ScheduledCharge.objects.all()._raw_delete("default")


class TestOwnersOfCharges:
    """A charge names the contract of its line, and the bill group of that contract."""

    @pytest.mark.parametrize("owner", ["contract", "bill_group"])
    def test_a_charge_of_another_owner(self, line: ContractLine, owner: str) -> None:
        other = ContractLineFactory.create().contract
        others: dict[str, Any] = {"contract": other, "bill_group": other.bill_group}

        with refused("names another contract or bill group"):
            charge(line, *JANUARY, **{owner: others[owner]})

    @pytest.mark.parametrize("owner", ["contract_id", "bill_group_id"])
    def test_a_charge_of_nobody(self, line: ContractLine, owner: str) -> None:
        nobody: dict[str, Any] = {owner: 2**62}

        with refused("names another contract or bill group"):
            charge(line, *JANUARY, **nobody)

    @pytest.mark.parametrize("owner", ["contract_line", "contract", "bill_group"])
    def test_a_charge_that_moves_to_another_owner(
        self, line: ContractLine, owner: str
    ) -> None:
        other = ContractLineFactory.create()
        others = {
            "contract_line": other,
            "contract": other.contract,
            "bill_group": other.contract.bill_group,
        }
        charge(line, *JANUARY)

        with refused("names another contract or bill group"):
            ScheduledCharge.objects.update(**{owner: others[owner]})

    def test_a_charge_may_move_with_all_its_owners(self, line: ContractLine) -> None:
        other = ContractLineFactory.create()
        charge(line, *JANUARY)

        ScheduledCharge.objects.update(
            contract_line=other,
            contract=other.contract,
            bill_group=other.contract.bill_group,
        )

    def test_a_contract_with_charges_keeps_its_bill_group(
        self, line: ContractLine
    ) -> None:
        charge(line, *JANUARY)

        with refused("has charges and keeps its bill group"):
            Contract.objects.filter(pk=line.contract_id).update(
                bill_group=BillGroupFactory.create()
            )

    def test_a_line_with_charges_keeps_its_contract(self, line: ContractLine) -> None:
        charge(line, *JANUARY)

        with refused("has charges and keeps its contract"):
            ContractLine.objects.update(contract=ContractFactory.create())

    @pytest.mark.parametrize("model", [BillGroup, Contract, ContractLine])
    def test_an_owner_of_charges_stays(
        self, line: ContractLine, model: type[Model]
    ) -> None:
        """Without a key of its own: the line keeps its contract, that its group."""
        charge(line, *JANUARY)

        with refused("violates foreign key constraint"):
            model._base_manager.all()._raw_delete("default")
            connection.check_constraints()


@pytest.mark.django_db(transaction=True)
def test_a_contract_does_not_change_its_bill_group_while_it_is_charged() -> None:
    """The change waits for the charge, then sees it."""
    line = ContractLineFactory.create()
    other = BillGroupFactory.create()
    outcomes: list[str] = []

    def move() -> None:
        try:
            Contract.objects.filter(pk=line.contract_id).update(bill_group=other)
            outcomes.append("moved")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    with transaction.atomic():
        charge(line, *JANUARY)
        thread = Thread(target=move)
        thread.start()
        thread.join(timeout=1)
        assert thread.is_alive(), "the change did not wait"
    thread.join(timeout=20)

    assert outcomes == ["refused"]


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_cannot_charge_one_day_twice() -> None:
    """P8: the second waits for the first, then sees its charge."""
    line = ContractLineFactory.create()
    outcomes: list[str] = []

    def write() -> None:
        try:
            charge(line, *JANUARY)
            outcomes.append("written")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    with transaction.atomic():
        charge(line, *JANUARY)
        thread = Thread(target=write)
        thread.start()
        thread.join(timeout=1)
        assert thread.is_alive(), "the second writer did not wait"
    thread.join(timeout=20)

    assert outcomes == ["refused"]
    assert ScheduledCharge.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_revivals_at_once_cannot_charge_one_day_twice() -> None:
    """P8."""
    line = ContractLineFactory.create()
    for _ in range(2):
        charge(line, *JANUARY, state="CANCELED")
    first, second = ScheduledCharge.objects.order_by("pk")
    outcomes: list[str] = []

    def revive() -> None:
        try:
            ScheduledCharge.objects.filter(pk=second.pk).update(state="PENDING")
            outcomes.append("revived")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    with transaction.atomic():
        ScheduledCharge.objects.filter(pk=first.pk).update(state="PENDING")
        thread = Thread(target=revive)
        thread.start()
        thread.join(timeout=1)
    thread.join(timeout=20)

    assert outcomes == ["refused"]
