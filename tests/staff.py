"""People of each role, logged in, and a small company for pages to show."""

from datetime import date
from decimal import Decimal

from django.contrib.auth.models import Group, User
from django.test import Client

from billing.models import BillGroup, LegalEntity
from contracts.models import Contract
from invoicing.domain.states import SeriesKind
from invoicing.models import NumberSeries
from invoicing.services.lifecycle import activate_contract
from tests.factories import (
    BillGroupFactory,
    ContractFactory,
    ContractLineFactory,
    LegalEntityFactory,
    UserFactory,
)

ROLES = ("Finance clerk", "Finance manager", "Support", "Auditor")


def person(role: str) -> User:
    """Make a staff user of a role; "Administrator" may everything."""
    user = UserFactory.create(is_staff=True, is_superuser=role == "Administrator")
    if role != "Administrator":
        user.groups.add(Group.objects.get(name=role))
    return user


def client_of(role: str) -> Client:
    """Return a client that is logged in as someone of a role."""
    client = Client()
    client.force_login(person(role))
    return client


def company() -> LegalEntity:
    """Make the legal entity with its number series."""
    entity = LegalEntityFactory.create()
    NumberSeries.objects.get_or_create(
        legal_entity=entity, kind=SeriesKind.INVOICE, defaults={"prefix": "INV-"}
    )
    return entity


def draft_contract(
    group: BillGroup | None = None, *, price: int = 100, start: date | None = None
) -> Contract:
    """Make a draft of a year with one monthly line in advance."""
    entity = company()
    first = start or date(2026, 1, 1)
    contract = ContractFactory.create(
        bill_group=group or BillGroupFactory.create(legal_entity=entity),
        start_date=first,
        end_date=date(first.year, 12, 31),
    )
    ContractLineFactory.create(contract=contract, position=1, unit_price=Decimal(price))
    return contract


def active_contract(
    group: BillGroup | None = None,
    *,
    today: date = date(2026, 1, 1),
    price: int = 100,
) -> Contract:
    """Make and activate a contract; its first invoice is made at once."""
    contract = draft_contract(group, price=price)
    return activate_contract(contract=contract, actor=None, today=today).contract
