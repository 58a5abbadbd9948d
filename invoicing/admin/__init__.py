"""Pages of documents and runs, and the actions that make them."""

from invoicing.admin import (
    activation,
    dashboard,
    decision,
    delivery,
    dry_run,
    generate,
    imports,
    invoice,
    issue,
    overview,
    parked,
    pending,
    run,
    search,
    series,
    why,
)

__all__ = [
    "activation",
    "dashboard",
    "decision",
    "delivery",
    "dry_run",
    "generate",
    "imports",
    "invoice",
    "issue",
    "overview",
    "parked",
    "pending",
    "run",
    "search",
    "series",
    "why",
]
