"""Gates of the contract and of the pending invoice itself: when, and in which form."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from billing.domain.dates import day_text
from billing.domain.money import currency_digits
from invoicing.domain.facts import Facts, Outcome, Remedy, Trigger
from invoicing.domain.gate import (
    AT_ACTIVATION,
    AT_NIGHT,
    BY_HAND,
    EVERY,
    UNATTENDED,
    GateRule,
)

_REVIEW_THE_DRAFT: Final = "A draft is made: review it, then issue or discard it."


class NothingIsPending(GateRule):
    rule = "G7"
    remedy = Remedy.CONTRACTS
    stops_for = UNATTENDED
    shown_for = UNATTENDED

    def stops(self, facts: Facts) -> bool:
        return facts.bill_date is None

    def stopped(self, facts: Facts) -> str:
        return (
            "Nothing is pending. No planned charge waits for an invoice; activate or "
            "amend a contract to plan more."
        )

    def passed(self, facts: Facts) -> str:
        if facts.bill_date is None:
            return ""
        return f"An invoice is pending with bill date {day_text(facts.bill_date)}."


class NothingIsPendingByHand(NothingIsPending):
    rule = "G9"
    stops_for = BY_HAND
    shown_for = BY_HAND


class ContractBillsInArrears(GateRule):
    rule = "G5"
    remedy = Remedy.WAIT
    stops_for = AT_ACTIVATION
    shown_for = UNATTENDED
    waits = True

    def stops(self, facts: Facts) -> bool:
        return facts.contract_in_arrears

    def stopped(self, facts: Facts) -> str:
        return (
            "The contract has arrears or usage lines. Its first invoice is left to the "
            "nightly run, when due, so that usage can be added first."
        )

    def passed(self, facts: Facts) -> str:
        if facts.trigger is Trigger.ACTIVATION:
            return "The contract has only advance and one-time lines."
        if facts.bills_in_arrears:
            return (
                "It holds arrears or usage charges. The nightly run generates them "
                "when due."
            )
        return "It holds only advance and one-time charges."


class ContractWasBilledElsewhere(GateRule):
    rule = "G8"
    remedy = Remedy.WAIT
    stops_for = AT_ACTIVATION
    shown_for = AT_ACTIVATION
    waits = True

    def stops(self, facts: Facts) -> bool:
        return facts.has_billed_elsewhere

    def stopped(self, facts: Facts) -> str:
        return (
            "The contract was billed elsewhere before, so it has had its first "
            "invoice. The nightly run generates the rest when due."
        )

    def passed(self, facts: Facts) -> str:
        return "No charge of the contract was billed elsewhere."


class FirstInvoiceIsOnSchedule(GateRule):
    rule = "G8"
    remedy = Remedy.SETTINGS
    stops_for = AT_ACTIVATION
    shown_for = AT_ACTIVATION
    waits = True

    def stops(self, facts: Facts) -> bool:
        return facts.first_invoice_on_schedule

    def stopped(self, facts: Facts) -> str:
        return (
            "Settings put the first invoice on schedule. The nightly run generates it "
            "when due."
        )

    def passed(self, facts: Facts) -> str:
        return "Settings put the first invoice at activation."


class BillDateHasNotCome(GateRule):
    rule = "G7"
    remedy = Remedy.WAIT
    stops_for = AT_NIGHT
    shown_for = AT_NIGHT
    waits = True

    def stops(self, facts: Facts) -> bool:
        return facts.due_from > facts.as_of

    def stopped(self, facts: Facts) -> str:
        return (
            f"It is due on {day_text(facts.due_from)}. The nightly run generates it "
            f"then.{_offset_text(facts)}"
        )

    def passed(self, facts: Facts) -> str:
        return f"It is due since {day_text(facts.due_from)}.{_offset_text(facts)}"


class PeriodHasNotEnded(GateRule):
    rule = "G9"
    remedy = Remedy.WAIT
    stops_for = BY_HAND
    shown_for = BY_HAND
    waits = True

    def stops(self, facts: Facts) -> bool:
        last_day = facts.unended_period_last_day
        return last_day is not None and last_day >= facts.as_of

    def stopped(self, facts: Facts) -> str:
        last_day = facts.unended_period_last_day or facts.as_of
        return (
            "It holds an arrears or usage charge whose period runs to "
            f"{day_text(last_day)}. It can be generated from "
            f"{day_text(last_day + timedelta(days=1))} on."
        )

    def passed(self, facts: Facts) -> str:
        return "No arrears or usage period on it is still running."


class NothingToBill(GateRule):
    rule = "G10"
    remedy = Remedy.USAGE
    stops_for = EVERY
    shown_for = EVERY
    outcome = Outcome.ZERO

    def stops(self, facts: Facts) -> bool:
        return not facts.billable

    def stopped(self, facts: Facts) -> str:
        return (
            "Its charges bill zero and have no quantity. They are marked invoiced at "
            "zero, without a document; usage recorded later makes them pending again."
        )

    def passed(self, facts: Facts) -> str:
        return "It holds charges to bill."


class TooManyOverdueDates(GateRule):
    rule = "G14"
    remedy = Remedy.REVIEW
    stops_for = UNATTENDED
    shown_for = UNATTENDED
    outcome = Outcome.DRAFT_HELD

    def stops(self, facts: Facts) -> bool:
        return facts.overdue_dates > facts.catch_up_limit

    def stopped(self, facts: Facts) -> str:
        return (
            f"{facts.overdue_dates} bill dates of the bill group are overdue, more "
            f"than the limit of {facts.catch_up_limit}. {_REVIEW_THE_DRAFT}"
        )

    def passed(self, facts: Facts) -> str:
        return (
            "No more bill dates of the bill group are overdue than the limit of "
            f"{facts.catch_up_limit}."
        )


class TotalJumps(GateRule):
    rule = "G14"
    remedy = Remedy.REVIEW
    stops_for = UNATTENDED
    shown_for = UNATTENDED
    outcome = Outcome.DRAFT_HELD

    def stops(self, facts: Facts) -> bool:
        total, last = facts.comparison_total, facts.last_comparison_total
        if total is None or not last:
            return False
        return total > last * facts.jump_limit

    def stopped(self, facts: Facts) -> str:
        total = _money_text(facts.comparison_total, facts.currency)
        last = _money_text(facts.last_comparison_total, facts.currency)
        return (
            f"Before tax, and with part periods at their full price, it comes to "
            f"{total}: more than {facts.jump_limit} times the last invoice, which came "
            f"to {last} by the same count. {_REVIEW_THE_DRAFT}"
        )

    def passed(self, facts: Facts) -> str:
        if not facts.last_comparison_total:
            return "The bill group has no earlier invoice to compare its total with."
        if facts.comparison_total is None:
            return "Its total is compared with the last invoice when it is generated."
        return (
            f"Its total is within {facts.jump_limit} times the bill group's last "
            "invoice."
        )


class RunMakesDrafts(GateRule):
    rule = "G17"
    remedy = Remedy.REVIEW
    stops_for = AT_NIGHT
    shown_for = AT_NIGHT
    outcome = Outcome.DRAFT_FOR_REVIEW

    def stops(self, facts: Facts) -> bool:
        return facts.review_before_issue

    def stopped(self, facts: Facts) -> str:
        return f"Settings ask for a review before issue. {_REVIEW_THE_DRAFT}"

    def passed(self, facts: Facts) -> str:
        return "Settings let the nightly run issue invoices without a review."


def _offset_text(facts: Facts) -> str:
    """Say how the due night differs from the bill date; empty when it does not."""
    if not facts.offset_days or facts.bill_date is None:
        return ""
    if not facts.effective_offset:
        return " Charges in arrears are never billed early."
    days = "day" if abs(facts.effective_offset) == 1 else "days"
    return (
        f" Its bill date is {day_text(facts.bill_date)}; Settings move that by "
        f"{facts.effective_offset:+d} {days}."
    )


def _money_text(amount: Decimal | None, currency: str) -> str:
    return f"{amount or Decimal():,.{currency_digits(currency)}f} {currency}"
