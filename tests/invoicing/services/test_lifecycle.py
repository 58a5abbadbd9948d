from datetime import date
from typing import Any

import pytest

from billing.models import AccountingPeriod, AuditEvent, BillGroup
from contracts.models import Contract, ContractImport, ScheduledCharge
from contracts.services.imports import new_upload
from contracts.services.terms import ContractUnplannable
from contracts.services.uploads import ImportRefused
from invoicing.models import Invoice, NumberSeries
from invoicing.services import lifecycle
from invoicing.services.lifecycle import (
    activate_contract,
    import_contracts,
    upload_contracts,
)
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly
from tests.books import broken_invariants
from tests.contracts.sheet import sheet
from tests.factories import (
    ContractFactory,
    ContractLineFactory,
    LegalEntityFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 1)


def imported(*rows: dict[str, str], on: date = TODAY) -> lifecycle.ImportedContracts:
    """Import rows on a day."""
    upload = new_upload(
        content=sheet(*rows),
        file_name="contracts.csv",
        legal_entity=LegalEntityFactory.create(),
        actor=None,
    )
    return import_contracts(upload=upload, actor=None, import_date=on, today=on)


class TestActivation:
    def test_activating_makes_the_first_invoice_at_once(self) -> None:
        """P1, G6."""
        actor = UserFactory.create()
        contract = ContractLineFactory.create(contract__start_date=TODAY).contract

        activation = activate_contract(contract=contract, actor=actor, today=TODAY)

        assert activation.contract.status == "ACTIVE"
        [invoice] = activation.invoices
        assert (invoice.status, invoice.bill_date, invoice.issue_date) == (
            "OPEN",
            TODAY,
            TODAY,
        )
        codes = AuditEvent.objects.values_list("code", flat=True)
        assert {"contract.activated", "invoice.issued"} <= set(codes)
        assert broken_invariants() == []

    def test_a_contract_in_arrears_waits_for_the_night(self) -> None:
        """G5."""
        contract = ContractLineFactory.create(timing="ARREARS").contract

        activation = activate_contract(contract=contract, actor=None, today=TODAY)

        assert activation.invoices == ()
        assert not Invoice.objects.exists()

    def test_a_contract_that_cannot_be_planned_makes_nothing(self) -> None:
        contract = ContractFactory.create()

        with pytest.raises(ContractUnplannable):
            activate_contract(contract=contract, actor=None, today=TODAY)

        assert Contract.objects.get().status == "DRAFT"

    def test_nothing_is_activated_where_no_document_can_be_dated(self) -> None:
        """M6, M8."""
        contract = ContractLineFactory.create().contract
        entity = contract.bill_group.legal_entity
        AccountingPeriod.objects.create(
            legal_entity=entity, month=TODAY, state=AccountingPeriod.State.CLOSED
        )

        with pytest.raises(PeriodClosed):
            activate_contract(contract=contract, actor=None, today=TODAY)

        contract.refresh_from_db()
        assert contract.status == "DRAFT"
        assert not ScheduledCharge.objects.exists()

    def test_a_first_invoice_that_cannot_be_numbered_undoes_the_activation(
        self,
    ) -> None:
        """M8: numbers and dates rise together."""
        contract = ContractLineFactory.create(contract__start_date=TODAY).contract
        NumberSeries.objects.create(
            legal_entity=contract.bill_group.legal_entity,
            kind="INVOICE",
            prefix="INV-",
            last_issue_date=date(2026, 3, 2),
        )

        with pytest.raises(IssueDateTooEarly):
            activate_contract(contract=contract, actor=None, today=TODAY)

        contract.refresh_from_db()
        assert contract.status == "DRAFT"


class TestUpload:
    def upload(self, *rows: dict[str, str]) -> ContractImport:
        return upload_contracts(
            content=sheet(*rows),
            file_name="contracts.csv",
            legal_entity=LegalEntityFactory.create(),
            actor=None,
            today=TODAY,
        )

    def test_a_sound_file_is_ready_with_its_figures(self) -> None:
        """I1, I4."""
        kept = self.upload(
            {"tax_rate": "19"},
            {
                "contract_number": "C-2",
                "start_date": "2026-03-01",
                "unit_price": "50",
                "tax_rate": "19",
            },
        )

        kept.refresh_from_db()
        assert (kept.state, kept.errors) == ("CHECKED", [])
        assert kept.summary == {
            "import_date": "2026-03-01",
            "last_bill_date": "2026-12-01",
            "contracts": 2,
            "lines": 2,
            "charges_to_bill": 20,
            "charges_past": 2,
            "usage_charges": 0,
            "values": [{"currency": "EUR", "to_bill": "1500.00", "past": "200.00"}],
            "past_invoices": [
                {
                    "account": "A-1",
                    "bill_group": "Main",
                    "bill_date": bill_date,
                    "currency": "EUR",
                    "charges": 1,
                    "usage_charges": 0,
                    "total": "100.00",
                }
                for bill_date in ("2026-01-01", "2026-02-01")
            ],
            "more_past_invoices": 0,
            "first_invoices": {
                "invoices": 1,
                "drafts": 0,
                "totals": [{"currency": "EUR", "total": "59.50"}],
                "documents": [
                    {
                        "contract": "C-2",
                        "account": "A-1",
                        "bill_group": "Main",
                        "bill_date": "2026-03-01",
                        "currency": "EUR",
                        "total": "59.50",
                        "outcome": "GENERATE",
                    }
                ],
            },
            "portals": [],
        }
        assert not Contract.objects.exists()

    def test_a_faulty_file_is_kept_with_its_errors(self) -> None:
        """I1."""
        kept = self.upload({"quantity": "two"})

        kept.refresh_from_db()
        assert (kept.state, kept.summary) == ("REFUSED", {})
        [error] = kept.errors
        assert (error["line"], error["column"], error["value"]) == (
            2,
            "quantity",
            "two",
        )


class TestImport:
    def test_new_contracts_get_their_first_invoice_and_old_ones_nothing(self) -> None:
        """I4, G6."""
        result = imported(
            {},
            {"contract_number": "C-2", "start_date": "2026-03-01"},
            {"contract_number": "C-3", "start_date": "2026-04-01"},
        )

        assert [placed.number for placed in result.contracts] == ["C-1", "C-2", "C-3"]
        assert [
            (invoice.bill_date, invoice.issue_date, str(invoice.total))
            for invoice in result.invoices
        ] == [(TODAY, TODAY, "100.000"), (date(2026, 4, 1), TODAY, "100.000")]
        assert {line.contract_number for i in result.invoices for line in lines(i)} == {
            "C-2",
            "C-3",
        }
        assert broken_invariants() == []

    def test_an_error_undoes_everything(self) -> None:
        """I1."""
        with pytest.raises(ImportRefused):
            imported({}, {"contract_number": "C-2", "quantity": ""})

        assert not ContractImport.objects.exists()
        assert not BillGroup.objects.exists()

    def test_a_first_invoice_that_fails_undoes_the_import(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """I1: everything or nothing."""

        def fail(**_: Any) -> None:
            raise RuntimeError("The printer is on fire.")

        monkeypatch.setattr(lifecycle, "generate_first_invoices", fail)

        with pytest.raises(RuntimeError):
            imported({})

        assert not ContractImport.objects.exists()
        assert not Contract.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_importing_as_of_a_closed_month_is_refused(self) -> None:
        """M6."""
        AccountingPeriod.objects.create(
            legal_entity=LegalEntityFactory.create(),
            month=TODAY,
            state=AccountingPeriod.State.CLOSED,
        )

        with pytest.raises(PeriodClosed):
            imported({})

    def test_an_imported_contract_counts_as_billed_before_with_one_past_charge(
        self,
    ) -> None:
        """I4, I3: the day before the import date is past, the day itself is not."""
        result = imported(
            {"start_date": "2026-02-28", "bill_day": "1"},
            {"contract_number": "C-2", "start_date": "2026-03-01", "bill_day": "1"},
        )

        [invoice] = result.invoices
        assert [line.contract_number for line in lines(invoice)] == ["C-2"]


def lines(invoice: Invoice) -> list[Any]:
    """Return the lines of an invoice."""
    return list(invoice.lines.order_by("position"))
