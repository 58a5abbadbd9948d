"""What is there before the demo company's first import: sellers, fields, accounts."""

from datetime import date

from billing.models import (
    DEFAULT_PROFILE,
    Account,
    InvoicingSettings,
    LegalEntity,
    PortalProfile,
)
from billing.models.portal import default_columns
from billing.services.logos import draw_logo, keep_logo
from customfields.domain.definition import FieldObject
from customfields.models import CustomField
from customfields.services import check_values
from invoicing.domain.states import SeriesKind
from invoicing.management.demo.files import read_demo
from invoicing.management.demo.logo import nordhaven_logo
from invoicing.models import CreditLimit, NumberSeries
from invoicing.services.numbering import ensure_series

# By the seller column of bill_groups.csv.
SELLERS = {
    "DE": {
        "name": "Nordhaven Systems GmbH",
        "address_line1": "Am Sandtorkai 50",
        "city": "Hamburg",
        "postal_code": "20457",
        "country": "DE",
        "tax_id": "DE136695976",
        "email": "billing@nordhaven.example",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "time_zone": "Europe/Berlin",
    },
    "US": {
        "name": "Nordhaven Systems Inc.",
        "address_line1": "233 West Wacker Drive",
        "city": "Chicago",
        "region": "IL",
        "postal_code": "60606",
        "country": "US",
        "tax_id": "36-4412708",
        "email": "billing-us@nordhaven.example",
        "payment_instructions": "ACH: routing 071000013, account 4400128837",
        "time_zone": "America/Chicago",
    },
}
# Above these a credit waits for a second person.
CREDIT_LIMITS = {"DE": ("EUR", 1000), "US": ("USD", 1000)}
AMERICAN_SERIES = {SeriesKind.INVOICE: "US-INV-", SeriesKind.CREDIT_NOTE: "US-CN-"}


def make_sellers() -> dict[str, LegalEntity]:
    """Return the companies that issue invoices, made where missing."""
    logo = draw_logo(nordhaven_logo())
    keep_logo(logo)
    sellers = {}
    for code, fields in SELLERS.items():
        seller, _ = LegalEntity.objects.get_or_create(
            name=fields["name"], defaults={**fields, "logo": logo}
        )
        InvoicingSettings.objects.get_or_create(legal_entity=seller)
        sellers[code] = seller
    for kind, prefix in AMERICAN_SERIES.items():
        NumberSeries.objects.get_or_create(
            legal_entity=sellers["US"], kind=kind, defaults={"prefix": prefix}
        )
    for code, (currency, amount) in CREDIT_LIMITS.items():
        CreditLimit.objects.get_or_create(
            legal_entity=sellers[code], currency=currency, defaults={"amount": amount}
        )
    for seller in sellers.values():
        ensure_series(seller)
    return sellers


def make_custom_fields(today: date) -> None:
    """Define the custom fields that the files use, where they are missing."""
    rows = read_demo("custom_fields.csv", today=today)
    for position, row in enumerate(rows, start=1):
        CustomField.objects.get_or_create(
            object=row["object"],
            key=row["key"],
            defaults={
                "label": row["label"],
                "kind": row["kind"],
                "choices": row["choices"].split("|") if row["choices"] else [],
                "printed": row["printed"] == "yes",
                "position": position,
            },
        )


def make_portal() -> None:
    """Describe the portal that the files' bill groups are delivered by (F3)."""
    PortalProfile.objects.get_or_create(
        name=DEFAULT_PROFILE,
        defaults={
            "address": "https://portal.example.com/supplier",
            "customer_tax_id_required": True,
            "required_fields": ["bill_group.buyer_id"],
            "file_pattern": "{po_number}_{number}",
            "columns": [*default_columns(), ["Buyer", "bill_group.buyer_id"]],
        },
    )


def make_accounts(today: date) -> None:
    """Enter the accounts, which have a language and a tax id that no import sets."""
    accounts = []
    for row in read_demo("accounts.csv", today=today):
        values, _ = check_values(FieldObject.ACCOUNT, {"industry": row["cf:industry"]})
        columns = {name: text for name, text in row.items() if name[:3] != "cf:"}
        accounts.append(Account(**columns, custom_fields=values))
    Account.objects.bulk_create(accounts)
