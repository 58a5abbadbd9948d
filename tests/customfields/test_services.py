"""The check on every way in, and taking a definition away."""

import pytest
from pytest_django import DjangoAssertNumQueries

from customfields.domain.definition import FieldObject
from customfields.models import CustomField
from customfields.services import FieldHoldsValues, check_values, delete_field
from tests.customfields.fields import make_field
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


def test_values_are_checked_against_the_definitions_of_their_object(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """I5: cf:<key>; F2."""
    make_field("seats", object="CONTRACT", kind="NUMBER")
    make_field("signed_on", object="CONTRACT", kind="DATE", required=True)
    make_field("portal", object="CONTRACT", archived=True)
    make_field("seats", required=True)

    with django_assert_num_queries(1):
        values, errors = check_values(
            FieldObject.CONTRACT, {"seats": "12.0", "portal": "Ariba"}
        )

    assert values == {"seats": "12"}
    assert [error.key for error in errors] == ["portal", "signed_on"]


def test_field_without_values_is_deleted() -> None:
    field = make_field("portal")
    AccountFactory.create(custom_fields={"other": "x"})

    delete_field(field=field)

    assert not CustomField.objects.exists()


@pytest.mark.parametrize(
    ("count", "holders"),
    [
        pytest.param(1, "1 account holds a value", id="one"),
        pytest.param(2, "2 accounts hold a value", id="two"),
    ],
)
def test_field_that_holds_values_is_archived_instead_of_deleted(
    count: int, holders: str
) -> None:
    """F1."""
    field = make_field("portal")
    AccountFactory.create_batch(count, custom_fields={"portal": "Ariba"})

    with pytest.raises(FieldHoldsValues, match=holders):
        delete_field(field=field)

    assert CustomField.objects.get() == field
