"""The frame: navigation, search, dashboard, policy."""

import re
from datetime import date

import pytest
import time_machine
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from config.adminsite import navigation
from invoicing.models import Invoice
from tests.factories import AccountFactory, BillGroupFactory
from tests.staff import active_contract, client_of, company, draft_contract

pytestmark = pytest.mark.django_db


def test_django_q_has_no_pages() -> None:
    assert not [m for m in admin.site._registry if m._meta.app_label == "django_q"]


def test_nothing_is_deleted_in_bulk() -> None:
    client = client_of("Administrator")
    active_contract()

    for model in admin.site._registry:
        page = client.get(
            reverse(
                f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
            )
        )
        assert b"delete_selected" not in page.content


def test_only_what_has_a_form_leads_to_the_changes_made_on_it() -> None:
    client = client_of("Finance manager")
    contract = active_contract()
    shown = {
        name: f"/{subject.pk}/history/"
        in client.get(
            reverse(f"admin:{name}_change", args=[subject.pk])
        ).content.decode()
        for name, subject in (
            ("contracts_contract", contract),
            ("billing_billgroup", contract.bill_group),
            ("contracts_scheduledcharge", contract.charges.earliest("pk")),
        )
    }

    assert shown == {
        "contracts_contract": True,
        "billing_billgroup": True,
        "contracts_scheduledcharge": False,
    }


def test_every_page_behind_a_door_opens() -> None:
    client = client_of("Auditor")

    for door in (*navigation.DOORS, navigation.SETTINGS):
        for page in door.pages:
            if page.url:
                assert client.get(page.url, follow=True).status_code == 200, page.label


def test_doors_that_a_user_may_not_open_are_left_out() -> None:
    client = client_of("Administrator")
    stranger = client_of("Administrator")
    from django.contrib.auth.models import User

    user = User.objects.order_by("-pk")[0]
    user.is_superuser = False
    user.save()

    assert b"Contracts" in client.get("/admin/").content
    assert b"/admin/contracts/contract/" not in stranger.get("/admin/").content


def test_policy_is_kept_on_every_page() -> None:
    client = client_of("Administrator")
    contract = active_contract()
    invoice = Invoice.objects.get()

    for url in (
        "/admin/",
        reverse("admin:billing_account_overview", args=[invoice.account_id]),
        reverse("admin:contracts_contract_change", args=[contract.pk]),
        reverse("admin:contracts_contract_add"),
        reverse("admin:invoicing_invoice_changelist"),
        reverse("admin:invoicing_invoice_change", args=[invoice.pk]),
        reverse("admin:invoicing_dry_run"),
    ):
        page = client.get(url)
        html = page.content.decode()
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", html)


@pytest.mark.parametrize(
    "typed",
    ["ACC-00417", "acc-00417", "Halden", "rob hal"],
    ids=["number", "small_letters", "word", "beginnings_of_words"],
)
def test_search_goes_to_the_one_account_that_was_meant(typed: str) -> None:
    account = AccountFactory.create(number="ACC-00417", name="Halden Robotics GmbH")
    AccountFactory.create(number="ACC-00500", name="Somebody Else")
    client = client_of("Support")

    answer = client.get("/admin/search/", {"q": typed})

    assert answer.status_code == 302
    overview = reverse("admin:billing_account_overview", args=[account.pk])
    assert answer.headers["Location"] == overview


def test_search_finds_bill_group_contract_invoice_and_po_number() -> None:
    entity = company()
    group = BillGroupFactory.create(
        legal_entity=entity, po_number="4500981227", account__name="Halden"
    )
    contract = active_contract(group)
    invoice = Invoice.objects.get()
    client = client_of("Support")

    def found(text: str) -> str:
        answer = client.get("/admin/search/", {"q": text})
        assert answer.status_code == 302, answer.content
        return answer.headers["Location"]

    overview = reverse("admin:billing_account_overview", args=[group.account_id])
    of_group = f"{overview}?bill_group={group.pk}"
    document = reverse("admin:invoicing_invoice_change", args=[invoice.pk])
    assert found(group.public_id) == of_group
    assert found(group.public_id.lower()) == of_group
    assert found("4500981227") == of_group
    assert found(contract.number) == reverse(
        "admin:contracts_contract_change", args=[contract.pk]
    )
    assert found(str(invoice.number)) == document
    assert found(str(invoice.number).lower()) == document
    assert found("1") == document


def test_search_groups_what_is_not_clear() -> None:
    AccountFactory.create(name="North Shipping")
    AccountFactory.create(name="North Rail")
    client = client_of("Support")

    page = client.get("/admin/search/", {"q": "north"})

    assert page.status_code == 200
    assert b"North Rail" in page.content
    assert b"North Shipping" in page.content


@pytest.mark.parametrize("typed", ["", "'", ":*", "a & | b", "BG-", "%", "\\"])
def test_search_takes_whatever_is_typed(typed: str) -> None:
    client = client_of("Support")

    assert client.get("/admin/search/", {"q": typed}).status_code == 200


def test_suggestions_come_for_what_is_typed() -> None:
    AccountFactory.create(number="ACC-00417", name="Halden Robotics GmbH")
    client = client_of("Finance clerk")

    answer = client.get("/admin/suggest/", {"source": "billing.account", "q": "hal"})

    assert answer.json() == {"suggestions": [["ACC-00417", "Halden Robotics GmbH"]]}


def test_today_lists_what_waits_for_a_person() -> None:
    contract = active_contract()
    from invoicing.models import ParkedBillGroup

    ParkedBillGroup.objects.create(
        bill_group=contract.bill_group, reason="Its tax rate has no percent."
    )
    client = client_of("Finance manager")

    with time_machine.travel("2026-01-02T12:00:00Z", tick=False):
        page = client.get("/admin/")

    work = page.context["work"]
    assert [(item.label, item.count) for item in work] == [("Parked", 1)]
    assert b"Its tax rate has no percent." in page.content


def test_today_shows_what_is_pending_in_the_next_days() -> None:
    active_contract()
    client = client_of("Finance clerk")

    with time_machine.travel("2026-01-28T12:00:00Z", tick=False):
        page = client.get("/admin/")

    (panel,) = [p for p in page.context["side_panels"] if "through" in p.context]
    (total,) = panel.context["totals"]
    assert (total.currency, total.invoices, total.amount) == ("USD", 1, 100)
    assert panel.context["through"] == date(2026, 2, 4)


def test_log_out_is_a_post() -> None:
    client = client_of("Support")

    assert client.get("/admin/logout/").status_code == 405
    assert b'<form id="logout-form" method="post"' in client.get("/admin/").content


def test_stranger_is_asked_to_log_in() -> None:
    draft_contract()

    page = Client().get("/admin/contracts/contract/", follow=True)

    assert b"Log in" in page.content
    assert b"nav-sidebar" not in page.content


def test_password_pages_are_ours() -> None:
    client = client_of("Administrator")
    from django.contrib.auth.models import User

    pk = User.objects.get().pk
    for url in (
        "/admin/password_change/",
        "/admin/password_change/done/",
        f"/admin/auth/user/{pk}/password/",
    ):
        page = client.get(url)
        assert page.status_code == 200
        assert b"Home &rsaquo;" not in page.content
    assert b"Logged out" in client.post("/admin/logout/").content


def test_old_name_of_the_icon_leads_to_it(client: Client) -> None:
    answer = client.get("/favicon.ico")

    assert answer.status_code == 302
    assert answer["Location"].endswith("icon.svg")
