"""Bad input to every form of money and dates: a sentence, and nothing is changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import AccountingPeriod, BillGroup, InvoicingSettings
from billing.services.periods import close_period
from contracts.models import Contract
from invoicing.admin.amend import AmendContract
from invoicing.admin.canceling import CancelContract
from invoicing.admin.credit import CreditInvoice
from invoicing.admin.credit_decisions import ApproveCredit
from invoicing.admin.periods import CloseMonth
from invoicing.admin.reactivation import ReactivateBillGroup
from invoicing.admin.readdress import EditAddress
from invoicing.admin.record_payment import RecordPaymentOfBillGroup
from invoicing.models import CreditLimit, CreditNote, Invoice
from invoicing.services.addresses import shown_address
from invoicing.services.generation import run_invoicing
from tests.books import broken_invariants
from tests.config.test_doors import written
from tests.staff import active_contract, client_of

pytestmark = pytest.mark.django_db

JAN_1 = date(2026, 1, 1)
# What is no amount anywhere; in some forms a zero is one.
NO_AMOUNT = {
    "negative": "-1",
    "not_a_number": "NaN",
    "infinity": "Infinity",
    "ten_to_the_400": "1" + "0" * 400,
    "exponent": "1e400",
    "too_many_decimals": "1.0000001",
    "full_width_digits": "\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT ZERO}",
    "comma": "1,5",
    "words": "ten",
}
NO_DATE = {"no_such_day": "2026-02-30", "far_off": "99999-01-01", "words": "tomorrow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """A contract of 100.00 a month from January; January and February are invoiced."""

    contract: Contract

    @property
    def group(self) -> BillGroup:
        """Who is billed."""
        return self.contract.bill_group

    @property
    def january(self) -> Invoice:
        """The first invoice."""
        return Invoice.objects.order_by("bill_date")[0]

    @property
    def line_id(self) -> int:
        """The line of the contract."""
        return self.contract.lines.get().pk


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form: its address, answers that would do, and what may be put in a field."""

    url: Callable[[Sold], str]
    good: Callable[[Sold], dict[str, str]]
    bad: dict[str, dict[str, str]] = field(default_factory=dict)


def credit_answers(sold: Sold) -> dict[str, str]:
    return {
        "what": "LINES",
        f"line_{sold.january.lines.get().pk}": "10",
        "settlement": "BALANCE",
        "reason_code": "BILLING_ERROR",
        "reason": "Wrong",
    }


def payment_answers(sold: Sold) -> dict[str, str]:
    return {
        "bill_group": str(sold.group.pk),
        "amount": "10",
        "received_on": "2026-02-01",
        "reference": "",
        "how": "CHOSEN",
        f"pays_{sold.january.pk}": "10",
    }


def amend_answers(sold: Sold) -> dict[str, str]:
    return {
        "version": str(sold.contract.version),
        "effective_date": "2026-01-01",
        "reason": "Wrong",
        f"line_{sold.line_id}_unit_price": "50",
        "new-TOTAL_FORMS": "0",
        "new-INITIAL_FORMS": "0",
    }


def address_answers(sold: Sold) -> dict[str, str]:
    now = shown_address(sold.january).as_dict()
    return now | {"line1": "New Street 9", "reason": "Moved"}


def cancel_answers(sold: Sold) -> dict[str, str]:
    return {"last_day": "2026-02-20", "unused": "NOTHING", "reason": "Left"}


FORMS = {
    "credit": Form(
        url=lambda sold: CreditInvoice.url(sold.january.pk),
        good=credit_answers,
        bad={
            "line": NO_AMOUNT | {"zero": "0", "more_than_remains": "100.01"},
            "line_cents": {"more_digits_than_the_currency": "1.001"},
            "what": {"nothing_of_the_kind": "ALL"},
            "settlement": {"nowhere": "PLANET"},
            "reason": {"none": " "},
            "line_999999": {"another_customers_line": "1"},
        },
    ),
    "payment": Form(
        url=lambda sold: RecordPaymentOfBillGroup.url(sold.group.pk),
        good=payment_answers,
        bad={
            "amount": NO_AMOUNT | {"zero": "0", "less_than_chosen": "9"},
            "pays": NO_AMOUNT | {"zero": "0", "more_than_is_due": "100.01"},
            "received_on": NO_DATE | {"to_come": "2026-02-11"},
            "bill_group": {"another_customers": "999999"},
            "pays_999999": {"another_customers_invoice": "1"},
        },
    ),
    "amend": Form(
        url=lambda sold: AmendContract.url(sold.contract.pk),
        good=amend_answers,
        bad={
            "price": NO_AMOUNT,
            "quantity": NO_AMOUNT,
            "discount": NO_AMOUNT | {"more_than_all": "100.1"},
            "effective_date": NO_DATE
            | {"before_the_start": "2025-12-31", "after_the_end": "2027-01-01"},
            "version": {"stale": "999", "no_number": "x"},
            "reason": {"none": ""},
        },
    ),
    "cancel": Form(
        url=lambda sold: CancelContract.url(sold.contract.pk),
        good=cancel_answers,
        bad={
            "last_day": NO_DATE
            | {"before_the_start": "2025-12-30", "after_the_end": "2027-01-01"},
            "unused": {"nothing_of_the_kind": "SOME"},
            "reason": {"none": ""},
        },
    ),
    "address": Form(
        url=lambda sold: EditAddress.url(sold.january.pk),
        good=address_answers,
        bad={
            "name": {"none": " ", "too_long": "x" * 201},
            "country": {
                "digits": "12",
                "full_width": "\N{FULLWIDTH LATIN CAPITAL LETTER D}",
            }
            | {"another_tax": "JP", "a_name": "Germany"},
            "reason": {"none": " "},
        },
    ),
}


@pytest.fixture(autouse=True)
def midday() -> Iterator[None]:
    with time_machine.travel("2026-02-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def sold() -> Sold:
    contract = active_contract()
    run_invoicing(as_of=date(2026, 2, 1))
    contract.refresh_from_db()
    return Sold(contract=contract)


def name_of(short: str, sold: Sold) -> str:
    """Return the name of a field that holds the id of a row."""
    return {
        "line": f"line_{sold.january.lines.get().pk}",
        "line_cents": f"line_{sold.january.lines.get().pk}",
        "pays": f"pays_{sold.january.pk}",
        "price": f"line_{sold.line_id}_unit_price",
        "quantity": f"line_{sold.line_id}_quantity",
        "discount": f"line_{sold.line_id}_discount_percent",
    }.get(short, short)


def sentences(page: Any) -> list[str]:
    """Return what the page says is wrong: of the form, or of the whole."""
    assert page.status_code in {200, 409}, page.status_code
    form, review = page.context.get("form"), page.context.get("review")
    said = (
        [str(error) for errors in form.errors.values() for error in errors]
        if (form is not None and form.is_bound)
        else []
    )
    return said + ([review.refusal] if review and review.refusal else [])


def confirm(client: Client, url: str, answers: dict[str, str]) -> Any:
    """Look at the review and confirm it, as a person does."""
    review = client.post(url, answers).context["review"]
    fingerprint = review.fingerprint if review else ""
    return client.post(url, answers | {"_confirm": "1", "_reviewed": fingerprint})


@pytest.mark.parametrize("name", FORMS)
def test_bad_input_gets_a_sentence_and_changes_nothing(sold: Sold, name: str) -> None:
    form = FORMS[name]
    client = client_of("Finance manager")
    url, good = form.url(sold), form.good(sold)
    accepted = client.post(url, good)
    assert sentences(accepted) == []
    assert accepted.context["review"] is not None
    before = written()

    silent = [
        (short, why)
        for short, values in form.bad.items()
        for why, value in values.items()
        if not sentences(confirm(client, url, good | {name_of(short, sold): value}))
    ]

    assert silent == []
    assert written() == before


@pytest.mark.parametrize(
    "country", ["12", "D", "\N{FULLWIDTH LATIN CAPITAL LETTER D}E"]
)
def test_d2_a_draft_gets_no_country_that_is_none(sold: Sold, country: str) -> None:
    InvoicingSettings.objects.create(
        legal_entity=sold.group.legal_entity, review_before_issue=True
    )
    run_invoicing(as_of=date(2026, 3, 1))
    draft = Invoice.objects.get(status="DRAFT")
    client = client_of("Finance clerk")
    before = written()

    page = confirm(
        client, EditAddress.url(draft.pk), address_answers(sold) | {"country": country}
    )

    assert sentences(page)
    assert written() == before


@pytest.mark.parametrize("name", FORMS)
def test_a_double_click_has_one_effect(sold: Sold, name: str) -> None:
    form = FORMS[name]
    client = client_of("Finance manager")
    url, good = form.url(sold), form.good(sold)
    fingerprint = client.post(url, good).context["review"].fingerprint
    confirmed = good | {"_confirm": "1", "_reviewed": fingerprint}
    before = written()

    first = client.post(url, confirmed)
    after = written()
    second = client.post(url, confirmed)

    assert first.status_code == 302
    assert after != before
    assert written() == after
    # It lands on the result, or says what stands in its way now.
    assert second.status_code == 302 or sentences(second)
    assert broken_invariants() == []


@pytest.mark.parametrize("name", FORMS)
def test_a_stale_page_changes_nothing(sold: Sold, name: str) -> None:
    """What was reviewed no longer holds: it is shown again (A10)."""
    form = FORMS[name]
    client = client_of("Finance manager")
    url, good = form.url(sold), form.good(sold)
    before = written()

    page = client.post(url, good | {"_confirm": "1", "_reviewed": "of-yesterday"})

    assert page.status_code == 200
    assert page.context["has_changed"]
    assert written() == before


def close_january(sold: Sold) -> None:
    period = AccountingPeriod(legal_entity=sold.group.legal_entity, month=JAN_1)
    close_period(period=period, actor=None)


@pytest.mark.parametrize(
    "month", ["2026-02", "2026-03", "2025-12", "2026-13", "x", "", "10000-01"]
)
def test_m6_only_the_next_ended_month_is_closed(sold: Sold, month: str) -> None:
    close_january(sold)
    client = client_of("Finance manager")
    url = f"{CloseMonth.url(sold.group.legal_entity_id)}?month={month}"
    before = written()

    page = client.get(url)
    again = client.post(url, {"_confirm": "1", "seen": "on"})

    assert sentences(page)
    assert sentences(again)
    assert written() == before


@pytest.mark.parametrize("choice", ["NONSENSE", "BILL "])
def test_s3_a_choice_that_is_none_reactivates_nothing(sold: Sold, choice: str) -> None:
    BillGroup.objects.filter(pk=sold.group.pk).update(status="INACTIVE")
    with time_machine.travel("2026-04-10T12:00:00Z", tick=False):
        client = client_of("Finance manager")
        url = ReactivateBillGroup.url(sold.group.pk)
        before = written()

        page = client.post(
            url, {"_confirm": "1", "of_20260301": choice, "of_20260401": "SKIP"}
        )

    assert sentences(page)
    assert written() == before


class TestLimit:
    """A9: above the limit a second person agrees, whoever splits it how."""

    def credit(self, client: Client, sold: Sold, amount: str) -> CreditNote:
        line = f"line_{sold.january.lines.get().pk}"
        answers = credit_answers(sold) | {line: amount}
        url = CreditInvoice.url(sold.january.pk)
        page = confirm(client, url, answers)
        assert page.status_code == 302
        return CreditNote.objects.latest("pk")

    @pytest.fixture(autouse=True)
    def limit(self, sold: Sold) -> None:
        CreditLimit.objects.create(
            legal_entity=sold.group.legal_entity, currency="USD", amount=Decimal(50)
        )

    def test_a9_a_split_credit_counts_together(self, sold: Sold) -> None:
        client = client_of("Finance clerk")

        notes = [self.credit(client, sold, "30") for _ in range(2)]

        assert [note.status for note in notes] == ["ISSUED", "TO_APPROVE"]
        assert broken_invariants() == []

    def test_a9_nobody_approves_their_own(self, sold: Sold) -> None:
        client = client_of("Finance manager")
        note = self.credit(client, sold, "60")
        url = ApproveCredit.url(note.pk)
        before = written()

        page = client.get(url)
        confirmed = client.post(url, {"_confirm": "1", "_reviewed": ""})

        assert sentences(page)
        assert sentences(confirmed)
        assert written() == before
