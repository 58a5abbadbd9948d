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
