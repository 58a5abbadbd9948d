"""Forms of accounts, bill groups and settings; each change leaves one audit entry."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from billing.models import Account, AuditEvent, BillGroup, TaxRate
from billing.services.roles import ROLES, keep_up_roles
from tests.factories import AccountFactory, BillGroupFactory, tax_rate
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db


def group_form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Hamburg plant",
        "currency": "eur",
        "invoicing": "AUTOMATIC",
        "net_terms": "30",
        "po_number": "",
        "delivery": "EMAIL",
        "bill_to": "",
        "email": "",
        "address_line1": "",
        "address_line2": "",
        "postal_code": "",
        "city": "",
        "region": "",
        "country": "",
    } | fields


def test_account_is_added_and_recorded() -> None:
    """M5."""
    client_of("Finance clerk").post(
        reverse("admin:billing_account_add"),
        {"name": "Halden", "number": "ACC-1", "language": "en", "country": "DE"},
    )

    account = Account.objects.get()
    event = AuditEvent.objects.get()
    assert (event.code, event.account_id) == ("account.added", account.pk)
    assert event.after["name"] == "Halden"


def test_change_keeps_what_was_there_before() -> None:
    """M5."""
    account = AccountFactory.create(name="Halden")
    client = client_of("Finance clerk")
    url = reverse("admin:billing_account_change", args=[account.pk])
    values = {
        "name": "Halden Robotics",
        "number": account.number,
        "language": "en",
        "address_line1": account.address_line1,
        "city": account.city,
        "country": account.country,
    }

    client.post(url, values)
    client.post(url, values)  # changes nothing, so it records nothing

    event = AuditEvent.objects.get()
    assert (event.code, event.before, event.after) == (
        "account.changed",
        {"name": "Halden"},
        {"name": "Halden Robotics"},
    )


@pytest.mark.parametrize(("language", "is_taken"), [("de", True), ("tlh", False)])
def test_account_takes_a_language_that_papers_have(
    language: str, *, is_taken: bool
) -> None:
    client_of("Finance clerk").post(
        reverse("admin:billing_account_add"),
        {"name": "Halden", "number": "ACC-1", "language": language, "country": "DE"},
    )

    assert Account.objects.filter(language=language).exists() is is_taken


def test_bill_group_takes_its_account_by_number_and_currency_in_any_letters() -> None:
    entity = company()
    account = AccountFactory.create(number="ACC-7")

    answer = client_of("Finance clerk").post(
        reverse("admin:billing_billgroup_add"),
        group_form(account=" ACC-7 ", legal_entity=entity.pk),
    )

    group = BillGroup.objects.get()
    assert answer.status_code == 302
    assert (group.account, group.currency) == (account, "EUR")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"account": "ACC-9"}, "There is no account with this number."),
        ({"currency": "XXX"}, "is not an active ISO 4217 currency"),
        ({"net_terms": "400"}, "less than or equal to 365"),
        ({"country": "de"}, "two capital letters"),
    ],
    ids=["unknown_account", "currency", "net_terms", "country"],
)
def test_what_is_wrong_with_a_bill_group_is_said(
    fields: dict[str, str], sentence: str
) -> None:
    entity = company()
    AccountFactory.create(number="ACC-7")

    page = client_of("Finance clerk").post(
        reverse("admin:billing_billgroup_add"),
        group_form(**{"account": "ACC-7", "legal_entity": entity.pk, **fields}),
    )

    assert page.status_code == 200
    assert sentence in page.content.decode()


def test_status_and_currency_do_not_change_on_the_form() -> None:
    """S3: a bill group is deactivated by an action, not here."""
    group = BillGroupFactory.create(legal_entity=company())
    client = client_of("Finance manager")

    client.post(
        reverse("admin:billing_billgroup_change", args=[group.pk]),
        group_form(
            name="Renamed", status="CANCELED", currency="JPY", invoicing="MANUAL"
        ),
    )

    group.refresh_from_db()
    assert (group.name, group.invoicing) == ("Renamed", "MANUAL")
    assert (group.status, group.currency) == ("ACTIVE", "USD")


def test_tax_rate_in_use_says_so_instead_of_being_deleted() -> None:
    from tests.factories import ContractLineFactory

    rate = tax_rate("19")
    ContractLineFactory.create(tax_rate=rate)
    client = client_of("Administrator")

    answer = client.post(
        reverse("admin:billing_taxrate_delete", args=[rate.pk]), {"post": "yes"}
    )

    assert answer.status_code == 403
    assert TaxRate.objects.filter(pk=rate.pk).exists()


def test_steps_of_a_tax_rate_are_recorded() -> None:
    client_of("Finance manager").post(
        reverse("admin:billing_taxrate_add"),
        {
            "name": "Standard",
            "steps-TOTAL_FORMS": "1",
            "steps-INITIAL_FORMS": "0",
            "steps-MIN_NUM_FORMS": "1",
            "steps-MAX_NUM_FORMS": "1000",
            "steps-0-valid_from": "2026-01-01",
            "steps-0-percent": "19",
        },
    )

    event = AuditEvent.objects.get(code="tax_rate.added")
    (step,) = [value for name, value in event.after.items() if "step" in name]
    assert step["percent"] == "19"


class TestWhatNobodyChanges:
    def views(self) -> list[str]:
        contract = active_contract()
        account = contract.bill_group.account
        return [
            reverse("admin:billing_account_change", args=[account.pk]),
            reverse("admin:billing_billgroup_change", args=[contract.bill_group_id]),
            reverse(
                "admin:billing_legalentity_change",
                args=[contract.bill_group.legal_entity_id],
            ),
            reverse("admin:contracts_contract_change", args=[contract.pk]),
        ]

    @pytest.mark.parametrize("role", ["Auditor", "Support"])
    def test_viewer_opens_everything_and_changes_nothing(self, role: str) -> None:
        urls = self.views()
        client = client_of(role)

        for url in urls:
            assert client.get(url).status_code == 200
            assert client.post(url, {"name": "x"}).status_code == 403
            assert b'name="_save"' not in client.get(url).content
        for model in ("billing_account", "billing_billgroup", "contracts_contract"):
            assert client.get(reverse(f"admin:{model}_add")).status_code == 403

    def test_documents_charges_runs_and_audit_have_no_form_for_anyone(self) -> None:
        active_contract()
        client = client_of("Administrator")
        from contracts.models import ScheduledCharge
        from invoicing.models import Delivery, Invoice

        for model in (AuditEvent, ScheduledCharge, Invoice, Delivery):
            meta = model._meta
            base = f"admin:{meta.app_label}_{meta.model_name}"
            pk = model._default_manager.order_by("pk")[0].pk
            assert client.get(reverse(f"{base}_change", args=[pk])).status_code == 200
            assert client.post(reverse(f"{base}_change", args=[pk])).status_code == 403
            assert client.post(reverse(f"{base}_delete", args=[pk])).status_code == 403
            assert client.get(reverse(f"{base}_add")).status_code == 403

    def test_account_and_bill_group_are_never_deleted(self) -> None:
        contract = active_contract()
        client: Client = client_of("Administrator")

        for name, pk in (
            ("account", contract.bill_group.account_id),
            ("billgroup", contract.bill_group_id),
        ):
            url = reverse(f"admin:billing_{name}_delete", args=[pk])
            assert client.post(url, {"post": "yes"}).status_code == 403


class TestRoles:
    def test_groups_are_made_and_kept_up(self) -> None:
        keep_up_roles()
        clerk = Group.objects.get(name="Finance clerk")
        held = set(clerk.permissions.values_list("codename", flat=True))
        clerk.permissions.clear()

        keep_up_roles()

        assert set(clerk.permissions.values_list("codename", flat=True)) == held
        assert {"generate_invoice", "view_invoice", "activate_contract"} <= held
        assert "release_parkedbillgroup" not in held
        assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)

    @pytest.mark.parametrize(
        ("name", "may"),
        [
            ("Auditor", set()),
            ("Support", {"deactivate_billgroup", "reactivate_billgroup"}),
        ],
    )
    def test_auditor_and_support_hold_little_beside_view_permissions(
        self, name: str, may: set[str]
    ) -> None:
        keep_up_roles()

        held = set(
            Group.objects.get(name=name).permissions.values_list("codename", flat=True)
        )
        assert {code for code in held if not code.startswith("view_")} == may

    def test_person_is_made_with_groups_only(self) -> None:
        client = client_of("Administrator")

        page = client.get(
            reverse("admin:auth_user_change", args=[User.objects.get().pk])
        )

        assert b"user_permissions" not in page.content
        assert b"Finance clerk" in page.content
