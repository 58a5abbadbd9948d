import pytest

from billing.models import Account, BillGroup
from contracts.models import (
    Contract,
)
from contracts.services.imports import (
    check_upload,
)
from tests.contracts.imported import apply, errors_of, upload
from tests.customfields.fields import make_field
from tests.factories import (
    AccountFactory,
)

pytestmark = pytest.mark.django_db


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
