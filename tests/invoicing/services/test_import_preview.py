"""What a preview says is what an import does (I1, I4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.models import (
    AccountingPeriod,
    BillGroup,
    InvoicingSettings,
    PortalProfile,
    TaxRate,
    TaxRateStep,
)
from contracts.models import ContractImport, ScheduledCharge
from contracts.services.imports import new_upload
from invoicing.models import Invoice, NumberSeries, ParkedBillGroup
from invoicing.services.import_preview import (
    ImportPreview,
    check_import,
    preview_import,
    previewed_charges,
    previewed_invoices,
)
from invoicing.services.lifecycle import import_contracts
from invoicing.services.locks import PeriodClosed
from invoicing.services.numbering import IssueDateTooEarly, ensure_series
from tests.contracts.sheet import sheet
from tests.factories import BillGroupFactory, LegalEntityFactory
from tests.portal import ariba

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 1)
NEW = {"start_date": "2026-03-01"}


def upload(*rows: dict[str, str]) -> ContractImport:
    """Return an upload of these rows."""
    return new_upload(
        content=sheet(*rows),
        file_name="contracts.csv",
        legal_entity=LegalEntityFactory.create(),
        actor=None,
    )


def preview(*rows: dict[str, str]) -> ImportPreview:
    """Preview these rows as of TODAY."""
    return preview_import(upload=upload(*rows), import_date=TODAY)


def first(*rows: dict[str, str]) -> tuple[int, int, dict[str, str]]:
    """Return how many invoices and drafts are made at once, and their totals."""
    found = preview(*rows).first_invoices
    totals = {currency: str(total) for currency, total in found.totals.items()}
    return found.invoices, found.drafts, totals


def known_group(**fields: Any) -> BillGroup:
    """Store the bill group that the rows name."""
    group: BillGroup = BillGroupFactory.create(
        account__number="A-1",
        account__name="Acme",
        name="Main",
        currency="EUR",
        **fields,
    )
    return group


class TestDate:
    """A date on which the import is refused is refused by the preview (M6, M8)."""

    def test_closed_month(self) -> None:
        waiting = upload({})
        AccountingPeriod.objects.create(
            legal_entity=waiting.legal_entity, month=TODAY, state="CLOSED"
        )

        assert "closed through 31 Mar 2026" in refusal(waiting)

    @pytest.mark.parametrize(
        ("row", "is_refused"),
        [(NEW, True), ({}, False), (NEW | {"timing": "arrears"}, False)],
        ids=["invoice_at_once", "in_force", "arrears"],
    )
    def test_day_before_the_last_document(
        self, row: dict[str, str], *, is_refused: bool
    ) -> None:
        """Only where the import takes a number."""
        waiting = upload(row)
        ensure_series(waiting.legal_entity)
        NumberSeries.objects.update(last_issue_date=date(2026, 3, 2))

        assert bool(refusal(waiting)) is is_refused

    def test_open_day(self) -> None:
        assert not refusal(upload(NEW))


def refusal(waiting: ContractImport) -> str:
    """Return what is said about TODAY, by page and command alike, and is done."""
    said = preview_import(upload=waiting, import_date=TODAY).refusal
    errors = check_import(upload=waiting, import_date=TODAY).errors
    assert [error.message for error in errors] == ([said] if said else [])
    done = ""
    try:
        with transaction.atomic():
            import_contracts(upload=waiting, actor=None, import_date=TODAY, today=TODAY)
    except (PeriodClosed, IssueDateTooEarly) as refused:
        done = str(refused)
    assert said == done
    return said


class TestSummary:
    def test_past_and_future_charges_are_counted_with_their_values(self) -> None:
        """I1, I2."""
        summary = preview(
            {},
            {"contract_number": "C-2", "bill_group": "Yen", "currency": "JPY"},
        ).summary

        assert (summary.contracts, summary.lines) == (2, 2)
        assert (summary.charges_past, summary.charges_to_bill) == (4, 20)
        assert summary.as_dict()["values"] == [
            {"currency": "EUR", "to_bill": "1000.00", "past": "200.00"},
            {"currency": "JPY", "to_bill": "1000", "past": "200"},
        ]

    def test_usage_is_counted_without_a_value(self) -> None:
        """P9."""
        summary = preview({"charge_type": "usage", "quantity": ""}).summary

        assert (summary.usage, summary.charges_past) == (12, 1)
        assert summary.as_dict()["values"] == [
            {"currency": "EUR", "to_bill": "0.00", "past": "0.00"}
        ]

    def test_a_faulty_file_has_no_figures(self) -> None:
        found = preview({"currency": "XXX"})

        assert found.checked.errors
        assert found.summary.contracts == 0
        assert found.first_invoices.invoices == 0


class TestPortals:
    """The portals of new bill groups are said before, as the import gives them (F3)."""

    @pytest.mark.parametrize("is_there", [True, False])
    def test_each_portal_is_named_with_its_new_bill_groups(
        self, *, is_there: bool
    ) -> None:
        ariba(name="Ariba")
        if is_there:
            PortalProfile.objects.create(name="portal")
        known_group(portal=ariba(name="Coupa"), delivery="PORTAL")
        waiting = upload(
            {"delivery": "portal"},
            self.row(2, delivery="portal", portal="ARIBA"),
            self.row(3, delivery="both"),
            self.row(4, delivery="portal", portal="Portal"),
            self.row(5, delivery="email"),
            self.row(6),
        )
        waiting.legal_entity = BillGroup.objects.get().legal_entity

        said = preview_import(upload=waiting, import_date=TODAY).as_dict()["portals"]
        import_contracts(upload=waiting, actor=None, import_date=TODAY, today=TODAY)

        assert said == [
            {"name": "Ariba", "bill_groups": 1, "is_made": False},
            {
                "name": "portal" if is_there else "Portal",
                "bill_groups": 2,
                "is_made": not is_there,
            },
        ]
        given = BillGroup.objects.exclude(name="Main").values_list(
            "portal__name", flat=True
        )
        assert sorted(given, key=str) == sorted(
            [None, None, *(one["name"] for one in said), said[1]["name"]], key=str
        )

    def test_more_bill_groups_cost_no_more_queries(self) -> None:
        few, many = (
            upload(*(self.row(n, delivery="portal") for n in range(count)))
            for count in (1, 20)
        )
        costs = []
        for waiting in (few, few, many):
            with CaptureQueriesContext(connection) as queries:
                preview_import(upload=waiting, import_date=TODAY)
            costs.append(len(queries))

        assert costs[1] == costs[2]

    @staticmethod
    def row(number: int, **cells: str) -> dict[str, str]:
        return {
            "contract_number": f"C-{number}",
            "bill_group": f"Group {number}",
            **cells,
        }


class TestFirstInvoices:
    def test_a_new_contract_in_advance_is_invoiced_at_once_with_tax(self) -> None:
        """G6, M1."""
        assert first(NEW | {"tax_rate": "19"}) == (1, 0, {"EUR": "119.00"})

    def test_a_contract_with_a_past_charge_makes_none(self) -> None:
        """I4."""
        assert first({}) == (0, 0, {})

    @pytest.mark.parametrize(
        "row",
        [
            pytest.param({"timing": "arrears"}, id="arrears"),
            pytest.param({"charge_type": "usage", "quantity": ""}, id="usage"),
            pytest.param({"invoicing": "manual"}, id="manual_group"),
            pytest.param({"unit_price": "0", "quantity": "0"}, id="nothing_to_bill"),
        ],
    )
    def test_contracts_that_wait_make_none(self, row: dict[str, str]) -> None:
        """G3, G5, G10."""
        assert first(NEW | row) == (0, 0, {})

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param({"status": "INACTIVE"}, id="inactive"),
            pytest.param({"invoicing": "MANUAL"}, id="manual"),
            pytest.param({"awaiting_manual_invoice": True}, id="awaiting"),
        ],
    )
    def test_a_known_bill_group_holds_its_contracts(
        self, fields: dict[str, Any]
    ) -> None:
        """G2, G3, G4."""
        known_group(**fields)

        assert first(NEW) == (0, 0, {})

    def test_a_parked_bill_group_holds_its_contracts(self) -> None:
        """G13."""
        ParkedBillGroup.objects.create(bill_group=known_group(), reason="Broken")

        assert first(NEW) == (0, 0, {})

    @pytest.mark.parametrize(
        "values", [{"invoicing": "MANUAL"}, {"first_invoice": "ON_SCHEDULE"}]
    )
    def test_settings_hold_every_contract(self, values: dict[str, str]) -> None:
        """G1, G8."""
        InvoicingSettings.objects.create(
            legal_entity=LegalEntityFactory.create(), **values
        )

        assert first(NEW) == (0, 0, {})

    def test_a_first_invoice_far_above_the_last_one_is_a_draft(self) -> None:
        """G14."""
        importing = upload(NEW)
        import_contracts(upload=importing, actor=None, import_date=TODAY, today=TODAY)

        jump = NEW | {"contract_number": "C-2", "quantity": "11"}

        assert first(jump) == (0, 1, {})

    def test_a_tax_rate_that_means_another_percent_is_refused(self) -> None:
        rate = TaxRate.objects.create(name="19 %")
        TaxRateStep.objects.create(
            tax_rate=rate, valid_from=date(1900, 1, 1), percent=Decimal(16)
        )

        assert first(NEW | {"tax_rate": "19"}) == (0, 0, {})


class TestCharges:
    def through(
        self, day: date | None, *rows: dict[str, str]
    ) -> list[tuple[date, date]]:
        checked = preview(*rows).checked
        return [
            (charge.period.start, charge.bill_date)
            for _, charges in previewed_charges(
                checked.contracts, import_date=TODAY, through=day
            )
            for charge in charges
        ]

    def test_an_evergreen_contract_is_shown_as_far_as_asked(self) -> None:
        """P1."""
        row = NEW | {"end_date": ""}

        assert len(self.through(None, row)) == 14
        assert len(self.through(date(2026, 5, 1), row)) == 3
        assert self.through(date(2030, 3, 1), row)[-1][1] == date(2030, 3, 1)

    def test_through_counts_bill_dates(self) -> None:
        """P6."""
        row = NEW | {"timing": "arrears"}

        assert self.through(date(2026, 4, 30), row) == [(TODAY, date(2026, 4, 1))]


class TestPendingInvoices:
    def test_charges_of_a_bill_date_are_one_invoice_across_contracts(self) -> None:
        """P6, M1: tax once a rate."""
        row = NEW | {"unit_price": "0.13", "end_date": "2026-04-30"}
        checked = preview(
            row | {"tax_rate": "19"},
            row | {"tax_rate": "19", "product": "B"},
            row | {"tax_rate": "19", "contract_number": "C-2"},
            row | {"bill_group": "Other", "contract_number": "C-3"},
        ).checked

        found = [
            (invoice.bill_group, invoice.bill_date, str(invoice.total))
            for invoice in previewed_invoices(checked, import_date=TODAY, through=None)
        ]

        assert found == [
            ("Main", TODAY, "0.46"),
            ("Main", date(2026, 4, 1), "0.46"),
            ("Other", TODAY, "0.13"),
            ("Other", date(2026, 4, 1), "0.13"),
        ]

    def test_past_charges_are_on_no_pending_invoice(self) -> None:
        """I2."""
        checked = preview({}).checked

        dates = [
            invoice.bill_date
            for invoice in previewed_invoices(
                checked, import_date=TODAY, through=date(2026, 4, 1)
            )
        ]

        assert dates == [TODAY, date(2026, 4, 1)]


@contextmanager
def undone() -> Iterator[None]:
    """Undo what is written, so that each example begins afresh."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


ROWS = st.fixed_dictionaries(
    {
        "start_date": st.sampled_from(["2026-01-31", "2026-03-01", "2026-03-15"]),
        "end_date": st.sampled_from(["", "2026-12-31", "2027-02-28"]),
        "timing": st.sampled_from(["", "advance", "arrears"]),
        "frequency": st.sampled_from(["monthly", "quarterly", "every:5"]),
        "unit_price": st.sampled_from(["0", "9.99", "100", "5000"]),
        "tax_rate": st.sampled_from(["", "0", "19"]),
        "bill_group": st.sampled_from(["One", "Two"]),
        "charge_type": st.sampled_from(["recurring", "recurring", "one_time"]),
    }
)


def one_time(row: dict[str, str]) -> dict[str, str]:
    """Leave out of a one-time row what it can't have."""
    if row["charge_type"] == "recurring":
        return row
    return row | {"timing": "", "frequency": ""}


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=6),
    mode=st.sampled_from(["AUTOMATIC", "MANUAL"]),
    first_invoice=st.sampled_from(["AT_ACTIVATION", "AT_ACTIVATION", "ON_SCHEDULE"]),
    jump_limit=st.sampled_from([1, 10]),
)
def test_the_import_does_what_the_preview_said(
    rows: list[dict[str, str]],
    mode: str,
    first_invoice: str,
    jump_limit: int,
) -> None:
    """I1, I4, G5, G6: on random files and states."""
    with undone():
        entity = LegalEntityFactory.create()
        InvoicingSettings.objects.create(
            legal_entity=entity,
            invoicing=mode,
            first_invoice=first_invoice,
            jump_limit=jump_limit,
        )
        waiting = upload(
            *(
                one_time(row) | {"contract_number": f"C-{index}"}
                for index, row in enumerate(rows)
            )
        )
        said = preview_import(upload=waiting, import_date=TODAY)
        assert said.checked.errors == ()

        done = import_contracts(
            upload=waiting, actor=None, import_date=TODAY, today=TODAY
        )

        issued = [i for i in done.invoices if i.number]
        assert said.first_invoices.invoices == len(issued)
        assert said.first_invoices.drafts == len(done.invoices) - len(issued)
        assert sum(said.first_invoices.totals.values()) == sum(
            invoice.total for invoice in issued
        )
        charges = ScheduledCharge.objects.all()
        assert said.summary.charges_past == charges.filter(state="EXTERNAL").count()
        assert said.summary.charges_past + said.summary.charges_to_bill == (
            charges.count()
        )
        assert said.summary.contracts == len(rows)
        assert Invoice.objects.count() == len(done.invoices)
