"""Lists and searches over many invoices: the server's time, through Django's client.

Three years of invoices, ten and more for each bill group. The slowest of some pages
that people ask for is what counts, each with the fastest of its loads: what else the
machine does only ever adds to it.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import reverse

from billing.models import LegalEntity
from invoicing.management.bench import company
from invoicing.management.bench.databases import copied
from invoicing.management.bench.measurement import Measurement, Measurements
from invoicing.management.bench.processes import process
from invoicing.models import NumberSeries

INVOICES_A_GROUP: Final = 12
REQUESTS: Final = 5

INVOICES = """
INSERT INTO invoicing_invoice (legal_entity_id, account_id, bill_group_id, status,
    sequence, number, issue_date, bill_date, due_date, net_terms, currency, subtotal,
    tax, total, taxes, full_price_subtotal, paid, bill_to, seller, po_number, tax_id,
    language, printed_fields, held_reason, custom_fields)
SELECT %(legal_entity)s, grp, grp, CASE WHEN paid > 0 THEN 'PAID' ELSE 'OPEN' END,
    n, 'INV-' || lpad(n::text, greatest(6, length(n::text)), '0'),
    issued, issued, issued + 30, 30, 'EUR',
    subtotal, 0, subtotal, '[]', subtotal, paid,
    '{"name": "Customer"}', '{"name": "Nordhaven Systems GmbH"}', '', '', 'en', '[]',
    '', @values@
FROM generate_series(%(first)s, %(last)s) AS n,
    LATERAL (SELECT n %% %(bill_groups)s + 1 AS grp,
        date '2023-01-01' + (n * 1095.0 / %(invoices)s)::int AS issued,
        (n %% 5000 + 1)::numeric AS subtotal) AS made,
    LATERAL (SELECT CASE WHEN n %% 6 = 0 THEN 0 ELSE subtotal END AS paid) AS settled
"""
DELIVERIES = """
INSERT INTO invoicing_delivery (invoice_id, kind, state, recipient, done_at)
SELECT n, 'PDF', 'DONE', '', now() FROM generate_series(%(first)s, %(last)s) AS n
"""


def measure(empty: str, size: int, rounds: int) -> Measurements:
    """Measure pages over `size` invoices."""
    with copied(empty) as database, process(database) as one:
        one.submit(fill, size).result()
        lists = one.submit(load_pages, list_pages(), rounds).result()
        searches = one.submit(load_pages, search_pages(size), rounds).result()
    return {
        "lists": Measurement.at_most(150, value=max(lists), unit="ms"),
        "search": Measurement.at_most(150, value=max(searches), unit="ms"),
    }


def list_pages() -> list[str]:
    """Return addresses of the list of invoices."""
    invoices = reverse("admin:invoicing_invoice_changelist")
    return [
        invoices,
        f"{invoices}?status=OPEN",
        f"{invoices}?status=PAID&p=50",
        f"{invoices}?issue_date_min=2025-06-01&issue_date_max=2025-06-30",
        f"{invoices}?account=ACC-1",
        f"{invoices}?cf_region=Region+7&cf_audited=no",
        f"{invoices}?cf_seats__from=800&cf_seats__to=810&status=OPEN",
    ]


def search_pages(invoices: int) -> list[str]:
    """Return addresses of searches, in the list and everywhere."""
    middle = invoices // 2
    in_list = reverse("admin:invoicing_invoice_changelist")
    everywhere = reverse("admin:search")
    return [
        f"{in_list}?q=INV-{middle:06d}",
        f"{in_list}?q={middle}",
        f"{in_list}?q=PO-4",
        f"{in_list}?q=CC-{middle}",
        f"{everywhere}?q=customer",
        f"{everywhere}?q=ACC-1",
        f"{everywhere}?q=PO-4",
        f"{everywhere}?q=nobody+has+this+name",
    ]


def fill(invoices: int) -> None:
    """Make the company with its issued invoices, and who looks at them."""
    bill_groups = invoices // INVOICES_A_GROUP + 1
    company.found_without_contracts(bill_groups)
    company.insert(
        (INVOICES.replace("@values@", company.values_of("n")), DELIVERIES),
        rows=invoices,
        parameters={
            "legal_entity": LegalEntity.objects.get().pk,
            "bill_groups": bill_groups,
            "invoices": invoices,
        },
    )
    NumberSeries.objects.create(
        legal_entity=LegalEntity.objects.get(),
        kind="INVOICE",
        prefix="INV-",
        next_sequence=invoices + 1,
    )
    User.objects.create_superuser("bench")
    company.vacuum()


@override_settings(
    STORAGES=settings.STORAGES
    | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        }
    },
)
def load_pages(addresses: Sequence[str], rounds: int) -> list[float]:
    """Load pages in turns; returns the milliseconds of each, of its fastest load.

    Static files have plain names, so that none need be collected for a bench.
    """
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get())
    took: Mapping[str, list[float]] = {address: [] for address in addresses}
    for number in range(rounds * REQUESTS + 1):
        for address in addresses:
            milliseconds = _load(client, address)
            if number:
                took[address].append(milliseconds)
    return [min(of_page) for of_page in took.values()]


def _load(client: Client, address: str) -> float:
    started = time.perf_counter()
    response: Any = client.get(address, secure=settings.HTTPS)
    milliseconds = 1000 * (time.perf_counter() - started)
    if response.status_code not in {200, 302}:
        raise RuntimeError(f"{address} answers {response.status_code}.")
    return milliseconds
