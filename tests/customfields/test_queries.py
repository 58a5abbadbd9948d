"""Reading definitions, and counting who holds values of them."""

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from billing.models import Account
from customfields.domain.definition import FieldDefinition, FieldObject
from customfields.domain.kinds import Kind
from customfields.queries import (
    count_holders,
    definitions,
    invoice_definitions,
    search_values,
)
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
        found = invoice_definitions().printed

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


def test_new_invoices_store_the_defaults_of_their_own_fields() -> None:
    make_field("checked", object="INVOICE", kind="YES_NO", default=False)
    make_field("note", object="INVOICE")
    make_field("gone", object="INVOICE", default="x", archived=True)
    make_field("region", default="North")

    assert invoice_definitions().defaults == {"checked": False}


@pytest.mark.parametrize(
    "text",
    [
        "ariba",
        "north-4410",
        "4410",
        "PORTAL.example",
        "Kö",
        "second line",
        "pe zz",
        "5",
        "हिन्दी",
        "o'neill",
        "x" * 300,
    ],
    ids=[
        "any_case",
        "code",
        "part",
        "host",
        "beginning",
        "after_break",
        "words",
        "currency",
        "marks",
        "quote",
        "long",
    ],
)
def test_owners_are_found_by_the_words_of_their_values(text: str) -> None:
    held = AccountFactory.create(
        custom_fields={
            "portal": "Ariba",
            "cost_centre": "CC-North-4410",
            "address": "https://portal.example.com/a?b=1",
            "note": 'Köln\nsecond "line"',
            "odd": "peculiar zz1",
            "price": "€5 हिन्दी O'Neill\u2019s",
            "long": "x" * 5000,
        }
    )
    AccountFactory.create(custom_fields={"ariba": "portal_id"}, name="Ariba 4410")

    assert list(search_values(type(held).objects.all(), text)) == [held]


def test_search_asks_the_index_of_words_whatever_there_is_to_sort() -> None:
    """To walk through all owners in order would cut the values of each into words."""
    AccountFactory.create_batch(30, custom_fields={"a": "b"})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_account; SET LOCAL enable_seqscan = off")

    newest = search_values(Account.objects.all(), "b")[:1]

    assert "account_field_words" in newest.explain()


@pytest.mark.parametrize("text", ["", "  ", "'|!&:*", "\0", "nobody"])
def test_search_for_no_words_finds_nothing(text: str) -> None:
    account = AccountFactory.create(custom_fields={"a": "b"})

    assert not search_values(type(account).objects.all(), text)
