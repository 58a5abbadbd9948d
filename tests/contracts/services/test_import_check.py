from typing import Any

import pytest

from contracts.domain.terms import UnplannableTerms
from contracts.services import import_check
from contracts.services.imports import (
    check_upload,
)
from tests.contracts.imported import errors_of, upload, written
from tests.factories import (
    AccountFactory,
    BillGroupFactory,
    ContractFactory,
)
from tests.portal import ariba

pytestmark = pytest.mark.django_db


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


class TestPortal:
    """A file may name the portal of a bill group (F3, I5)."""

    def test_a_portal_that_is_not_there_is_refused_and_says_which_are(self) -> None:
        ariba(name="Ariba")

        [error] = check_upload(
            upload({"delivery": "portal", "portal": "Arriba"})
        ).errors

        assert (error.line, error.column, error.value) == (2, "portal", "Arriba")
        assert error.message == (
            "There is no such portal. Write the name of one (Ariba), or define it in "
            "Settings > Portals first."
        )

    def test_its_name_is_known_in_any_case_and_the_default_one_always(self) -> None:
        ariba(name="Ariba")

        assert errors_of({"delivery": "portal", "portal": "ARIBA"}) == []
        assert errors_of({"delivery": "both", "portal": "Portal"}) == []

    @pytest.mark.parametrize("delivery", ["email", "none", ""])
    def test_a_portal_without_delivery_by_portal_is_refused(
        self, delivery: str
    ) -> None:
        ariba(name="Ariba")

        [error] = check_upload(upload({"delivery": delivery, "portal": "Ariba"})).errors

        assert (error.column, error.value) == ("portal", "Ariba")
        assert "neither portal nor both" in error.message

    @pytest.mark.parametrize(
        ("named", "message"),
        [
            pytest.param("Coupa", "has “Ariba” here", id="another"),
            pytest.param("Portal", "has “Ariba” here", id="the_default_one"),
            pytest.param("Arriba", "There is no such portal", id="unknown"),
        ],
    )
    def test_the_portal_of_a_known_bill_group_must_not_contradict(
        self, named: str, message: str
    ) -> None:
        ariba(name="Coupa")
        known_group(portal=ariba(name="Ariba"), delivery="PORTAL")

        [error] = check_upload(upload({"portal": named})).errors

        assert (error.line, error.column, error.value) == (2, "portal", named)
        assert message in error.message

    def test_a_known_bill_group_without_portal_gets_none_by_a_file(self) -> None:
        ariba(name="Ariba")
        known_group()

        [error] = check_upload(upload({"portal": "Ariba"})).errors

        assert "has nothing here" in error.message

    def test_what_agrees_with_a_known_bill_group_or_is_blank_is_accepted(self) -> None:
        known_group(portal=ariba(name="Ariba"), delivery="PORTAL")

        assert errors_of({"portal": "ariba"}) == []
        assert errors_of({"portal": ""}) == []


def known_group(**fields: Any) -> None:
    BillGroupFactory.create(
        account__number="A-1",
        account__name="Acme",
        name="Main",
        currency="EUR",
        **fields,
    )
