"""Rows for tests: the least that the database accepts, with the field's names."""

from datetime import date
from decimal import Decimal
from typing import Any

import factory
from django.contrib.auth.models import User
from factory.django import DjangoModelFactory

from billing.models import Account, BillGroup, LegalEntity, TaxRate, TaxRateStep
from contracts.models import Contract, ContractLine, Product


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user{n}")


class LegalEntityFactory(DjangoModelFactory[LegalEntity]):
    class Meta:
        model = LegalEntity
        django_get_or_create = ("name",)

    name = "Nordhaven Systems GmbH"
    address_line1 = "Kai 4"
    city = "Hamburg"
    postal_code = "20457"
    country = "DE"
    tax_id = "DE136695976"
    time_zone = "Europe/Berlin"


class AccountFactory(DjangoModelFactory[Account]):
    class Meta:
        model = Account

    number = factory.Sequence(lambda n: f"ACC-{n:05d}")
    name = factory.Sequence(lambda n: f"Customer {n}")
    address_line1 = "Main Street 1"
    city = "Springfield"
    country = "US"


class BillGroupFactory(DjangoModelFactory[BillGroup]):
    class Meta:
        model = BillGroup

    account = factory.SubFactory(AccountFactory)
    legal_entity = factory.SubFactory(LegalEntityFactory)
    name = factory.Sequence(lambda n: f"Group {n}")
    currency = "USD"
    email = "billing@customer.example"


class ProductFactory(DjangoModelFactory[Product]):
    class Meta:
        model = Product
        django_get_or_create = ("name",)

    name = "Platform"


class ContractFactory(DjangoModelFactory[Contract]):
    """A draft contract of the year 2026 without lines."""

    class Meta:
        model = Contract

    number = factory.Sequence(lambda n: f"C-{n:05d}")
    bill_group = factory.SubFactory(BillGroupFactory)
    start_date = date(2026, 1, 1)
    end_date = date(2026, 12, 31)


class ContractLineFactory(DjangoModelFactory[ContractLine]):
    """A monthly line in advance, 1 x 100.00."""

    class Meta:
        model = ContractLine

    contract = factory.SubFactory(ContractFactory)
    position = factory.Sequence(lambda n: n + 1)
    product = factory.SubFactory(ProductFactory)
    quantity = Decimal(1)
    unit_price = Decimal(100)


def usage_line(**fields: Any) -> ContractLine:
    """Make a monthly usage line, 0.10 a unit unless said otherwise."""
    values: dict[str, Any] = {
        "charge_type": "USAGE",
        "timing": "ARREARS",
        "quantity": None,
        "unit_price": Decimal("0.10"),
    }
    return ContractLineFactory.create(**(values | fields))


def tax_rate(percent: str, name: str = "Standard") -> TaxRate:
    """Make a tax rate of one percent, valid since 1900."""
    rate, _ = TaxRate.objects.get_or_create(name=name)
    TaxRateStep.objects.get_or_create(
        tax_rate=rate, valid_from=date(1900, 1, 1), defaults={"percent": percent}
    )
    return rate
