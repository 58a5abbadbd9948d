"""Pages of accounts, bill groups, legal entities, taxes, people and the audit trail."""

from billing.admin import (
    account,
    audit_event,
    bill_group,
    deactivation_request,
    invoicing_settings,
    legal_entity,
    people,
    portal_profile,
    search,
    tax_rate,
)

__all__ = [
    "account",
    "audit_event",
    "bill_group",
    "deactivation_request",
    "invoicing_settings",
    "legal_entity",
    "people",
    "portal_profile",
    "search",
    "tax_rate",
]
