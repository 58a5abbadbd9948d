"""Custom fields in lists: columns, filters, search and files (F2)."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Account
from customfields.domain.definition import MOST_COLUMNS, MOST_FILTERS
from tests.customfields.fields import make_field
from tests.factories import AccountFactory, BillGroupFactory, ContractFactory
from tests.staff import client_of, person

pytestmark = pytest.mark.django_db

LIST = "/admin/billing/account/"
HELD: dict[str, str | bool] = {
    "portal": "Ariba",
    "note": "Ask Ms. Kühn first",
    "seats": "12.5",
    "since": "2026-03-02",
    "audited": True,
}


@pytest.fixture
def clerk() -> Client:
    return client_of("Finance clerk")


@pytest.fixture
def fields() -> None:
    make_field("portal", kind="CHOICE", choices=["Ariba", "Coupa"], retired=["Taulia"])
    make_field("note", kind="LONG_TEXT")
    make_field("seats", kind="NUMBER")
    make_field("since", kind="DATE")
    make_field("audited", kind="YES_NO")


def shown(client: Client, query: str) -> list[str]:
    """Return the names of the accounts in the list at a query."""
    page: Any = client.get(f"{LIST}?{query}")
    assert page.status_code == 200, page
    return [account.name for account in page.context["cl"].result_list]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cf_portal=Ariba", ["held"]),
        ("cf_portal=Coupa", []),
        ("cf_portal=+none", ["bare", "less"]),
        ("cf_portal=Taulia", ["old"]),
        ("cf_portal=unheard", []),
        ("cf_note=k%C3%BChn", ["held"]),
        ("cf_note=s.%20k", ["held"]),
        ("cf_note=%25", []),
        ("cf_seats__from=12.5&cf_seats__to=12.5", ["held"]),
        ("cf_seats__from=-10&cf_seats__to=9", ["less"]),
        ("cf_seats__from=twelve", []),
        ("cf_since__from=2026-03-02", ["held"]),
        ("cf_since__to=2026-03-01", ["less"]),
        ("cf_since__from=2026-02-30", []),
        ("cf_audited=yes", ["held"]),
        ("cf_audited=no", ["less"]),
        ("cf_audited=+none", ["bare", "old"]),
        ("cf_audited=no&cf_seats__to=0", ["less"]),
        ("q=k%C3%BChn", ["held"]),
        ("q=ari", ["held"]),
        ("q=ari&cf_audited=no", []),
        ("q=2026-03", ["held"]),
    ],
)
def test_list_is_narrowed_by_values(
    clerk: Client, fields: None, query: str, found: list[str]
) -> None:
    AccountFactory.create(name="held", custom_fields=HELD)
    AccountFactory.create(
        name="less",
        custom_fields={"seats": "-9", "since": "2025-12-31", "audited": False},
    )
    AccountFactory.create(name="old", custom_fields={"portal": "Taulia"})
    AccountFactory.create(name="bare")

    assert shown(clerk, query) == found


def test_columns_show_values_escaped_and_give_way_on_narrow_screens(
    clerk: Client,
) -> None:
    make_field("note", label="<i>Note</i>")
    make_field("hidden", in_list=False)
    AccountFactory.create(custom_fields={"note": "<b>x</b>", "hidden": "unseen"})

    page = clerk.get(LIST).content.decode()

    assert "&lt;i&gt;note&lt;/i&gt;" in page.lower()
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x</b>" not in page
    assert "unseen" not in page
    assert 'class="ell cf w1 field-cf_note"' in page


def test_list_has_room_for_a_few_of_a_thousand_fields_and_one_query(
    clerk: Client,
) -> None:
    make_field("first", position=0)
    AccountFactory.create(custom_fields={"first": "here"})
    clerk.get(LIST)
    with CaptureQueriesContext(connection) as few:
        clerk.get(LIST)
    for number in range(40):
        make_field(f"f{number}", position=number + 1)
    for number in range(60):
        AccountFactory.create(custom_fields={f"f{number % 40}": "x"})

    with CaptureQueriesContext(connection) as many:
        page: Any = clerk.get(LIST)

    assert len(many) == len(few)
    columns = [name for name in page.context["cl"].list_display if callable(name)]
    assert len(columns) == MOST_COLUMNS
    assert len(page.context["cl"].filterset.form.fields) == MOST_FILTERS


@pytest.mark.parametrize("page", ["add/", "{pk}/change/", "{pk}/overview/"])
def test_forms_and_overview_take_as_many_queries_however_many_fields(
    clerk: Client, page: str
) -> None:
    make_field("first")
    account = AccountFactory.create(custom_fields={"first": "here"})
    group = BillGroupFactory.create(account=account)
    ContractFactory.create(bill_group=group)
    url = LIST + page.format(pk=account.pk)
    clerk.get(url)
    with CaptureQueriesContext(connection) as few:
        clerk.get(url)
    for number in range(40):
        for name in ("ACCOUNT", "BILL_GROUP", "CONTRACT"):
            make_field(f"f{number}", object=name)

    with CaptureQueriesContext(connection) as many:
        answer = clerk.get(url)

    assert answer.status_code == 200
    assert len(many) == len(few)


def exported(client: Client, url: str) -> list[dict[str, str]]:
    answer: Any = client.get(url)
    assert answer.status_code == 200, answer.content
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_file_holds_what_the_list_shows_with_formulas_made_harmless(
    clerk: Client, fields: None
) -> None:
    evil = "=HYPERLINK(1)"
    values = HELD | {"note": evil, "seats": "-3"}
    AccountFactory.create(name="+held", custom_fields=values)
    AccountFactory.create(name="other", custom_fields={"portal": "Coupa"})

    (row,) = exported(clerk, f"{LIST}export-csv/?cf_portal=Ariba")

    assert row["name"] == "'+held"
    assert {key: cell for key, cell in row.items() if key.startswith("cf:")} == {
        "cf:portal": "Ariba",
        "cf:note": f"'{evil}",
        "cf:seats": "-3",
        "cf:since": "2026-03-02",
        "cf:audited": "yes",
    }


@pytest.mark.parametrize("model", ["account", "billgroup", "contract"])
def test_list_links_to_its_file_and_keeps_its_filters(
    clerk: Client, model: str
) -> None:
    app = "contracts" if model == "contract" else "billing"
    ContractFactory.create(bill_group__custom_fields={"x": "1"})
    url = reverse(f"admin:{app}_{model}_changelist")
    export = reverse(f"admin:{app}_{model}_export_csv")

    assert f'href="{export}?q=C"' in clerk.get(f"{url}?q=C").content.decode()
    assert len(exported(clerk, export)) == 1


def test_file_is_refused_to_who_may_not_see_the_list() -> None:
    client = Client()
    nobody = person("Support")
    nobody.groups.clear()
    client.force_login(nobody)

    assert client.get(f"{LIST}export-csv/").status_code == 403


def test_filters_that_cannot_be_read_make_no_file(clerk: Client, fields: None) -> None:
    answer = clerk.get(f"{LIST}export-csv/?cf_seats__from=twelve")

    assert answer.status_code == 400


def test_global_search_finds_owners_by_their_values(clerk: Client) -> None:
    AccountFactory.create(name="Held", custom_fields={"portal": "Quicksilver"})
    BillGroupFactory.create(name="Billed", custom_fields={"portal": "Quicksilver"})
    contract = ContractFactory.create(
        number="C-held", custom_fields={"x": "quick-silver"}
    )

    page = clerk.get("/admin/search/?q=quicks").content.decode()

    assert "Held" in page
    assert "Billed" in page
    assert "C-held" not in page
    only: Any = clerk.get("/admin/search/?q=silv+quick")  # leads to the one hit
    assert only.url == f"/admin/contracts/contract/{contract.pk}/change/"


def test_filters_use_the_partial_index() -> None:
    """The filters say the condition of the partial index."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DROP INDEX account_field_words")  # as cheap when all is empty
        plan = Account.objects.exclude(custom_fields={}).filter(
            custom_fields__contains={"portal": "Ariba"}
        )
        assert "account_field_values" in plan.explain()
