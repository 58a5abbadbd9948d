"""What the database refuses of contracts, usage and imports, whoever asks.

Raw updates go past every service and form. Each test fails where its constraint or
trigger is missing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from contracts.models import (
    Amendment,
    Contract,
    ContractImport,
    ContractLine,
    LineChange,
    Product,
    UsageRecord,
)
from tests.contracts.test_queries import amend
from tests.factories import (
    ContractFactory,
    ContractLineFactory,
    LegalEntityFactory,
    ProductFactory,
    usage_line,
)

pytestmark = pytest.mark.django_db

JANUARY = (date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))


@contextmanager
def refused(name: str) -> Iterator[None]:
    """Expect the database to refuse what is done, naming the constraint or the rule."""
    with pytest.raises(DatabaseError, match=name), transaction.atomic():
        yield


@pytest.fixture
def line() -> ContractLine:
    made: ContractLine = ContractLineFactory.create()
    return made


class TestContracts:
    @pytest.mark.parametrize(
        ("values", "name"),
        [
            ({"status": "PAUSED"}, "contract_status_known"),
            (
                {"end_date": date(2025, 12, 31)},
                "contract_ends_on_or_after_its_start",
            ),
            ({"bill_day": 0}, "contract_bill_day_between_1_and_31"),
            ({"bill_day": 32}, "contract_bill_day_between_1_and_31"),
            ({"bill_month": 0}, "contract_bill_month_between_1_and_12"),
            ({"bill_month": 13}, "contract_bill_month_between_1_and_12"),
        ],
    )
    def test_a_contract_that_makes_no_sense(
        self, values: dict[str, Any], name: str
    ) -> None:
        contract = ContractFactory.create()

        with refused(name):
            Contract.objects.filter(pk=contract.pk).update(**values)

    def test_a_contract_may_last_one_day(self) -> None:
        ContractFactory.create(end_date=date(2026, 1, 1))

    def test_two_contracts_of_one_number(self) -> None:
        first, second = ContractFactory.create_batch(2)

        with refused("contracts_contract_number"):
            Contract.objects.filter(pk=second.pk).update(number=first.number)

    @pytest.mark.parametrize(
        "values",
        [
            {"number": "C-other"},
            {"start_date": date(2026, 1, 2)},
            {"bill_day": 7},
            {"bill_month": 3},
            {"status": "DRAFT"},
            {"bill_group": "another"},
        ],
        ids=lambda values: next(iter(values)),
    )
    @pytest.mark.parametrize("status", ["ACTIVE", "CANCELED", "ENDED"])
    def test_changed_terms_of_a_contract_that_is_no_draft(
        self, status: str, values: dict[str, Any]
    ) -> None:
        """A1: amend it instead."""
        contract = ContractFactory.create(status=status)
        if "bill_group" in values:
            values = {"bill_group": ContractFactory.create().bill_group}

        with refused("amend it instead"):
            Contract.objects.filter(pk=contract.pk).update(**values)

    def test_what_is_no_term_changes_all_the_same(self) -> None:
        contract = ContractFactory.create(status="ACTIVE")

        Contract.objects.filter(pk=contract.pk).update(
            last_day=date(2026, 6, 30),
            extend_on=date(2026, 2, 1),
            status="CANCELED",
            custom_fields={"team": "North"},
        )

    def test_a_draft_changes_freely_and_can_be_deleted(self) -> None:
        contract = ContractFactory.create()

        Contract.objects.filter(pk=contract.pk).update(number="C-other", bill_day=7)
        contract.delete()

        assert not Contract.objects.exists()

    def test_a_contract_that_is_no_draft_is_not_deleted(self) -> None:
        ContractFactory.create(status="ACTIVE")

        with refused("is never deleted"):
            Contract.objects.all()._raw_delete("default")


class TestLines:
    @pytest.mark.parametrize(
        ("values", "name"),
        [
            ({"frequency_months": None}, "line_frequency_fits_its_charge_type"),
            ({"frequency_months": 0}, "line_frequency_fits_its_charge_type"),
            ({"frequency_months": 61}, "line_frequency_fits_its_charge_type"),
            (
                {"charge_type": "ONE_TIME", "frequency_months": 1},
                "line_frequency_fits_its_charge_type",
            ),
            (
                {"charge_type": "USAGE", "quantity": None, "timing": "ADVANCE"},
                "line_usage_is_billed_in_arrears",
            ),
            ({"quantity": None}, "line_has_the_price_of_its_charge_type"),
            ({"unit_price": None}, "line_has_the_price_of_its_charge_type"),
            ({"tiers": "volume *:1"}, "line_has_the_price_of_its_charge_type"),
            ({"included_quantity": 5}, "line_has_the_price_of_its_charge_type"),
            (
                {"charge_type": "USAGE", "timing": "ARREARS"},
                "line_has_the_price_of_its_charge_type",
            ),
            ({"quantity": -1}, "line_amounts_are_not_negative"),
            ({"unit_price": Decimal("-0.01")}, "line_amounts_are_not_negative"),
            ({"discount_percent": -1}, "line_amounts_are_not_negative"),
            ({"discount_percent": 101}, "line_amounts_are_not_negative"),
            (
                {"start_date": date(2026, 2, 2), "end_date": date(2026, 2, 1)},
                "line_ends_on_or_after_its_start",
            ),
        ],
    )
    def test_a_line_that_makes_no_sense(
        self, line: ContractLine, values: dict[str, Any], name: str
    ) -> None:
        with refused(name):
            ContractLine.objects.filter(pk=line.pk).update(**values)

    def test_usage_with_a_negative_included_quantity(self) -> None:
        with refused("line_amounts_are_not_negative"):
            usage_line(included_quantity=-1)

    def test_usage_without_any_price(self) -> None:
        with refused("line_has_the_price_of_its_charge_type"):
            usage_line(unit_price=None)

    def test_two_lines_in_one_place(self, line: ContractLine) -> None:
        with refused("line_position_once_in_a_contract"):
            ContractLineFactory.create(contract=line.contract, position=line.position)

    @pytest.mark.parametrize("status", ["ACTIVE", "CANCELED", "ENDED"])
    def test_a_changed_line_of_a_contract_that_is_no_draft(
        self, line: ContractLine, status: str
    ) -> None:
        """A1: amend it instead."""
        Contract.objects.update(status=status)

        with refused("amend it instead"):
            ContractLine.objects.filter(pk=line.pk).update(unit_price=1)

    def test_a_deleted_line_of_an_active_contract(self, line: ContractLine) -> None:
        Contract.objects.update(status="ACTIVE")

        with refused("amend it instead"):
            ContractLine.objects.all()._raw_delete("default")

    def test_lines_of_a_draft_change_and_go(self, line: ContractLine) -> None:
        ContractLine.objects.filter(pk=line.pk).update(unit_price=1)
        line.delete()

        assert not ContractLine.objects.exists()


class TestAmendments:
    def test_an_amendment_stands(self, line: ContractLine) -> None:
        """A1."""
        amend(line, date(2026, 2, 1), quantity=Decimal(2))

        with refused("does not change"):
            Amendment.objects.update(reason="Another")
        with refused("append-only"):
            LineChange.objects.update(quantity=3)
        with refused("append-only"):
            LineChange.objects.all()._raw_delete("default")
        amendment_of_no_line = Amendment.objects.create(
            contract=line.contract, effective_date=date(2026, 2, 1), reason="None"
        )
        with refused("never deleted"):
            Amendment.objects.filter(pk=amendment_of_no_line.pk)._raw_delete("default")

    def test_the_terms_after_an_amendment_are_stored_once(
        self, line: ContractLine
    ) -> None:
        amend(line, date(2026, 2, 1), quantity=Decimal(2))
        Amendment.objects.update(terms_after={"lines": []})

        with refused("does not change"):
            Amendment.objects.update(terms_after={"lines": [1]})

    def test_an_amendment_changes_a_line_once(self, line: ContractLine) -> None:
        change = amend(line, date(2026, 2, 1), quantity=Decimal(2))

        with refused("line_changed_once_by_an_amendment"):
            LineChange.objects.create(amendment=change.amendment, line=line)

    @pytest.mark.parametrize(
        "values",
        [
            {"quantity": -1},
            {"unit_price": -1},
            {"included_quantity": -1},
            {"discount_percent": -1},
            {"discount_percent": 101},
        ],
        ids=str,
    )
    def test_a_change_to_a_negative_amount(
        self, line: ContractLine, values: dict[str, Any]
    ) -> None:
        """M9."""
        with refused("line_change_amounts_are_not_negative"):
            amend(line, date(2026, 2, 1), **values)


class TestUsage:
    def test_a_negative_quantity(self) -> None:
        """M9."""
        with refused("usage_is_negative_only_to_take_back"):
            record(usage_line(), quantity=-1)

    @pytest.mark.parametrize(
        "values",
        [
            {"quantity": 2},
            {"quantity": -1},
            {"usage_date": date(2026, 1, 16)},
            {"line": None},
        ],
        ids=str,
    )
    def test_another_record_than_the_one_that_is_taken_back(
        self, values: dict[str, Any]
    ) -> None:
        """P9."""
        recorded = record(usage_line(), quantity=2)
        if "line" in values:
            values = {"line": usage_line()}
        taking: dict[str, Any] = {
            "line": recorded.line,
            "quantity": -2,
            "idempotency_key": "b",
        }

        with refused("taken back whole"):
            record(**(taking | values), takes_back=recorded)

    def test_taking_back_what_takes_back_or_is_taken_back(self) -> None:
        """P9."""
        line = usage_line()
        recorded = record(line, quantity=0)
        taking = record(line, quantity=0, idempotency_key="b", takes_back=recorded)

        with refused("contracts_usagerecord_takes_back_id_key"):
            record(line, quantity=0, idempotency_key="c", takes_back=recorded)
        with refused("taken back whole"):
            record(line, quantity=0, idempotency_key="d", takes_back=taking)

    def test_a_change_or_the_end_of_a_record(self) -> None:
        """P9."""
        recorded = record(usage_line())

        with refused("Recorded usage never changes"):
            UsageRecord.objects.update(quantity=2)
        with refused("Recorded usage never changes"):
            recorded.delete()

    def test_one_key_for_two_records(self) -> None:
        """P9."""
        line = usage_line()
        record(line)

        with refused("contracts_usagerecord_idempotency_key"):
            record(line, quantity=2)


def record(line: ContractLine, **fields: Any) -> UsageRecord:
    """Store usage past the service."""
    values: dict[str, Any] = {
        "usage_date": date(2026, 1, 15),
        "quantity": 1,
        "idempotency_key": "k-1",
    }
    return UsageRecord.objects.create(line=line, **(values | fields))


class TestImports:
    def stored(self, **fields: Any) -> ContractImport:
        values: dict[str, Any] = {
            "legal_entity": LegalEntityFactory.create(),
            "file_name": "contracts.csv",
            "content": b"x",
            "sha256": "0" * 64,
            "state": "CHECKED",
        }
        return ContractImport.objects.create(**(values | fields))

    def imported(self) -> ContractImport:
        return self.stored(
            state="IMPORTED",
            import_date=date(2026, 3, 1),
            imported_at=datetime(2026, 3, 1, tzinfo=UTC),
        )

    def test_one_file_imported_twice(self) -> None:
        """I1."""
        self.imported()
        self.stored()

        with refused("import_same_file_once"):
            self.imported()

    @pytest.mark.parametrize(
        "values",
        [
            {"state": "IMPORTED"},
            {"state": "IMPORTED", "import_date": date(2026, 3, 1)},
            {"import_date": date(2026, 3, 1)},
            {"imported_at": datetime(2026, 3, 1, tzinfo=UTC)},
            {"state": "REFUSED", "import_date": date(2026, 3, 1)},
            {"state": "LOST"},
        ],
        ids=str,
    )
    def test_an_import_without_its_date_or_a_date_without_import(
        self, values: dict[str, Any]
    ) -> None:
        """I3."""
        with refused("import_has_its_date_when_imported"):
            self.stored(**values)


def test_two_products_of_one_name() -> None:
    product = ProductFactory.create()

    with refused("contracts_product_name"):
        Product.objects.create(name=product.name)
