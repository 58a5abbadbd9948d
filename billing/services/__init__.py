"""What can be done to accounts, bill groups and legal entities."""
