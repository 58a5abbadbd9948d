from collections.abc import Callable
from datetime import date
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from billing.models import Account, AuditEvent, BillGroup, TaxRate, TaxRateStep
from contracts.domain.csv_file import RowError
from contracts.domain.terms import UnplannableTerms
from contracts.models import (
    Contract,
    ContractImport,
    ContractLine,
    Product,
    ScheduledCharge,
)
from contracts.services import import_check, import_rows, imports
from contracts.services.import_facts import read_facts
from contracts.services.imports import (
    ImportDateInFuture,
    ImportDisturbed,
    ImportNotDone,
    ImportRefused,
    ImportRunning,
    apply_import,
    check_upload,
    keep_upload,
    new_upload,
)
from tests.contracts.sheet import sheet
from tests.customfields.fields import make_field
from tests.factories import (
    AccountFactory,
    BillGroupFactory,
    ContractFactory,
    LegalEntityFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 1)
WRITTEN: tuple[type[models.Model], ...] = (
    Account,
    BillGroup,
    Contract,
    ContractLine,
    ScheduledCharge,
    Product,
    TaxRate,
    AuditEvent,
    ContractImport,
)


def upload(*rows: dict[str, str], **fields: Any) -> ContractImport:
    """Return an upload of these rows that is not stored yet."""
    values: dict[str, Any] = {
        "content": sheet(*rows),
        "file_name": "contracts.csv",
        "legal_entity": LegalEntityFactory.create(),
        "actor": None,
    }
    return new_upload(**(values | fields))


def apply(*rows: dict[str, str], **fields: Any) -> list[int]:
    """Import these rows on TODAY; returns contract ids."""
    values: dict[str, Any] = {
        "upload": None,
        "actor": None,
        "import_date": TODAY,
        "today": TODAY,
    } | fields
    values["upload"] = values["upload"] or upload(*rows)
    return [placed.contract_id for placed in apply_import(**values)]


def written() -> dict[str, int]:
    """Return how many rows every table that an import writes has."""
    return {model.__name__: model._default_manager.count() for model in WRITTEN}


def errors_of(*rows: dict[str, str]) -> list[tuple[int, str, str]]:
    """Return the errors of these rows: line, column, value."""
    errors = check_upload(upload(*rows)).errors
    return [(error.line, error.column, error.value) for error in errors]


class TestCheck:
    def test_a_sound_file_has_no_errors_and_writes_nothing(self) -> None:
        """I1."""
        before = written()

        checked = check_upload(upload({}, {"product": "Setup"}))

        assert checked.errors == ()
        assert [len(item.terms.lines) for item in checked.contracts] == [2]
        assert written() == before

    def test_a_file_that_cannot_be_read_says_so(self) -> None:
        checked = check_upload(upload(content=b"\xff\xfe"))

        assert len(checked.errors) == 1
        assert checked.contracts == ()

    def test_a_contract_that_is_there_already_is_named(self) -> None:
        """I5."""
        ContractFactory.create(number="C-1")

        errors = errors_of({"contract_number": "C-0"}, {}, {"product": "Setup"})

        assert errors == [(3, "contract_number", "C-1")]

    @pytest.mark.parametrize(
        ("cell", "message"),
        [
            pytest.param(
                {"account_name": "Acme Ltd"}, "is named “Acme”", id="account_name"
            ),
            pytest.param({"currency": "USD"}, "has “EUR” here", id="currency"),
            pytest.param({"invoicing": "manual"}, "has “automatic”", id="invoicing"),
            pytest.param({"net_terms": "14"}, "has “30”", id="net_terms"),
            pytest.param({"net_terms": "0"}, "has “30”", id="net_terms_zero"),
            pytest.param({"po_number": "PO-2"}, "has “PO-1”", id="po_number"),
            pytest.param({"delivery": "portal"}, "has “email”", id="delivery"),
            pytest.param({"bill_to": "Acme AG"}, "has nothing here", id="bill_to"),
            pytest.param({"email": "b@acme.example"}, "has “a@acme", id="email"),
            pytest.param({"city": "Kiel"}, "has nothing here", id="city"),
            pytest.param({"country": "DE"}, "has nothing here", id="country"),
        ],
    )
    def test_a_known_bill_group_must_not_contradict(
        self, cell: dict[str, str], message: str
    ) -> None:
        """I5."""
        BillGroupFactory.create(
            account__number="A-1",
            account__name="Acme",
            name="Main",
            currency="EUR",
            po_number="PO-1",
            email="a@acme.example",
        )

        [error] = check_upload(upload(cell)).errors

        [(column, value)] = cell.items()
        assert (error.line, error.column, error.value) == (2, column, value)
        assert message in error.message

    def test_what_agrees_with_a_known_bill_group_or_is_blank_is_accepted(self) -> None:
        """I5."""
        BillGroupFactory.create(
            account__number="A-1",
            account__name="Acme",
            name="Main",
            currency="EUR",
            po_number="PO-1",
            invoicing="MANUAL",
        )

        assert errors_of({"po_number": "PO-1", "invoicing": "manual"}) == []
        assert errors_of({}) == []

    def test_a_bill_group_is_known_within_its_account_only(self) -> None:
        BillGroupFactory.create(account__number="A-2", name="Main", currency="USD")

        assert errors_of({}) == []

    def test_a_canceled_bill_group_takes_no_contracts(self) -> None:
        BillGroupFactory.create(
            account__number="A-1",
            account__name="Acme",
            name="Main",
            currency="EUR",
            status="CANCELED",
        )

        assert errors_of({}) == [(2, "bill_group", "Main")]

    def test_a_bill_group_of_another_legal_entity_takes_no_contracts(self) -> None:
        BillGroupFactory.create(
            account__number="A-1",
            account__name="Acme",
            name="Main",
            currency="EUR",
            legal_entity__name="Somebody else",
        )

        assert errors_of({}) == [(2, "bill_group", "Main")]

    def test_terms_that_cannot_be_planned_name_their_row(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the file's own check lets through."""

        def refuse_second_line(terms: object) -> None:
            raise UnplannableTerms("No.", field="months", line_id=2, line_number=2)

        monkeypatch.setattr(import_check, "check_terms", refuse_second_line)

        errors = errors_of({}, {"product": "Setup", "frequency": "every:5"})

        assert errors == [(3, "frequency", "5")]

    def test_all_errors_are_named_in_the_order_of_the_rows(self) -> None:
        """I1."""
        ContractFactory.create(number="C-2")
        AccountFactory.create(number="A-3", name="Gamma")

        errors = errors_of(
            {},
            {"account_number": "A-3", "contract_number": "C-3", "cf:no": "1"},
            {"contract_number": "C-2"},
        )

        assert errors == [
            (1, "cf:no", "cf:no"),
            (3, "account_name", "Acme"),
            (4, "contract_number", "C-2"),
        ]


class TestCustomFields:
    def test_unknown_columns_are_named_even_where_they_are_blank(self) -> None:
        """I5."""
        errors = errors_of({"cf:cost_center": ""}, {"product": "Setup"})

        assert errors == [(1, "cf:cost_center", "cf:cost_center")]

    def test_a_key_of_two_owners_is_ambiguous(self) -> None:
        """I5: nothing ambiguous is guessed."""
        make_field(object="ACCOUNT", key="region")
        make_field(object="CONTRACT", key="region")

        [error] = check_upload(upload({"cf:region": "North"})).errors

        assert (error.line, error.column) == (1, "cf:region")
        assert "Both accounts and contracts have a custom field" in error.message

    def test_values_go_to_the_owner_of_their_key(self) -> None:
        """F2."""
        make_field(object="ACCOUNT", key="segment")
        make_field(object="BILL_GROUP", key="portal_id")
        make_field(object="CONTRACT", key="units", kind="NUMBER")

        apply({"cf:segment": "Gold", "cf:portal_id": "P 7", "cf:units": "2.50"})

        assert Account.objects.get().custom_fields == {"segment": "Gold"}
        assert BillGroup.objects.get().custom_fields == {"portal_id": "P 7"}
        assert Contract.objects.get().custom_fields == {"units": "2.5"}

    def test_new_owners_get_defaults_of_what_no_column_names(self) -> None:
        """F1."""
        make_field(object="ACCOUNT", key="tier", default="Basic")
        make_field(object="CONTRACT", key="team", default="North")

        apply({"cf:team": ""})

        assert Account.objects.get().custom_fields == {"tier": "Basic"}
        assert Contract.objects.get().custom_fields == {}

    def test_a_required_field_must_be_there_for_new_owners(self) -> None:
        """F1."""
        make_field(object="ACCOUNT", key="segment", required=True)

        assert errors_of({}) == [(2, "cf:segment", "")]
        assert errors_of({"cf:segment": "Gold"}) == []

    def test_a_value_that_its_field_cannot_hold_is_named(self) -> None:
        make_field(object="CONTRACT", key="since", kind="DATE")

        assert errors_of({"cf:since": "01/02/2026"}) == [(2, "cf:since", "01/02/2026")]

    def test_rows_of_one_account_must_agree(self) -> None:
        make_field(object="ACCOUNT", key="segment")

        errors = errors_of(
            {"cf:segment": "Gold"},
            {"contract_number": "C-2", "cf:segment": "Silver"},
            {"contract_number": "C-3"},
        )

        assert errors == [(3, "cf:segment", "Silver"), (4, "cf:segment", "")]

    def test_a_known_account_must_not_contradict(self) -> None:
        """I5."""
        make_field(object="ACCOUNT", key="segment", required=True)
        AccountFactory.create(
            number="A-1", name="Acme", custom_fields={"segment": "Gold"}
        )

        assert errors_of({"cf:segment": "Silver"}) == [(2, "cf:segment", "Silver")]
        assert errors_of({"cf:segment": "Gold"}) == []
        assert errors_of({"cf:segment": ""}) == []


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
        kept = keep_upload(upload=upload({}, actor=actor), errors=(), summary={"a": 1})

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


class TestNothingByHalves:
    def test_a_file_with_an_error_is_refused_whole(self) -> None:
        """I1."""
        before = written()

        with pytest.raises(ImportRefused, match="errors in 1 row") as refused:
            apply({}, {"contract_number": "C-2", "unit_price": "1,000"})

        assert [error.column for error in refused.value.errors] == ["unit_price"]
        assert written() == before

    def test_a_failure_while_writing_leaves_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """I1."""

        def fail(*_: object, **__: object) -> None:
            raise OSError("The disk is full.")

        before = written()
        monkeypatch.setattr(import_rows, "write_audit", fail)

        with pytest.raises(OSError, match="disk is full"):
            apply({})

        assert written() == before

    def test_the_same_file_twice_is_refused_and_says_when(self) -> None:
        """I1."""
        actor = UserFactory.create(username="anna")
        apply(upload=upload({}, actor=actor))
        before = written()

        with pytest.raises(ImportRefused) as refused:
            apply({})

        [error] = refused.value.errors
        imported = ContractImport.objects.get()
        assert f"{imported.imported_at:%Y-%m-%d %H:%M} UTC" in error.message
        assert "by anna, with the import date 2026-03-01" in error.message
        assert (error.line, error.value) == (1, "contracts.csv")
        assert written() == before

    def test_an_upload_that_was_imported_is_not_imported_again(self) -> None:
        kept = keep_upload(upload=upload({}), errors=(), summary={})
        apply(upload=kept)

        with pytest.raises(ImportRefused, match="imported already"):
            apply(upload=kept)

    def test_an_upload_is_checked_again_when_it_is_imported(self) -> None:
        """What changed since the check counts."""
        kept = keep_upload(upload=upload({}), errors=(), summary={})
        ContractFactory.create(number="C-1")

        with pytest.raises(ImportRefused):
            apply(upload=kept)

        kept.refresh_from_db()
        assert kept.state == "CHECKED"

    def test_a_refused_upload_can_be_imported_once_it_fits(self) -> None:
        taken = ContractFactory.create(number="C-1")
        error = RowError(line=2, column="", value="", message="Taken.")
        kept = keep_upload(upload=upload({}), errors=(error,), summary={})
        assert kept.state == "REFUSED"
        taken.delete()

        apply(upload=kept)

        assert Contract.objects.get().number == "C-1"

    def test_an_import_date_in_the_future_is_refused(self) -> None:
        """M8, I3."""
        with pytest.raises(ImportDateInFuture, match="today is 2026-03-01"):
            apply({}, import_date=date(2026, 3, 2))

        apply({}, import_date=date(2026, 2, 28))

    def test_what_somebody_enters_at_the_same_moment_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def read_then_disturb(contracts: Any) -> Any:
            facts = read_facts(contracts)
            AccountFactory.create(number="A-1", name="Acme")
            return facts

        monkeypatch.setattr(imports, "read_facts", read_then_disturb)

        with pytest.raises(ImportDisturbed, match="at the same moment"):
            apply({})

    def test_other_refusals_of_the_database_are_not_mistaken(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def charge_twice(self: Any, placed: Any) -> Any:
            [item] = placed
            rows = list(charge_rows(self, placed))
            item.charges = len(rows)
            return [*rows, rows[0]]

        charge_rows = import_rows.ImportWriter._charge_rows
        monkeypatch.setattr(import_rows.ImportWriter, "_charge_rows", charge_twice)

        with pytest.raises(IntegrityError, match="charged twice"):
            apply({})


def in_threads(jobs: list[Callable[[], None]]) -> list[str]:
    """Do jobs at the same moment; returns the names of what they raised, or 'done'."""
    barrier = Barrier(len(jobs))
    outcomes: list[str] = []

    def run(job: Callable[[], None]) -> None:
        barrier.wait(timeout=10)
        try:
            job()
            outcomes.append("done")
        except ImportNotDone as refused:
            outcomes.append(type(refused).__name__)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_of_two_people_who_import_the_same_file_one_is_told(self) -> None:
        """I1: whether the other one is still at it or done."""
        kept = keep_upload(upload=upload({}), errors=(), summary={})
        same = upload({})

        outcomes = in_threads([lambda: drop(kept), lambda: drop(same)])

        assert outcomes in (["ImportRefused", "done"], ["ImportRunning", "done"])
        assert Contract.objects.count() == 1
        assert ContractImport.objects.filter(state="IMPORTED").count() == 1

    def test_a_second_import_is_told_that_one_is_running(self) -> None:
        other = upload({"contract_number": "C-2"})

        with transaction.atomic():
            apply({})
            outcomes = in_threads([lambda: drop(other)])

        assert outcomes == ["ImportRunning"]
        drop(other)
        assert Contract.objects.count() == 2

    def test_a_bill_group_in_use_is_not_waited_for_without_end(self) -> None:
        apply({})
        group = BillGroup.objects.get()
        other = upload({"contract_number": "C-2"})

        with transaction.atomic():
            BillGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
            outcomes = in_threads([lambda: drop_soon(other)])

        assert outcomes == ["BillGroupsInUse"]


def drop(waiting: ContractImport) -> None:
    """Import an upload on TODAY."""
    apply_import(upload=waiting, actor=None, import_date=TODAY, today=TODAY)


@transaction.atomic
def drop_soon(waiting: ContractImport) -> None:
    """Import an upload, giving up on locks early."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '200ms'")
    drop(waiting)


def test_running_is_one_kind_of_not_done() -> None:
    assert issubclass(ImportRunning, ImportNotDone)
