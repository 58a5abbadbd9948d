from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import (
    Account,
    AuditEvent,
    BillGroup,
    PortalProfile,
    TaxRate,
    TaxRateStep,
)
from contracts.models import (
    Contract,
    ContractImport,
    ContractLine,
    ScheduledCharge,
)
from contracts.services.uploads import keep_file
from tests.contracts.imported import TODAY, apply, upload, written
from tests.contracts.sheet import sheet
from tests.factories import (
    UserFactory,
)
from tests.portal import ariba

pytestmark = pytest.mark.django_db

# The second row of a contract says the same of its bill group as the first.
SAME_GROUP = {
    "po_number": "PO-1",
    "net_terms": "14",
    "invoicing": "manual",
    "delivery": "both",
    "bill_to": "Acme AG, Accounts",
    "email": "pay@acme.example",
    "address_line1": "Kai 4",
    "address_line2": "Hof",
    "city": "Hamburg",
    "region": "HH",
    "postal_code": "20457",
    "country": "DE",
}


class TestApply:
    def test_everything_in_the_file_is_written_and_active(self) -> None:
        """I1, I4."""
        [contract_id] = apply(
            {
                "account_number": "A-7",
                "po_number": "PO-1",
                "net_terms": "14",
                "invoicing": "manual",
                "delivery": "both",
                "bill_to": "Acme AG, Accounts",
                "email": "pay@acme.example",
                "address_line1": "Kai 4",
                "address_line2": "Hof",
                "city": "Hamburg",
                "region": "HH",
                "postal_code": "20457",
                "country": "DE",
                "bill_day": "5",
                "description": 'Seats, "Pro"\\t',
                "discount_percent": "12.5",
                "proration": "none",
                "tax_rate": "19",
                "line_start_date": "2026-02-01",
                "line_end_date": "2026-11-30",
            },
            {"account_number": "A-7", "product": "Calls", "charge_type": "usage"}
            | {"quantity": "", "unit_price": "", "included_quantity": "10"}
            | {"tiers": "volume 10:2;*:1", "bill_day": "5"}
            | SAME_GROUP,
        )

        account = Account.objects.get()
        assert (account.number, account.name, account.city) == (
            "A-7",
            "Acme",
            "Hamburg",
        )
        group = BillGroup.objects.get()
        assert (group.account, group.name, group.currency) == (account, "Main", "EUR")
        assert (group.status, group.invoicing, group.delivery) == (
            "ACTIVE",
            "MANUAL",
            "BOTH",
        )
        assert (group.net_terms, group.po_number) == (14, "PO-1")
        assert (group.bill_to, group.email) == (
            "Acme AG, Accounts",
            "pay@acme.example",
        )
        assert group.bill_to_address.as_dict() == {
            "name": "Acme AG, Accounts",
            "line1": "Kai 4",
            "line2": "Hof",
            "city": "Hamburg",
            "region": "HH",
            "postal_code": "20457",
            "country": "DE",
        }
        contract = Contract.objects.get()
        assert contract.pk == contract_id
        assert (contract.number, contract.bill_group, contract.status) == (
            "C-1",
            group,
            "ACTIVE",
        )
        assert (contract.start_date, contract.end_date) == (
            date(2026, 1, 1),
            date(2026, 12, 31),
        )
        assert (contract.bill_day, contract.bill_month) == (5, None)
        assert (contract.activated_on, contract.version) == (TODAY, 1)
        assert contract.contract_import == ContractImport.objects.get()
        seats, calls = ContractLine.objects.order_by("position")
        assert (seats.position, seats.product.name) == (1, "Platform")
        assert seats.description == 'Seats, "Pro"\\t'
        assert (seats.charge_type, seats.timing) == ("RECURRING", "ADVANCE")
        assert seats.quantity == 1
        assert seats.unit_price == 100
        assert (seats.discount_percent, seats.proration) == (Decimal("12.5"), "NONE")
        assert (seats.start_date, seats.end_date) == (
            date(2026, 2, 1),
            date(2026, 11, 30),
        )
        assert seats.tax_rate == TaxRate.objects.get(name="19 %")
        assert (calls.position, calls.timing, calls.frequency_months) == (
            2,
            "ARREARS",
            1,
        )
        assert calls.quantity is None
        assert calls.unit_price is None
        assert calls.included_quantity == 10
        assert calls.tiers == "volume 10:2;*:1"
        assert calls.tax_rate is None

    def test_blank_cells_are_the_defaults_of_a_new_bill_group(self) -> None:
        apply({})

        group = BillGroup.objects.get()
        assert (group.invoicing, group.net_terms, group.delivery) == (
            "AUTOMATIC",
            30,
            "EMAIL",
        )
        assert (group.custom_fields, group.awaiting_manual_invoice) == ({}, False)

    def test_tax_rates_hold_since_ever_and_are_made_once(self) -> None:
        apply({"tax_rate": "19.0"}, {"product": "Book", "tax_rate": "7"})
        apply({"contract_number": "C-2", "tax_rate": "19"})

        steps = TaxRateStep.objects.order_by("percent").values_list(
            "tax_rate__name", "valid_from", "percent"
        )
        assert list(steps) == [
            ("7 %", date(1900, 1, 1), Decimal(7)),
            ("19 %", date(1900, 1, 1), Decimal(19)),
        ]

    def test_known_accounts_groups_and_products_are_used(self) -> None:
        """I5."""
        apply({})

        apply({"contract_number": "C-2"}, {"contract_number": "C-3", "product": "B"})

        counts = written()
        assert (counts["Account"], counts["BillGroup"]) == (1, 1)
        assert (counts["Contract"], counts["Product"]) == (3, 2)

    def test_charges_before_the_import_date_are_billed_elsewhere(self) -> None:
        """I2, I3: today's bill date is not past."""
        apply({})

        states = ScheduledCharge.objects.order_by("bill_date").values_list(
            "bill_date", "state"
        )
        assert list(states)[:3] == [
            (date(2026, 1, 1), "EXTERNAL"),
            (date(2026, 2, 1), "EXTERNAL"),
            (date(2026, 3, 1), "PENDING"),
        ]

    def test_an_arrears_charge_is_past_by_its_bill_date(self) -> None:
        """I2, P6: February in arrears bills on 1 March."""
        apply({"timing": "arrears"})

        february = ScheduledCharge.objects.get(period_start=date(2026, 2, 1))
        assert (february.bill_date, february.state) == (TODAY, "PENDING")

    def test_an_evergreen_contract_is_extended_later(self) -> None:
        """P1."""
        apply({"end_date": "", "start_date": "2026-03-01"})

        contract = Contract.objects.get()
        assert contract.extend_on == date(2026, 4, 1)
        last = ScheduledCharge.objects.latest("bill_date")
        assert last.bill_date == date(2027, 4, 1)

    def test_the_import_is_kept_with_its_date(self) -> None:
        """I3."""
        actor = UserFactory.create()
        kept = keep_file(upload({}, actor=actor), errors=(), summary={"a": 1})

        apply(upload=kept, actor=actor)

        row = ContractImport.objects.get()
        assert (row.state, row.import_date, row.file_name) == (
            "IMPORTED",
            TODAY,
            "contracts.csv",
        )
        assert row.imported_at is not None
        assert (row.uploaded_by, row.summary) == (actor, {"a": 1})
        assert bytes(row.content) == sheet({})

    def test_each_contract_and_the_import_leave_an_audit_entry(self) -> None:
        """M5."""
        actor = UserFactory.create()

        apply({}, {"contract_number": "C-2"}, actor=actor)

        entries = AuditEvent.objects.order_by("pk")
        assert {entry.actor_name for entry in entries} == {actor.username}
        codes = [(entry.code, entry.subject) for entry in entries]
        assert codes == [
            ("contracts.imported", "contracts.csv"),
            ("account.added", "Acme"),
            ("bill_group.added", str(BillGroup.objects.get())),
            ("contract.imported", "C-1"),
            ("contract.imported", "C-2"),
        ]
        contract = Contract.objects.get(number="C-2")
        last = entries[4]
        assert (last.contract_id, last.bill_group_id, last.account_id) == (
            contract.pk,
            contract.bill_group_id,
            contract.bill_group.account_id,
        )
        assert last.after == {
            "status": "ACTIVE",
            "import": ContractImport.objects.get().pk,
            "charges": 12,
            "billed_elsewhere": 2,
        }

    def test_queries_do_not_grow_with_the_file(
        self, django_assert_max_num_queries: Callable[[int], Any]
    ) -> None:
        rows = [
            {"account_number": f"A-{n}", "contract_number": f"C-{n}"} for n in range(60)
        ]

        with django_assert_max_num_queries(35):
            apply(*rows)

        assert Contract.objects.count() == 60


def test_f3_new_bill_groups_get_the_portal_they_name_or_the_default_one() -> None:
    portal = ariba(name="Ariba")

    apply(
        {"delivery": "portal", "portal": "ariba"},
        {
            "delivery": "both",
            "bill_group": "Second",
            "contract_number": "C-2",
        },
        {"delivery": "email", "bill_group": "Third", "contract_number": "C-3"},
    )

    names = dict(BillGroup.objects.values_list("name", "portal__name"))
    assert names == {"Main": portal.name, "Second": "Portal", "Third": None}


def test_f3_default_portal_is_not_made_for_a_file_that_names_another() -> None:
    ariba(name="Ariba")

    apply({"delivery": "portal", "portal": "Ariba"})

    assert [*PortalProfile.objects.values_list("name", flat=True)] == ["Ariba"]
