"""Fields that staff add to accounts, bill groups, contracts and invoices."""
