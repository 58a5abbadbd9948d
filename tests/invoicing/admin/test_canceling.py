"""Canceling contracts through the admin (S1, S2)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client

from contracts.models import Contract
from invoicing.admin.canceling import CancelContract, UndoCancellation
from invoicing.models import CreditNote
from tests.staff import active_contract, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tenth_of_january() -> Iterator[None]:
    with time_machine.travel("2026-01-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def contract() -> Contract:
    """100.00 a month over 2026; January is invoiced."""
    return active_contract()


ANSWERS = {"last_day": "2026-01-15", "unused": "DAYS", "reason": "Customer left"}


def confirm(client: Client, url: str, **answers: Any) -> Any:
    """Look at the review, then confirm what it shows."""
    review = client.post(url, answers).context["review"]
    return client.post(
        url, {**answers, "_confirm": "1", "_reviewed": review.fingerprint}
    )


def test_s1_the_review_shows_what_it_takes_off_and_credits(contract: Contract) -> None:
    page = client_of("Finance manager").post(CancelContract.url(contract.pk), ANSWERS)

    figures = {f.label: f.value for f in page.context["review"].figures}
    assert figures["Last day of service"] == "15 Jan 2026"
    assert figures["Taken off, before tax"] == "1,100.00 USD"
    assert figures["Credited, with tax"] == "51.61 USD"
    assert b"Billed beyond the last day" in page.content
    contract.refresh_from_db()
    assert contract.last_day is None


def test_s1_it_is_done_as_reviewed(contract: Contract) -> None:
    page = confirm(
        client_of("Finance manager"), CancelContract.url(contract.pk), **ANSWERS
    )

    contract.refresh_from_db()
    assert page.status_code == 302
    assert contract.last_day == date(2026, 1, 15)
    assert str(CreditNote.objects.get().total.normalize()) == "51.61"


def test_s1_each_issued_charge_has_a_choice_of_its_own(contract: Contract) -> None:
    """A choice that changes the figures is shown before it is done."""
    client, url = client_of("Finance manager"), CancelContract.url(contract.pk)
    charge = contract.charges.get(period_start=date(2026, 1, 1))
    review = client.post(url, ANSWERS).context["review"]
    changed = {**ANSWERS, f"unused_{charge.pk}": "ALL"}

    shown = client.post(
        url, {**changed, "_confirm": "1", "_reviewed": review.fingerprint}
    )

    assert b"Nothing was done" in shown.content
    assert not CreditNote.objects.exists()
    confirm(client, url, **changed)
    assert str(CreditNote.objects.get().total.normalize()) == "1E+2"


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"last_day": "2027-01-01"}, b"lies after the end of the contract"),
        ({"last_day": "2025-12-30"}, b"already means never served"),
        ({"last_day": "soon"}, b"Enter a valid date"),
        ({"reason": ""}, b"This field is required"),
    ],
)
def test_s1_what_makes_no_sense_is_said(
    contract: Contract, answers: dict[str, str], sentence: bytes
) -> None:
    page = client_of("Finance manager").post(
        CancelContract.url(contract.pk), ANSWERS | answers | {"_confirm": "1"}
    )

    assert sentence in page.content
    contract.refresh_from_db()
    assert contract.last_day is None


def test_s2_undone_until_the_day(contract: Contract) -> None:
    client = client_of("Finance manager")
    confirm(client, CancelContract.url(contract.pk), **ANSWERS | {"unused": "NOTHING"})

    page = confirm(client, UndoCancellation.url(contract.pk), reason="Stays")

    contract.refresh_from_db()
    assert page.status_code == 302
    assert contract.last_day is None
    assert contract.charges.filter(state="PENDING").count() == 11


@pytest.mark.parametrize("role", ["Finance clerk", "Support", "Auditor"])
@pytest.mark.parametrize("action", [CancelContract, UndoCancellation])
def test_others_are_refused_on_the_server(
    contract: Contract, action: Any, role: str
) -> None:
    page = client_of(role).post(action.url(contract.pk), ANSWERS)

    assert page.status_code == 403
