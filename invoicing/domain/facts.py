"""What a decision about one pending invoice rests on, and what it can come to.

A pending invoice is all pending charges of one bill group with one bill date; at
activation only those of the contract that is being activated (G8).
"""

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from billing.domain.bill_group import BillGroupStatus


class Trigger(StrEnum):
    """Who asks: an activation (import included), the nightly run, or a person."""

    ACTIVATION = "ACTIVATION"
    NIGHTLY = "NIGHTLY"
    BY_HAND = "BY_HAND"


class Outcome(StrEnum):
    """What happens to the pending invoice; HOLD writes nothing."""

    GENERATE = "GENERATE"
    DRAFT_FOR_REVIEW = "DRAFT_FOR_REVIEW"
    DRAFT_HELD = "DRAFT_HELD"
    ZERO = "ZERO"
    HOLD = "HOLD"


class Remedy(StrEnum):
    """What would change a decision, so that a page can link to it (G16)."""

    NOTHING = "NOTHING"
    SETTINGS = "SETTINGS"
    ACTIVATE_GROUP = "ACTIVATE_GROUP"
    GROUP_MODE = "GROUP_MODE"
    GENERATE_NEXT = "GENERATE_NEXT"
    RELEASE = "RELEASE"
    CONTRACTS = "CONTRACTS"
    WAIT = "WAIT"
    USAGE = "USAGE"
    REVIEW = "REVIEW"


class NothingPending(ValueError):
    """A bill date was asked of facts that have none."""


class Facts(NamedTuple):
    """All that is asked about one pending invoice before it is decided.

    `bill_date` is None when nothing is pending. `contract_in_arrears` is read at
    activation only: the contract has any arrears or usage line (G5).
    `bills_in_arrears` is about this pending invoice: it holds an arrears or usage
    charge (G7); `unended_period_last_day` is the latest last day of those (G9).
    `overdue_dates` counts the bill group's bill dates whose own night has passed
    already. The two comparison totals take stubs at full price; None where there is
    nothing to compare (G14). `billable` is False when every charge bills zero and has
    no quantity (G10). Name the fields when making one; a night makes a million, hence
    the cheapest of immutable values.
    """

    trigger: Trigger
    as_of: date
    bill_date: date | None
    currency: str
    settings_manual: bool
    offset_days: int
    first_invoice_on_schedule: bool
    catch_up_limit: int
    jump_limit: int
    review_before_issue: bool
    group_status: BillGroupStatus
    group_manual: bool
    awaiting_manual_invoice: bool
    contract_in_arrears: bool
    has_billed_elsewhere: bool
    bills_in_arrears: bool
    parked_reason: str | None = None
    unended_period_last_day: date | None = None
    overdue_dates: int = 0
    comparison_total: Decimal | None = None
    last_comparison_total: Decimal | None = None
    billable: bool = True

    @property
    def effective_offset(self) -> int:
        """Days from the bill date to the night on which it is due (G7).

        A negative offset moves only what is billed in advance or once.
        """
        if self.offset_days < 0 and self.bills_in_arrears:
            return 0
        return self.offset_days

    @property
    def due_from(self) -> date:
        """The first night on which this pending invoice is due (G7).

        Raises `NothingPending` when there is no bill date.
        """
        if self.bill_date is None:
            raise NothingPending("Nothing is pending, so there is no bill date.")
        return self.bill_date + timedelta(days=self.effective_offset)
