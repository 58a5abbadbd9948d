"""Pages of contracts, products, charges, usage and imports."""

from contracts.admin import (
    amendments,
    charge,
    contract,
    contract_import,
    fields,
    late_usage,
    product,
    search,
    usage_import,
    usage_record,
    usage_taken_back,
)

__all__ = [
    "amendments",
    "charge",
    "contract",
    "contract_import",
    "fields",
    "late_usage",
    "product",
    "search",
    "usage_import",
    "usage_record",
    "usage_taken_back",
]
