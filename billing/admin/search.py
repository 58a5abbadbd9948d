"""What the global search finds among accounts and bill groups."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse

from billing.models import Account, BillGroup
from billing.queries import (
    bill_group_by_public_id,
    bill_groups_by_po_number,
    search_accounts,
    search_bill_groups,
)
from config.adminsite import registry
from config.adminsite.registry import SearchHit
from customfields.queries import with_holders

MOST_HITS = 20


def find_accounts(request: HttpRequest, text: str) -> Iterator[SearchHit]:
    """Find accounts by number or words of their name."""
    if not text or not request.user.has_perm("billing.view_account"):
        return
    rows = search_accounts(Account.objects.all(), text).order_by("name", "pk")
    found = list(rows[:MOST_HITS])
    for account in with_holders(found, Account.objects.all(), text, most=MOST_HITS):
        yield SearchHit(
            kind="Accounts",
            title=account.name,
            detail=account.number,
            url=reverse("admin:billing_account_overview", args=[account.pk]),
            is_exact=account.number.lower() == text.lower(),
        )


def find_bill_groups(request: HttpRequest, text: str) -> Iterator[SearchHit]:
    """Find bill groups by public id or PO number."""
    if not text or not request.user.has_perm("billing.view_billgroup"):
        return
    if text.upper().startswith("BG-"):
        group = bill_group_by_public_id(text)
        if group is not None:
            yield _hit(group, is_exact=True)
    found = list(bill_groups_by_po_number(text)[:MOST_HITS])
    groups = BillGroup.objects.select_related("account")
    for group in with_holders(found, groups, text, most=MOST_HITS):
        yield _hit(group, is_exact=False)


def _hit(group: BillGroup, *, is_exact: bool) -> SearchHit:
    po_number = f", PO {group.po_number}" if group.po_number else ""
    return SearchHit(
        kind="Bill groups",
        title=f"{group.name}, {group.account}",
        detail=f"{group.public_id}{po_number}",
        url=reverse("admin:billing_account_overview", args=[group.account_id])
        + f"?bill_group={group.pk}",
        is_exact=is_exact,
    )


def suggest_accounts(request: HttpRequest, text: str) -> Iterator[tuple[str, str]]:
    """Yield the numbers and names of accounts while one is typed."""
    for hit in find_accounts(request, text):
        yield hit.detail, hit.title


def suggest_bill_groups(request: HttpRequest, text: str) -> Iterator[tuple[str, str]]:
    """Yield the ids and names of bill groups while one is typed."""
    if not request.user.has_perm("billing.view_billgroup"):
        return
    groups = search_bill_groups(BillGroup.objects.all(), text)
    for group in groups.select_related("account").order_by("pk")[:MOST_HITS]:
        yield group.public_id, f"{group.name}, {group.account}, {group.currency}"


registry.suggestions["billing.account"] = suggest_accounts
registry.suggestions["billing.billgroup"] = suggest_bill_groups
registry.searches += [find_accounts, find_bill_groups]
