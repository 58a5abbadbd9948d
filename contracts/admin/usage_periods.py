"""What was used of a contract, by line and period, as its page shows it (P9)."""

from collections.abc import Mapping
from typing import Any, Final

from config.clock import today_in
from contracts.choices import CHARGE_STATES
from contracts.models import Contract
from contracts.queries import usage_periods

PERIODS_SHOWN: Final = 24


def usage_context(contract: Contract) -> Mapping[str, Any]:
    """Return the newest periods with usage that have begun; none without such lines."""
    today = today_in(contract.bill_group.legal_entity.time_zone)
    periods = usage_periods(contract, through=today, limit=PERIODS_SHOWN + 1)
    return {
        "usage_periods": [
            {"period": period, "badge": CHARGE_STATES.badge(period.state)}
            for period in periods[:PERIODS_SHOWN]
        ],
        "more_usage_periods": len(periods) > PERIODS_SHOWN,
    }
