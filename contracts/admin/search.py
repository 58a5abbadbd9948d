"""What the global search finds among contracts."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse

from config.adminsite import registry
from config.adminsite.registry import SearchHit
from contracts.models import Contract
from contracts.queries import contracts_by_number, search_contracts
from customfields.queries import with_holders

MOST_HITS = 20


def find_contracts(request: HttpRequest, text: str) -> Iterator[SearchHit]:
    """Find contracts whose number begins like the text."""
    if not text or not request.user.has_perm("contracts.view_contract"):
        return
    contracts = Contract.objects.select_related("bill_group__account")
    found = contracts_by_number(contracts, text).order_by("number")
    for contract in with_holders(
        list(found[:MOST_HITS]), contracts, text, most=MOST_HITS
    ):
        yield SearchHit(
            kind="Contracts",
            title=contract.number,
            detail=str(contract.bill_group.account),
            url=reverse("admin:contracts_contract_change", args=[contract.pk]),
            is_exact=contract.number.lower() == text.lower(),
        )


def suggest_contracts(request: HttpRequest, text: str) -> Iterator[tuple[str, str]]:
    """Yield the numbers and accounts of contracts while either is typed."""
    if not request.user.has_perm("contracts.view_contract"):
        return
    found = search_contracts(Contract.objects.all(), text)
    rows = found.select_related("bill_group__account").order_by("number", "pk")
    for contract in rows[:MOST_HITS]:
        yield contract.number, str(contract.bill_group.account)


registry.suggestions["contracts.contract"] = suggest_contracts
registry.searches.append(find_contracts)
