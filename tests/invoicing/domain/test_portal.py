"""The way of a document through a portal, every state to every other (F3)."""

from datetime import date
from itertools import product

import pytest

from invoicing.domain.portal import (
    STORED,
    PortalState,
    StepDateImpossible,
    StepNotPossible,
    can_step,
    check_step,
    check_step_date,
    standing,
)
from invoicing.domain.states import InvoiceStatus

ISSUED = date(2026, 1, 10)
TODAY = date(2026, 1, 20)
POSSIBLE = {
    ("TO_SUBMIT", "SUBMITTED"),
    ("DISPUTED", "SUBMITTED"),
    ("SUBMITTED", "ACCEPTED"),
    ("DISPUTED", "ACCEPTED"),
    ("SUBMITTED", "DISPUTED"),
    ("ACCEPTED", "DISPUTED"),
    ("TO_SUBMIT", "WITHDRAWN"),
    ("SUBMITTED", "WITHDRAWN"),
    ("DISPUTED", "WITHDRAWN"),
}


@pytest.mark.parametrize(("now", "to"), list(product(PortalState, PortalState)))
def test_f3_only_these_steps_are_possible(now: PortalState, to: PortalState) -> None:
    assert can_step(now, to) is ((now.value, to.value) in POSSIBLE)


def test_f3_refusal_says_where_it_is_and_from_where_it_could() -> None:
    with pytest.raises(StepNotPossible, match=r"INV-1 is paid\. Only one that is"):
        check_step("INV-1", now=PortalState.PAID, to=PortalState.DISPUTED)


@pytest.mark.parametrize("stored", STORED)
def test_f3_paid_follows_the_invoice_of_what_was_submitted(stored: PortalState) -> None:
    is_in_portal = stored in {"SUBMITTED", "ACCEPTED", "DISPUTED"}
    paid = standing(stored, invoice_status=InvoiceStatus.PAID)

    assert paid == (PortalState.PAID if is_in_portal else stored)
    assert standing(stored, invoice_status=InvoiceStatus.OPEN) == stored
    assert standing(stored, invoice_status=InvoiceStatus.CREDITED) == stored
    assert standing(stored, invoice_status=None) == stored


@pytest.mark.parametrize(
    ("on", "last", "said"),
    [
        pytest.param(date(2026, 1, 21), None, "lies in the future", id="future"),
        pytest.param(date(2026, 1, 9), None, "was issued on 10 Jan", id="before_issue"),
        pytest.param(
            date(2026, 1, 12), date(2026, 1, 13), "dated 13 Jan", id="before_last_step"
        ),
    ],
)
def test_f3_impossible_day_is_refused(on: date, last: date | None, said: str) -> None:
    with pytest.raises(StepDateImpossible, match=said):
        check_step_date("INV-1", on, issued=ISSUED, last=last, today=TODAY)


@pytest.mark.parametrize("on", [ISSUED, TODAY], ids=["day_of_issue", "today"])
def test_f3_first_and_last_possible_day_are_taken(on: date) -> None:
    check_step_date("INV-1", on, issued=ISSUED, last=None, today=TODAY)
