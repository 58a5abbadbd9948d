"""Every door of the admin by every role: page, list, bulk action, direct POST (9, M5).

The doors are walked, not listed: whatever is registered or has an address is tried, and
what `who_may` doesn't know fails. Who may not gets a 403 and one audit entry, and
nothing else is written; who may gets through; looking never writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from billing.models import AuditEvent, InvoicingSettings
from billing.services.bill_groups import request_deactivation
from config.adminsite import registry
from config.adminsite.actions import every_action
from config.adminsite.bulk import bulk_actions
from config.adminsite.pages import object_pages, site_pages
from config.adminsite.refusals import permission_denied
from contracts.models import Contract
from contracts.services.usage import record_usage
from contracts.services.usage_import import upload_usage
from invoicing.models import (
    CreditLimit,
    Invoice,
    ParkedBillGroup,
    PortalStep,
)
from invoicing.services.credit_documents import ensure_credit_paper
from invoicing.services.credits import credit_invoice
from invoicing.services.documents import ensure_revision
from invoicing.services.generation import run_invoicing
from invoicing.services.lifecycle import activate_contract, upload_contracts
from invoicing.services.payment_imports import upload_payments
from invoicing.services.payments import record_payment
from invoicing.services.portal import submit_documents
from invoicing.services.portal_files import check_file
from tests.config import who_may as table
from tests.customfields.fields import make_field
from tests.factories import (
    BillGroupFactory,
    ContractFactory,
    LegalEntityFactory,
    UserFactory,
    tax_rate,
    usage_line,
)
from tests.portal import entry_of, portal_invoice
from tests.staff import ROLES, active_contract, client_of, draft_contract, person

pytestmark = pytest.mark.django_db

TODAY = date(2026, 2, 10)
# The login, redirects, and the list of an app, which is empty (404) for strangers.
UNGUARDED = {"login", "view_on_site", "app_list", "home", "favicon", None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A door: its name in `who_may`, the address, and what a POST of it brings."""

    name: str
    url: str
    posts: tuple[tuple[str, str], ...] = (("_confirm", "1"),)

    def methods_of(self, role: str) -> tuple[str, ...]:
        """How it is tried: a bulk action only comes by POST.

        What is only looked at answers a POST as it does a GET.
        """
        if ":" in self.name:
            return ("POST",)
        if self.name == "autocomplete":
            return ("GET",)
        only_looks = table.who_may(self.name, writes=True) == table.VIEW
        return ("GET",) if only_looks and role in table.VIEW else ("GET", "POST")


@pytest.fixture(autouse=True)
def midday(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop the clock, and leave out the counts that stand beside every page."""
    monkeypatch.setattr(registry, "counts", [])
    with time_machine.travel("2026-02-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def world() -> Contract:
    """One row at least of everything that the admin shows."""
    # The first one, which the walk takes: a draft still has a form.
    group = draft_contract().bill_group
    contract = active_contract(group, today=date(2026, 1, 1))
    used = ContractFactory.create(bill_group=group)
    line = usage_line(contract=used, position=1)
    activate_contract(contract=used, actor=None, today=date(2026, 1, 1))
    record_usage(
        line=line,
        usage_date=date(2026, 1, 5),
        quantity=Decimal(1),
        idempotency_key="a",
        actor=None,
    )
    by_hand = BillGroupFactory.create(invoicing="MANUAL")
    active_contract(by_hand, today=date(2026, 1, 1))
    run_invoicing(as_of=date(2026, 2, 1))
    InvoicingSettings.objects.create(legal_entity=group.legal_entity)
    LegalEntityFactory.create(name="A second one, without settings")
    ParkedBillGroup.objects.create(bill_group=group, reason="It broke.")
    note = credit_invoice(
        invoice=Invoice.objects.order_by("pk")[0],
        reason="x",
        actor=None,
        today=TODAY,
    )
    record_payment(
        bill_group=group,
        amount=Decimal(1),
        received_on=TODAY,
        reference="",
        actor=None,
        today=TODAY,
    )
    upload_contracts(
        content=b"account_number\n",
        file_name="bad.csv",
        legal_entity=group.legal_entity,
        actor=None,
        today=TODAY,
    )
    upload_usage(content=b"line\n", file_name="bad.csv", actor=None)
    upload_payments(content=b"line\n", file_name="bad.csv", actor=None, today=TODAY)
    request_deactivation(bill_group=group, reason="Moved", actor=None)
    CreditLimit.objects.create(
        legal_entity=group.legal_entity, currency="USD", amount=Decimal(50)
    )
    make_field("buyer", object="BILL_GROUP")
    submit_documents(
        submissions=[entry_of(portal_invoice(today=TODAY))],
        reference="S-1",
        on=TODAY,
        file=check_file(name="proof.pdf", content=b"%PDF-1.7\n%%EOF"),
        actor=UserFactory.create(),
        today=TODAY,
    )
    tax_rate("19")
    # The first to look at a paper has it rendered and kept (M7).
    for invoice in Invoice.objects.exclude(number=None):
        ensure_revision(invoice=invoice)
    ensure_credit_paper(note=note)
    return contract


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    """Yield every address below a resolver."""
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one)
        else:
            yield one


def named_patterns() -> list[URLPattern]:
    return [one for one in patterns(get_resolver()) if one.name not in UNGUARDED]


def doors() -> list[Door]:
    """Return all doors of the site, those of rows at some row of the model."""
    found = [Door(name=one.name or "", url=url_of(one)) for one in named_patterns()]
    bulk = [
        Door(
            name=f"{of_list(action)}:{action.slug}",
            url=reverse(f"admin:{of_list(action)}"),
            posts=(
                ("action", action.slug),
                ("_selected_action", str(some_id(action.model))),
                ("_confirm", "1"),
            ),
        )
        for action in bulk_actions
    ]
    return [*found, *bulk]


def of_list(action: Any) -> str:
    return f"{action.model._meta.app_label}_{action.model._meta.model_name}_changelist"


def url_of(pattern: URLPattern) -> str:
    """Return an address that a pattern answers, with ids of rows that are there."""
    arguments: dict[str, Any] = {}
    for name in pattern.pattern.converters:
        arguments[name] = some_id(model_of(pattern.name or ""))
    url = reverse(f"admin:{pattern.name}", kwargs=arguments)
    if pattern.name == "invoicing_portalsubmission_file":
        return f"{url}?step={some_id(PortalStep)}"
    return url


def model_of(name: str) -> Any:
    """Return the model whose pages a URL name belongs to."""
    (model,) = (
        model
        for model in admin.site._registry
        if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_")
    )
    return model


def some_id(model: Any) -> int:
    row = model._default_manager.order_by("pk").first()
    assert row is not None, f"The world has no {model._meta.verbose_name}."
    return int(row.pk)


def written() -> str:
    """Return a digest of all rows that can be written, but refusals."""
    tables = [
        model._meta.db_table
        for app in ("auth", "admin", "customfields", "billing", "contracts")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    ] + [
        model._meta.db_table for model in apps.get_app_config("invoicing").get_models()
    ]
    one = (
        "SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0)"
        ' FROM "{}" t{}'
    )
    events = AuditEvent._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                one.format(
                    name, " WHERE code <> 'action.refused'" if name == events else ""
                )
                for name in tables
            )
        )
        return " ".join(row[0] for row in cursor.fetchall())


def refusals() -> int:
    return AuditEvent.objects.filter(code="action.refused").count()


@contextmanager
def undone() -> Iterator[None]:
    """Do something in a transaction that leaves nothing behind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def client_as(role: str) -> Client:
    if role != table.NO_GROUP:
        return client_of(role)
    client = Client()
    client.force_login(UserFactory.create(is_staff=True))
    return client


def test_every_door_is_in_the_table_of_who_may() -> None:
    unknown = []
    for name in [
        *(one.name or "" for one in named_patterns()),
        *(f"{of_list(action)}:{action.slug}" for action in bulk_actions),
    ]:
        try:
            table.who_may(name)
        except KeyError:
            unknown.append(name)

    assert unknown == [], "Say in tests/config/who_may.py who may open these."


def test_every_action_and_page_names_a_permission_that_exists() -> None:
    existing = {
        f"{label}.{codename}"
        for label, codename in Permission.objects.values_list(
            "content_type__app_label", "codename"
        )
    }

    done: list[Any] = [*every_action(), *bulk_actions]
    shown: list[Any] = [*site_pages, *object_pages]
    named = {type(one).__name__: one.permission for one in [*done, *shown]}

    assert {name for name, one in named.items() if one not in existing} == set()
    # An action is never permitted to whoever may only look.
    assert {type(one).__name__ for one in done if ".view_" in one.permission} == set()


@pytest.mark.parametrize("role", [*ROLES, table.ADMINISTRATOR, table.NO_GROUP])
def test_each_door_is_open_to_those_who_may_and_to_no_one_else(
    world: Contract, role: str
) -> None:
    client = client_as(role)
    before = written()

    wrong = [
        (door.name, method, *verdict)
        for door in doors()
        if role != table.ADMINISTRATOR or not is_managers(door)
        for method in door.methods_of(role)
        if (verdict := tried(client, door, method, role))
    ]

    assert not wrong, wrong
    assert written() == before, [
        (door.name, method)
        for door in doors()
        for method in door.methods_of(role)
        if writes(client, door, method)
    ]


def is_managers(door: Door) -> bool:
    """Tell what administrators need not be tried at: managers may, as they."""
    roles = {frozenset(table.who_may(door.name, writes=w)) for w in (False, True)}
    return all(one >= table.MANAGERS for one in roles)


def tried(client: Client, door: Door, method: str, role: str) -> list[str]:
    """Try a door and say what is wrong with the answer; empty where nothing is."""
    may = role in table.who_may(door.name, writes=method == "POST")
    noted = refusals()
    # Any POST is enough to delete, and an empty one to add something.
    does = may and door.name.endswith(("_add", "_delete"))
    with undone() if does else nullcontext():
        answer = knock(client, door, method)
    return judge(answer, may=may, noted=refusals() - noted)


def writes(client: Client, door: Door, method: str) -> bool:
    before = written()
    knock(client, door, method)
    return written() != before


def knock(client: Client, door: Door, method: str) -> Any:
    # Logging out would end the walk.
    if door.name == "logout":
        return client.get(reverse("admin:index"))
    if method == "GET":
        return client.get(door.url)
    return client.post(door.url, dict(door.posts))


def judge(answer: Any, *, may: bool, noted: int) -> list[str]:
    """Say what is wrong with an answer; empty where nothing is."""
    if may:
        is_in = answer.status_code in {200, 302, 405, 409}
        return ([] if is_in else [f"{answer.status_code}"]) + (
            ["noted"] if noted else []
        )
    return ([] if answer.status_code == 403 else [f"{answer.status_code}"]) + (
        [] if noted == 1 else [f"noted {noted} times"]
    )


def test_visitors_are_sent_to_the_login_and_leave_no_trace(world: Contract) -> None:
    person(table.AUDITOR)
    client = Client()
    before = written()

    let_in = [
        (door.name, method)
        for door in doors()
        for method in door.methods_of("")
        if not sent_to_login(knock(client, door, method))
    ]

    assert let_in == []
    assert written() == before
    assert refusals() == 0


def sent_to_login(answer: Any) -> bool:
    where = answer.headers.get("Location", "")
    return bool(answer.status_code == 302 and where.startswith("/admin/login/"))


def test_staff_without_a_group_find_and_see_nothing(world: Contract) -> None:
    client = client_as(table.NO_GROUP)
    account = world.bill_group.account
    invoice = Invoice.objects.order_by("pk")[0]

    pages = [
        client.get(reverse("admin:index")),
        client.get(reverse("admin:search"), {"q": account.name}, follow=True),
        client.get(reverse("admin:search"), {"q": str(invoice.number)}, follow=True),
        client.get(reverse("admin:search"), {"q": world.bill_group.public_id}),
    ]

    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        assert f"/{invoice.pk}/" not in text
        assert account.number not in text


class TestRefusal:
    """What a person reads who may not, and what is left of it."""

    def refuse(self, contract: Contract, role: str) -> Any:
        group = contract.bill_group
        url = reverse("admin:billing_billgroup_deactivate", args=[group.pk])
        return client_of(role).post(url, {"_confirm": "1", "reason": "x"})

    def test_the_page_says_who_may(self, world: Contract) -> None:
        page = self.refuse(world, "Finance clerk")

        text = page.content.decode()
        assert page.status_code == 403
        assert f"Deactivate (bill group {world.bill_group}" in text
        assert "is for Support or Administrator." in text

    def test_m5_who_what_and_on_what_is_noted(self, world: Contract) -> None:
        self.refuse(world, "Finance clerk")

        (event,) = AuditEvent.objects.filter(code="action.refused")
        group = world.bill_group
        assert (
            event.actor_name == User.objects.get(groups__name="Finance clerk").username
        )
        assert event.subject == str(group)
        assert (event.account_id, event.bill_group_id) == (group.account_id, group.pk)
        assert event.after["action"] == "Deactivate"
        assert event.after["needs"] == ["billing.deactivate_billgroup"]
        assert event.after["method"] == "POST"

    def test_m5_a_form_of_djangos_is_noted_too(self, world: Contract) -> None:
        url = reverse("admin:billing_legalentity_add")

        page = client_of("Finance clerk").post(url, {"name": "x"})

        (event,) = AuditEvent.objects.filter(code="action.refused")
        assert "is for Finance manager or Administrator." in page.content.decode()
        assert event.after["needs"] == ["billing.add_legalentity"]

    def test_a_visitor_who_gets_past_the_login_leaves_no_trace(self) -> None:
        request = RequestFactory().post("/admin/", {})
        request.user = AnonymousUser()

        page = permission_denied(request, PermissionDenied())

        assert page.status_code == 403
        assert refusals() == 0

    def test_what_nobody_may_is_said_to_the_administrator(
        self, world: Contract
    ) -> None:
        invoice = Invoice.objects.order_by("pk")[0]
        url = reverse("admin:invoicing_invoice_delete", args=[invoice.pk])

        page = client_of(table.ADMINISTRATOR).post(url, {"post": "yes"})

        assert page.status_code == 403
        assert "nobody does this by hand" in page.content.decode()
        assert Invoice.objects.filter(pk=invoice.pk).exists()
