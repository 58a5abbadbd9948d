"""Pending invoices to decide about: one plain case for each trigger, and any at all."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from billing.domain.bill_group import BillGroupStatus
from invoicing.domain.eligibility import Facts, Trigger

BILL_DATE = date(2026, 3, 1)

AT_NIGHT = Facts(
    trigger=Trigger.NIGHTLY,
    as_of=BILL_DATE,
    bill_date=BILL_DATE,
    currency="EUR",
    settings_manual=False,
    offset_days=0,
    first_invoice_on_schedule=False,
    catch_up_limit=3,
    jump_limit=10,
    review_before_issue=False,
    group_status=BillGroupStatus.ACTIVE,
    group_manual=False,
    awaiting_manual_invoice=False,
    contract_in_arrears=False,
    has_billed_elsewhere=False,
    bills_in_arrears=False,
    overdue_dates=1,
)
AT_ACTIVATION = AT_NIGHT._replace(trigger=Trigger.ACTIVATION)
BY_HAND = AT_NIGHT._replace(trigger=Trigger.BY_HAND)
BY_TRIGGER = {
    Trigger.NIGHTLY: AT_NIGHT,
    Trigger.ACTIVATION: AT_ACTIVATION,
    Trigger.BY_HAND: BY_HAND,
}

days = st.dates(min_value=date(2026, 1, 1), max_value=date(2026, 6, 30))
amounts = st.none() | st.decimals(
    min_value=Decimal(0), max_value=Decimal(2000), places=2
)
facts = st.builds(
    Facts,
    trigger=st.sampled_from(Trigger),
    as_of=days,
    bill_date=st.none() | days,
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    settings_manual=st.booleans(),
    offset_days=st.integers(min_value=-30, max_value=2),
    first_invoice_on_schedule=st.booleans(),
    catch_up_limit=st.integers(min_value=1, max_value=4),
    jump_limit=st.integers(min_value=1, max_value=12),
    review_before_issue=st.booleans(),
    group_status=st.sampled_from(BillGroupStatus),
    group_manual=st.booleans(),
    awaiting_manual_invoice=st.booleans(),
    parked_reason=st.none() | st.sampled_from(["", "its tax rate ended."]),
    contract_in_arrears=st.booleans(),
    has_billed_elsewhere=st.booleans(),
    bills_in_arrears=st.booleans(),
    unended_period_last_day=st.none() | days,
    overdue_dates=st.integers(min_value=0, max_value=6),
    comparison_total=amounts,
    last_comparison_total=amounts,
    billable=st.booleans(),
)
open_groups = facts.map(
    lambda any_facts: any_facts._replace(
        bill_date=any_facts.bill_date or BILL_DATE,
        settings_manual=False,
        group_status=BillGroupStatus.ACTIVE,
        group_manual=False,
        awaiting_manual_invoice=False,
        parked_reason=None,
    )
)
waiting_invoices = st.builds(
    lambda some, trigger, days_ahead: some._replace(
        trigger=trigger,
        bill_date=some.as_of + timedelta(days=days_ahead),
        billable=True,
    ),
    open_groups,
    st.sampled_from([Trigger.ACTIVATION, Trigger.NIGHTLY]),
    st.integers(min_value=3, max_value=60),
)
