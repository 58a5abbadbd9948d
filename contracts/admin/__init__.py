"""Pages of contracts, products, charges, usage and imports."""

from contracts.admin import (
    charge,
    contract,
    contract_import,
    late_usage,
    product,
    search,
    usage_import,
    usage_record,
)

__all__ = [
    "charge",
    "contract",
    "contract_import",
    "late_usage",
    "product",
    "search",
    "usage_import",
    "usage_record",
]
