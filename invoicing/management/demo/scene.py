"""Who acts in the demo's year, and when: what every act gets, and finds rows with."""

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AbstractBaseUser

from billing.models import BillGroup
from contracts.models import Contract
from invoicing.models import Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Who acts, on which day, and the day for which the demo is made."""

    actor: AbstractBaseUser
    day: date
    today: date


def group_named(name: str) -> BillGroup:
    """Return the bill group of a name, of which the demo has one."""
    return BillGroup.objects.get(name=name)


def contract_numbered(number: str) -> Contract:
    """Return a contract by its number."""
    return Contract.objects.get(number=number)


def last_invoice(group: str, *, before: date) -> Invoice:
    """Return the last invoice issued to a bill group before a day."""
    return (
        Invoice.objects.exclude(number=None)
        .filter(bill_group__name=group, issue_date__lt=before)
        .order_by("sequence")
        .reverse()[0]
    )
