"""Finding contracts by their number or account, with indexes only."""

from django.db.models import Q, QuerySet

from billing.models import Account
from billing.queries import search_accounts
from contracts.models import Contract


def contracts_by_number(contracts: QuerySet[Contract], text: str) -> QuerySet[Contract]:
    """Return the contracts whose number begins like the text, or like its capitals."""
    return contracts.filter(_begins(text))


def search_contracts(contracts: QuerySet[Contract], text: str) -> QuerySet[Contract]:
    """Return the contracts with a number that begins like the text, or its account."""
    accounts = search_accounts(Account.objects.all(), text)
    return contracts.filter(
        _begins(text) | Q(bill_group__account__in=accounts.values("pk"))
    )


def _begins(text: str) -> Q:
    return Q(number__startswith=text) | Q(number__startswith=text.upper())
