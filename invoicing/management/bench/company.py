"""The company that is billed in a bench: one legal entity and many bill groups.

Each bill group has an account and a contract of `MONTHS` months with monthly lines,
billed in advance on the first of the month; most bear tax, some are discounted. Bill
groups hold ten custom fields, of which half are printed, and so do invoices. The rows
come from generate_series, so that a hundred thousand contracts take a minute.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import ProgrammingError, connection, transaction

from billing.models import LegalEntity, TaxRate, TaxRateStep
from billing.services.portals import default_portal
from contracts.models import Product
from customfields.domain.definition import FieldObject
from customfields.domain.kinds import Kind
from customfields.models import CustomField

START: Final = date(2026, 1, 1)
MONTHS: Final = 4
LINES: Final = 3
PRODUCTS: Final = 40
GROUPS_AT_ONCE: Final = 10_000
CHOICES: Final = [f"Region {number}" for number in range(20)]

# Key, type and default of the fields, and their values by an object's number.
FIELDS: Final = (
    ("cost_center", "TEXT", "CC-4400", "'CC-' || {n}"),
    ("buyer", "TEXT", "Purchasing", "'Buyer ' || {n} %% 400"),
    ("region", "CHOICE", CHOICES[0], "'Region ' || {n} %% 20"),
    ("seats", "NUMBER", "12.5", "({n} %% 900)::text"),
    ("signed", "DATE", "2026-01-31", "(date '2020-01-01' + ({n} %% 2000)::int)::text"),
    ("audited", "YES_NO", False, "{n} %% 2 = 0"),
    (
        "portal_page",
        "URL",
        "https://portal.example/",
        "'https://portal.example/' || {n}",
    ),
    ("note", "LONG_TEXT", "Ask first.", "'Call ' || {n} || ' before delivery.'"),
    ("unit", "TEXT", "North", "'Unit ' || {n} %% 70"),
    ("project", "TEXT", "P-1", "'P-' || {n} %% 5000"),
)
PRINTED: Final = 5

ACCOUNTS = """
INSERT INTO billing_account (number, name, email, tax_id, language, custom_fields,
    address_line1, address_line2, city, region, postal_code, country)
SELECT 'ACC-' || n, 'Customer ' || n || ' GmbH', 'invoices@customer' || n || '.example',
    'DE' || 100000000 + n, 'en', '{}', 'Hafenstraße ' || n %% 200, '',
    'Hamburg', '', (20000 + n %% 999)::text, 'DE'
FROM generate_series(%(first)s, %(last)s) AS n
"""
BILL_GROUPS = """
INSERT INTO billing_billgroup (account_id, legal_entity_id, name, currency, status,
    invoicing, awaiting_manual_invoice, net_terms, po_number, delivery, email, bill_to,
    custom_fields, address_line1, address_line2, city, region, postal_code, country,
    portal_id)
SELECT id, %(legal_entity)s, 'Main', 'EUR', 'ACTIVE', 'AUTOMATIC', false,
    (ARRAY[14, 30, 60])[id %% 3 + 1],
    CASE WHEN id %% 4 = 0 THEN 'PO-' || id ELSE '' END,
    CASE WHEN id %% 10 = 0 THEN 'PORTAL' ELSE 'EMAIL' END, '', '', @values@,
    CASE WHEN id %% 3 = 0 THEN 'Ring ' || id %% 90 ELSE '' END, '',
    CASE WHEN id %% 3 = 0 THEN 'Köln' ELSE '' END, '',
    CASE WHEN id %% 3 = 0 THEN '50667' ELSE '' END,
    CASE WHEN id %% 3 = 0 THEN 'DE' ELSE '' END,
    CASE WHEN id %% 10 = 0 THEN %(portal)s END
FROM billing_account WHERE id BETWEEN %(first)s AND %(last)s ORDER BY id
"""
CONTRACTS = """
INSERT INTO contracts_contract (number, bill_group_id, status, start_date, end_date,
    bill_day, activated_on, version, custom_fields)
SELECT 'C-' || id, id, 'ACTIVE', %(start)s, %(end)s, 1, %(start)s, 1, '{}'
FROM billing_billgroup WHERE id BETWEEN %(first)s AND %(last)s ORDER BY id
"""
CONTRACT_LINES = """
INSERT INTO contracts_contractline (contract_id, position, product_id, description,
    charge_type, frequency_months, timing, quantity, unit_price, discount_percent,
    proration, included_quantity, tiers, tax_rate_id)
SELECT c.id, position, (c.id * 3 + position) %% %(products)s + 1,
    CASE WHEN position = 1 THEN 'Seats of ' || c.number ELSE '' END,
    'RECURRING', 1, 'ADVANCE', (c.id * 7 + position) %% 50 + 1,
    ((c.id * 13 + position) %% 200 + 1) * 1.25,
    CASE WHEN position = 3 THEN 50 ELSE 0 END, 'DAILY', 0, '',
    CASE WHEN position = 3 THEN NULL ELSE %(tax_rate)s END
FROM contracts_contract c, generate_series(1, %(lines)s) AS position
WHERE c.id BETWEEN %(first)s AND %(last)s ORDER BY c.id, position
"""
CHARGES = """
INSERT INTO contracts_scheduledcharge (contract_line_id, contract_id, bill_group_id,
    period_start, period_end, bill_date, in_advance, quantity, unit_price,
    discount_percent, amount, state, external_number)
SELECT l.id, l.contract_id, l.contract_id, month, month + interval '1 month - 1 day',
    month, true, l.quantity, l.unit_price, l.discount_percent,
    round(l.quantity * l.unit_price * (100 - l.discount_percent) / 100, 2),
    'PENDING', ''
FROM contracts_contractline l,
    generate_series(%(start)s::timestamp, %(end)s, '1 month') AS month
WHERE l.contract_id BETWEEN %(first)s AND %(last)s
ORDER BY l.contract_id, l.position, month
"""


def values_of(number: str) -> str:
    """Return the SQL of an object's custom fields by its number, a column."""
    values = (f"'{key}', {sql.format(n=number)}" for key, _, _, sql in FIELDS)
    return f"jsonb_build_object({', '.join(values)})"


def month(number: int) -> date:
    """Return the first day of a month of the contracts; the first has number 0."""
    return START.replace(month=START.month + number)


def found(bill_groups: int, lines: int = LINES) -> None:
    """Make the company in an empty database, with all its charges pending."""
    groups = BILL_GROUPS.replace("@values@", values_of("id"))
    statements = (ACCOUNTS, groups, CONTRACTS, CONTRACT_LINES, CHARGES)
    insert(statements, rows=bill_groups, parameters=_founded() | {"lines": lines})
    vacuum()


def found_without_contracts(bill_groups: int) -> None:
    """Make the company in an empty database, with accounts and bill groups only."""
    groups = BILL_GROUPS.replace("@values@", values_of("id"))
    insert((ACCOUNTS, groups), rows=bill_groups, parameters=_founded())


def insert(
    statements: tuple[str, ...], *, rows: int, parameters: dict[str, Any]
) -> None:
    """Execute statements for rows `first` to `last`, some thousands at a time."""
    for first in range(1, rows + 1, GROUPS_AT_ONCE):
        last = min(first + GROUPS_AT_ONCE - 1, rows)
        with transaction.atomic(), _unchecked(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, parameters | {"first": first, "last": last})


def vacuum() -> None:
    """Do what autovacuum would have done by nightfall."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _founded() -> dict[str, Any]:
    """Make what all bill groups share; returns the parameters of the statements."""
    legal_entity = LegalEntity.objects.create(
        name="Nordhaven Systems GmbH",
        address_line1="Kai 4",
        city="Hamburg",
        postal_code="20457",
        country="DE",
        tax_id="DE136695976",
        iban="DE89370400440532013000",
        time_zone="Europe/Berlin",
    )
    tax_rate = TaxRate.objects.create(name="VAT")
    TaxRateStep.objects.create(tax_rate=tax_rate, valid_from=START, percent=Decimal(19))
    Product.objects.bulk_create(
        Product(name=f"Platform, edition {number}") for number in range(PRODUCTS)
    )
    CustomField.objects.bulk_create(_fields())
    return {
        "legal_entity": legal_entity.pk,
        "tax_rate": tax_rate.pk,
        "portal": default_portal().pk,
        "products": PRODUCTS,
        "start": START,
        "end": month(MONTHS) - timedelta(days=1),
    }


def _fields() -> Iterator[CustomField]:
    for name in (FieldObject.BILL_GROUP, FieldObject.INVOICE):
        for position, (key, kind, default, _) in enumerate(FIELDS):
            yield CustomField(
                object=name,
                key=key,
                label=key.replace("_", " ").capitalize(),
                kind=kind,
                choices=CHOICES if kind == Kind.CHOICE else [],
                default=default,
                printed=name is FieldObject.BILL_GROUP and position < PRINTED,
                position=position,
            )


@contextmanager
def _unchecked() -> Iterator[None]:
    """Leave checks of made-up rows out where the role may, which is four times faster.

    Only here: nothing that is measured goes unchecked.
    """
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute("SET LOCAL session_replication_role = replica")
        except ProgrammingError:
            yield
            return
    yield
