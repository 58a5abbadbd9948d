"""Reads of contracts: their terms, the plan, pending invoices and usage."""

from contracts.queries.extension import (
    ComingCharge,
    bill_groups_behind,
    coming_charges,
)
from contracts.queries.pending import (
    PendingInvoice,
    pending_charges,
    pending_invoices,
)
from contracts.queries.search import contracts_by_number, search_contracts
from contracts.queries.terms import (
    covered_lines,
    stored_charges,
    terms_of,
    terms_of_contracts,
)
from contracts.queries.usage import (
    UsagePeriod,
    tariff_on,
    usage_of_charges,
    usage_of_planned,
    usage_periods,
)

__all__ = [
    "ComingCharge",
    "PendingInvoice",
    "UsagePeriod",
    "bill_groups_behind",
    "coming_charges",
    "contracts_by_number",
    "covered_lines",
    "pending_charges",
    "pending_invoices",
    "search_contracts",
    "stored_charges",
    "tariff_on",
    "terms_of",
    "terms_of_contracts",
    "usage_of_charges",
    "usage_of_planned",
    "usage_periods",
]
