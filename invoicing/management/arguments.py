"""Arguments that several commands take."""

import argparse
from datetime import date


def iso_date(text: str) -> date:
    """Read a date such as 2026-03-01."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"“{text}” is no date; write it like 2026-03-01."
        ) from None
