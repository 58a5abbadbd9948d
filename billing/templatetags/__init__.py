"""Template filters for billing's values."""
