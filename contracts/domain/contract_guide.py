"""What people are told of the columns of a contract file.

The sample: a contract with a yearly licence and monthly seats, and one with usage.
"""

from collections.abc import Sequence
from typing import Final

from contracts.domain.csv_columns import CUSTOM_PREFIX, REQUIRED
from contracts.domain.csv_guide import ColumnGuide

ROWS: Final = 3


def _column(name: str, meaning: str, *examples: str) -> ColumnGuide:
    """Return the guide of a column; one example stands in every row."""
    cells = examples * ROWS if len(examples) == 1 else examples
    return ColumnGuide(name, meaning, cells, name in REQUIRED)


CONTRACT_FILE: Final[Sequence[ColumnGuide]] = (
    _column("account_number", "The customer's number; one not known is made", "A-1001"),
    _column("account_name", "The customer's name", "Halden Marine GmbH"),
    _column(
        "bill_group",
        "Name of the billing relationship inside the account; one not known is made",
        "Hamburg",
    ),
    _column(
        "contract_number",
        "Rows with one number are the lines of one contract",
        *("C-1001", "C-1001", "C-1002"),
    ),
    _column("start_date", "First day of the contract", "2026-01-01"),
    _column(
        "end_date",
        "Last day, inclusive; blank: evergreen",
        *("2026-12-31", "2026-12-31", ""),
    ),
    _column("currency", "Three letters, the same for the whole bill group", "EUR"),
    _column(
        "product",
        "Name of what is sold; one not known is made",
        *("Route Planner", "Crew seat", "Position messages"),
    ),
    _column(
        "charge_type", "recurring, usage or one_time", "recurring", "recurring", "usage"
    ),
    _column("quantity", "How many; blank for usage, which is counted", "1", "25", ""),
    _column(
        "unit_price",
        "Price of one for a billing period, or of one unit of usage; blank with tiers",
        *("4800.00", "36.00", ""),
    ),
    _column(
        "frequency",
        "monthly, quarterly, semiannual, annual or every:N months; blank: monthly",
        *("annual", "monthly", "monthly"),
    ),
    _column(
        "timing",
        "advance (billed on the first day of a period) or arrears (after its last); "
        "blank: advance, usage arrears",
        *("advance", "advance", "arrears"),
    ),
    _column("description", "Printed below the product", "", "Named users", ""),
    _column("discount_percent", "0 to 100", "", "10", ""),
    _column("included_quantity", "Usage that costs nothing in a period", "", "", "500"),
    _column(
        "tiers",
        "Prices of usage: graduated or volume, then up to which quantity at which "
        "price; * is the rest",
        *("", "", "graduated 1000:0.50;5000:0.40;*:0.30"),
    ),
    _column(
        "bill_day",
        "Day of the month that periods begin on, 1 to 31; blank: the day of the start",
        "1",
    ),
    _column("bill_month", "Month that periods are counted from, 1 to 12", "1"),
    _column(
        "proration",
        "daily, or none: the full price of a period that is cut by "
        "start or end; blank: daily",
        "daily",
    ),
    _column(
        "line_start_date",
        "First day of the line, where it is not the contract's",
        *("", "2026-02-01", ""),
    ),
    _column(
        "line_end_date",
        "Last day of the line, where it is not the contract's",
        *("", "2026-06-30", ""),
    ),
    _column("tax_rate", "Percent of tax", "19"),
    _column(
        "invoicing",
        "automatic or manual: made by hand only; blank: automatic",
        "automatic",
    ),
    _column("net_terms", "Days from issue to due", "30"),
    _column("po_number", "The customer's order number, printed on invoices", "PO-7781"),
    _column("delivery", "email, portal, both or none", "both"),
    _column(
        "portal",
        "Name of a portal in Settings, for delivery portal or both; blank: the one "
        "named Portal",
        "Portal",
    ),
    _column(
        "bill_to", "Name in the address; blank: the account's", "Halden Marine GmbH"
    ),
    _column("email", "Where invoices are sent", "ap@halden.example"),
    _column("address_line1", "Street and number", "Kai 4"),
    _column("address_line2", "More of the address", "Gate 3"),
    _column("city", "Town", "Hamburg"),
    _column("region", "State or region", "Hamburg"),
    _column("postal_code", "Postal code", "20457"),
    _column("country", "Two letters", "DE"),
    ColumnGuide(
        f"{CUSTOM_PREFIX}<key>",
        "A custom field of the account, bill group or contract, by its key",
    ),
)
