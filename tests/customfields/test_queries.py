"""Reading definitions, and counting who holds values of them."""

import pytest
from pytest_django import DjangoAssertNumQueries

from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.kinds import Kind
from customfields.queries import count_holders, definitions, printed_definitions
from tests.customfields.fields import make_field
from tests.factories import AccountFactory, BillGroupFactory

pytestmark = pytest.mark.django_db


def test_definitions_are_plain_values_of_one_object_in_their_order(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_field("last", position=9)
    make_field("first")
    make_field(
        "portal",
        position=1,
        kind="CHOICE",
        choices=["Ariba", "Coupa"],
        required=True,
        default="Coupa",
        help_text="Where invoices go.",
        printed=True,
    )
    make_field("gone", archived=True)
    make_field("elsewhere", object="CONTRACT")

    with django_assert_num_queries(1):
        found = definitions(FieldObject.ACCOUNT)

    assert [definition.key for definition in found] == ["first", "portal", "last"]
    assert found[1] == FieldDefinition(
        key="portal",
        label="Portal",
        kind=Kind.CHOICE,
        choices=("Ariba", "Coupa"),
        required=True,
        default="Coupa",
        help_text="Where invoices go.",
        printed=True,
    )


def test_definition_is_used_from_the_next_call_on() -> None:
    """F1: no deploy, no restart."""
    assert definitions(FieldObject.CONTRACT) == ()

    make_field("portal", object="CONTRACT")

    assert len(definitions(FieldObject.CONTRACT)) == 1


def test_printed_fields_of_all_objects_come_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """F2."""
    make_field("cost_centre", object="BILL_GROUP", printed=True)
    make_field("vendor_number", printed=True)
    make_field("old", printed=True, archived=True)
    make_field("internal")

    with django_assert_num_queries(1):
        found = printed_definitions()

    assert {
        name: [field.key for field in fields] for name, fields in found.items()
    } == {
        FieldObject.ACCOUNT: ["vendor_number"],
        FieldObject.BILL_GROUP: ["cost_centre"],
        FieldObject.CONTRACT: [],
        FieldObject.INVOICE: [],
    }


def test_holders_are_the_owners_with_a_value() -> None:
    field = make_field("audited", kind="YES_NO")
    AccountFactory.create(custom_fields={"audited": False})
    AccountFactory.create(custom_fields={"audited": True, "other": "x"})
    AccountFactory.create(custom_fields={"other": "audited"})
    account = AccountFactory.create()
    BillGroupFactory.create(account=account, custom_fields={"audited": True})

    assert count_holders(field) == 2
    assert count_holders(field, value=True) == 1
    assert count_holders(make_field("audited", object="BILL_GROUP")) == 1
    assert count_holders(make_field("audited", object="INVOICE")) == 0
