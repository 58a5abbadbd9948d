"""What a contract CSV says once it is read: bill groups, contracts and their lines.

A blank optional cell is its default where the default is the contract's own (frequency,
timing, proration, discount) and None or "" where somebody else decides: bill group
fields leave an existing group as it is, blank line dates are the contract's.
`row` is the line in the file, the header being line 1.

They are named tuples, made by the hundred thousand in a third of the time that frozen
dataclasses take. The fields of a bill group stand in the order of its columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.domain.bill_group import DeliveryMethod, InvoicingMode
from contracts.domain.csv_file import RowError
from contracts.domain.terms import ChargeType, Proration, Timing


class ParsedBillGroup(NamedTuple):
    """A bill group of the file; its contracts share one such object."""

    row: int
    account_number: str
    account_name: str
    name: str
    currency: str
    invoicing: InvoicingMode | None
    net_terms: int | None
    po_number: str
    delivery: DeliveryMethod | None
    portal: str
    bill_to: str
    email: str
    address_line1: str
    address_line2: str
    city: str
    region: str
    postal_code: str
    country: str


class ParsedLine(NamedTuple):
    """One row: a contract line.

    `months` is None for a one-time line, `quantity` None for usage. Of usage, either
    `unit_price` or `tiers` (their canonical text) is given, the other None or "".
    """

    row: int
    product: str
    description: str
    charge_type: ChargeType
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_percent: Decimal
    months: int | None
    timing: Timing
    proration: Proration
    start: date | None
    end: date | None
    tax_percent: Decimal | None
    included_quantity: Decimal
    tiers: str


class ParsedContract(NamedTuple):
    """A contract with its lines, in the order of the file."""

    row: int
    number: str
    bill_group: ParsedBillGroup
    start: date
    end: date | None
    bill_day: int | None
    bill_month: int | None
    custom_fields: Mapping[str, str]
    lines: tuple[ParsedLine, ...]

    @property
    def currency(self) -> str:
        """The currency of its bill group."""
        return self.bill_group.currency


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """Either the contracts of a file, or everything that is wrong with it."""

    contracts: tuple[ParsedContract, ...] = ()
    errors: tuple[RowError, ...] = ()
