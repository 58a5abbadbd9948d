"""Finding contracts by their number or account, with indexes only."""

from django.db.models import Q, QuerySet

from billing.models import Account, BillGroup
from billing.queries import search_accounts
from contracts.models import Contract

MOST_GROUPS = 500


def contracts_by_number(contracts: QuerySet[Contract], text: str) -> QuerySet[Contract]:
    """Return the contracts whose number begins like the text, or like its capitals."""
    return contracts.filter(_begins(text))


def search_contracts(contracts: QuerySet[Contract], text: str) -> QuerySet[Contract]:
    """Return the contracts with a number that begins like the text, or its account."""
    accounts = search_accounts(Account.objects.all(), text)
    groups = BillGroup.objects.filter(account__in=accounts.values("pk"))
    found = list(groups.values_list("pk", flat=True)[:MOST_GROUPS])
    # Ids, because a subquery beside an OR reads every row.
    return contracts.filter(_begins(text) | Q(bill_group__in=found))


def _begins(text: str) -> Q:
    return Q(number__startswith=text) | Q(number__startswith=text.upper())
