"""The way of a document through the customer's portal, as a state machine (F3).

    to submit -> submitted -> accepted
                     |  ^         |
                     v  |         |
                   disputed <-----+      withdrawn: from what is not accepted

What a person notes is stored. *Paid* is not: a document stands as paid while it was
submitted and its invoice is paid, so it follows the payments by itself, back too when
one is taken back. Accepted, paid and withdrawn close a document; a disputed one is
settled by being submitted again, accepted or paid.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from billing.domain.dates import day_text
from invoicing.domain.states import InvoiceStatus


class PortalState(StrEnum):
    """Where a document stands; PAID is derived and never stored."""

    TO_SUBMIT = "TO_SUBMIT"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    DISPUTED = "DISPUTED"
    WITHDRAWN = "WITHDRAWN"
    PAID = "PAID"


STORED: Final = tuple(state for state in PortalState if state != PortalState.PAID)
IN_PORTAL: Final = (PortalState.SUBMITTED, PortalState.ACCEPTED, PortalState.DISPUTED)
CLOSED: Final = (PortalState.ACCEPTED, PortalState.PAID, PortalState.WITHDRAWN)

# From where a person can take a document to a state.
BEFORE: Final[Mapping[PortalState, tuple[PortalState, ...]]] = {
    PortalState.SUBMITTED: (PortalState.TO_SUBMIT, PortalState.DISPUTED),
    PortalState.ACCEPTED: (PortalState.SUBMITTED, PortalState.DISPUTED),
    PortalState.DISPUTED: (PortalState.SUBMITTED, PortalState.ACCEPTED),
    PortalState.WITHDRAWN: (
        PortalState.TO_SUBMIT,
        PortalState.SUBMITTED,
        PortalState.DISPUTED,
    ),
}
WORDS: Final[Mapping[PortalState, str]] = {
    PortalState.TO_SUBMIT: "to submit",
    PortalState.SUBMITTED: "submitted",
    PortalState.ACCEPTED: "accepted",
    PortalState.DISPUTED: "disputed",
    PortalState.WITHDRAWN: "withdrawn",
    PortalState.PAID: "paid",
}


class StepNotPossible(ValueError):
    """A document can't be taken to a state from where it is (any more)."""

    def __init__(self, document: str, now: PortalState, to: PortalState) -> None:
        possible = " or ".join(WORDS[state] for state in BEFORE[to])
        super().__init__(
            f"{document} is {WORDS[now]}. Only one that is {possible} can be marked "
            f"{WORDS[to]}. Nothing was changed for it."
        )


class VoidIsNotSubmitted(StepNotPossible):
    """A credit note that was voided: nothing that should be in the portal."""

    def __init__(self, document: str) -> None:
        ValueError.__init__(
            self,
            f"{document} is void. Withdraw it, in the portal too. Nothing was changed "
            "for it.",
        )


class StepDateImpossible(ValueError):
    """A step dated in the future, or before what it follows; the text says which."""


def standing(
    stored: PortalState, *, invoice_status: InvoiceStatus | None
) -> PortalState:
    """Return where a document stands; of a credit note there is no invoice status.

    >>> standing(PortalState.ACCEPTED, invoice_status=InvoiceStatus.PAID).value
    'PAID'
    >>> standing(PortalState.TO_SUBMIT, invoice_status=InvoiceStatus.PAID).value
    'TO_SUBMIT'
    """
    if stored in IN_PORTAL and invoice_status == InvoiceStatus.PAID:
        return PortalState.PAID
    return stored


def can_step(now: PortalState, to: PortalState) -> bool:
    """Tell whether a document that stands so can be taken there.

    >>> can_step(PortalState.DISPUTED, PortalState.SUBMITTED)
    True
    """
    return now in BEFORE.get(to, ())


def check_step(
    document: str, *, now: PortalState, to: PortalState, is_void: bool = False
) -> None:
    """Raise `StepNotPossible` unless a document that stands so can be taken there."""
    if not can_step(now, to):
        raise StepNotPossible(document, now, to)
    if is_void and to is PortalState.SUBMITTED:
        raise VoidIsNotSubmitted(document)


def check_step_date(
    document: str, on: date, *, issued: date, last: date | None, today: date
) -> None:
    """Refuse a day in the future, before the issue, or before the last step.

    Raises `StepDateImpossible`.
    """
    if on > today:
        raise StepDateImpossible(
            f"{day_text(on)} lies in the future; today is {day_text(today)}."
        )
    if on < issued:
        raise StepDateImpossible(
            f"{document} was issued on {day_text(issued)}, after {day_text(on)}."
        )
    if last is not None and on < last:
        raise StepDateImpossible(
            f"What happened last with {document} is dated {day_text(last)}, after "
            f"{day_text(on)}."
        )
