"""What was sold, on which terms, and the plan of what to bill."""

from contracts.models.charge import ScheduledCharge
from contracts.models.contract import Amendment, Contract, ContractLine, LineChange
from contracts.models.contract_import import ContractImport
from contracts.models.product import Product
from contracts.models.usage import UsageRecord
from contracts.models.usage_import import UsageImport

__all__ = [
    "Amendment",
    "Contract",
    "ContractImport",
    "ContractLine",
    "LineChange",
    "Product",
    "ScheduledCharge",
    "UsageImport",
    "UsageRecord",
]
