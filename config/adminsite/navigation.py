"""Navigation by work, not by table: doors, and the lists behind each.

Pages are named by their URL names and permissions, so that the site needs no app. A
door without a page that the user may see is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from config.adminsite import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A list behind a door."""

    label: str
    url_name: str
    permission: str

    @property
    def url(self) -> str:
        """Where the page is."""
        return _address(self.url_name, get_script_prefix())

    def covers(self, path: str) -> bool:
        """Tell whether a path is this page or one of its objects."""
        return path.startswith(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One entry of the navigation."""

    key: str
    label: str
    icon: str
    pages: tuple[Page, ...]


@cache
def _address(url_name: str, _script_prefix: str) -> str:
    """Look an address up once: every page of the admin names thirty."""
    return reverse(f"admin:{url_name}")


def _list(label: str, model: str) -> Page:
    app, _, name = model.partition(".")
    return Page(
        label=label,
        url_name=f"{app}_{name}_changelist",
        permission=f"{app}.view_{name}",
    )


ACCOUNTS: Final = Door(
    key="accounts",
    label="Accounts",
    icon="account",
    pages=(
        _list("Accounts", "billing.account"),
        _list("Bill groups", "billing.billgroup"),
        _list("Deactivation requests", "billing.deactivationrequest"),
    ),
)
CONTRACTS: Final = Door(
    key="contracts",
    label="Contracts",
    icon="contract",
    pages=(
        _list("Contracts", "contracts.contract"),
        _list("Imports", "contracts.contractimport"),
        _list("Usage", "contracts.usagerecord"),
        _list("Usage files", "contracts.usageimport"),
        _list("Charges", "contracts.scheduledcharge"),
    ),
)
INVOICES: Final = Door(
    key="invoices",
    label="Invoices",
    icon="invoice",
    pages=(
        _list("Invoices", "invoicing.invoice"),
        Page(
            label="Drafts",
            url_name="invoicing_drafts",
            permission="invoicing.view_invoice",
        ),
        Page(
            label="Pending",
            url_name="invoicing_pending",
            permission="contracts.view_scheduledcharge",
        ),
        _list("Deliveries", "invoicing.delivery"),
        _list("Credit notes", "invoicing.creditnote"),
        _list("Payments", "invoicing.payment"),
        _list("Payment files", "invoicing.paymentimport"),
    ),
)
RUNS: Final = Door(
    key="runs",
    label="Runs",
    icon="run",
    pages=(
        _list("Runs", "invoicing.invoicerun"),
        _list("Parked", "invoicing.parkedbillgroup"),
        _list("Decisions", "invoicing.rundecision"),
    ),
)
REPORTS: Final = Door(
    key="reports",
    label="Reports",
    icon="report",
    pages=(
        Page(
            label="Receivables by age",
            url_name="invoicing_aging",
            permission="invoicing.view_invoice",
        ),
    ),
)
PORTAL: Final = Door(
    key="portal",
    label="Portal",
    icon="portal",
    pages=(_list("Portal worklist", "invoicing.portalsubmission"),),
)
SETTINGS: Final = Door(
    key="settings",
    label="Settings",
    icon="settings",
    pages=(
        _list("Legal entities", "billing.legalentity"),
        _list("Invoicing", "billing.invoicingsettings"),
        Page(
            label="Accounting periods",
            url_name="invoicing_periods",
            permission="billing.view_accountingperiod",
        ),
        _list("Number series", "invoicing.numberseries"),
        _list("Credit limits", "invoicing.creditlimit"),
        _list("Tax rates", "billing.taxrate"),
        _list("Portals", "billing.portalprofile"),
        _list("Products", "contracts.product"),
        _list("Custom fields", "customfields.customfield"),
        _list("Users", "auth.user"),
        _list("Groups", "auth.group"),
        _list("Audit trail", "billing.auditevent"),
    ),
)
DOORS: Final = (ACCOUNTS, CONTRACTS, INVOICES, RUNS, PORTAL, REPORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A door as one user sees it."""

    label: str
    icon: str
    url: str
    is_current: bool
    counts: tuple[registry.Count, ...] = ()


def visible_pages(door: Door, request: HttpRequest) -> list[Page]:
    """Return the door's pages that the user may open."""
    return [page for page in door.pages if request.user.has_perm(page.permission)]


def door_of(path: str) -> Door | None:
    """Return the door behind which a path lies."""
    for door in (*DOORS, SETTINGS):
        if any(page.covers(path) for page in door.pages):
            return door
    return None


def entries(request: HttpRequest, doors: tuple[Door, ...]) -> Iterator[Entry]:
    """Yield the doors that the user may open."""
    found = [count for counts in registry.counts for count in counts(request)]
    current = door_of(request.path)
    for door in doors:
        pages = visible_pages(door, request)
        if pages:
            yield Entry(
                label=door.label,
                icon=door.icon,
                url=pages[0].url,
                is_current=current is door,
                counts=tuple(c for c in found if c.door == door.key and c.count),
            )


def tabs(request: HttpRequest) -> list[tuple[Page, bool]]:
    """Return the pages beside the current one, each with whether it is it."""
    door = door_of(request.path)
    if door is None:
        return []
    return [(page, page.covers(request.path)) for page in visible_pages(door, request)]
