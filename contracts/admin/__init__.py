"""Pages of contracts, products, charges, usage and imports."""

from contracts.admin import (
    charge,
    contract,
    contract_import,
    product,
    search,
    usage_record,
)

__all__ = [
    "charge",
    "contract",
    "contract_import",
    "product",
    "search",
    "usage_record",
]
