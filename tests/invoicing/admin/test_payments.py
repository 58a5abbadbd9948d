"""Payments on the screen: recorded, shown, taken back (M4)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.models import BillGroup
from invoicing.admin.payment import TakeBackPayment
from invoicing.admin.record_payment import (
    RecordPaymentOfAccount,
    RecordPaymentOfBillGroup,
    RecordPaymentOfInvoice,
)
from invoicing.models import BalanceEntry, Invoice, Payment
from invoicing.services.generation import generate_next_invoice
from invoicing.services.payments import record_payment
from tests.books import broken_invariants
from tests.factories import BillGroupFactory
from tests.staff import active_contract, client_of, company

pytestmark = pytest.mark.django_db

D = Decimal
TODAY = date(2026, 3, 10)


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def group() -> BillGroup:
    """Two open invoices of 100.00 USD, the first due first."""
    made: BillGroup = BillGroupFactory.create(legal_entity=company())
    active_contract(made)
    generate_next_invoice(bill_group=made, actor=None, today=TODAY)
    return made


def answers(group: BillGroup, amount: str, **given: str) -> dict[str, str]:
    return {
        "bill_group": str(group.pk),
        "amount": amount,
        "received_on": "2026-03-09",
        "reference": "Statement 7",
        "how": "OLDEST",
        **given,
    }


def confirm(client: Client, url: str, fields: dict[str, str]) -> Any:
    review = client.post(url, fields).context["review"]
    return client.post(
        url,
        {**fields, "_confirm": "1", "_reviewed": review.fingerprint},
        follow=True,
    )


def figures(page: Any) -> dict[str, str]:
    return {figure.label: figure.value for figure in page.context["review"].figures}


def dues() -> list[Decimal]:
    return [invoice.amount_due for invoice in Invoice.objects.order_by("sequence")]


def pay(group: BillGroup, amount: str, reference: str = "") -> Payment:
    return record_payment(
        bill_group=group,
        amount=D(amount),
        received_on=TODAY,
        reference=reference,
        actor=None,
        today=TODAY,
    )


class TestRecord:
    def test_m4_of_a_bill_group_pays_the_oldest_due_first(
        self, group: BillGroup
    ) -> None:
        client = client_of("Finance clerk")
        url = RecordPaymentOfBillGroup.url(group.pk)

        review = client.post(url, answers(group, "130"))
        page = confirm(client, url, answers(group, "130"))

        assert figures(review)["Pays invoices"] == "130.00 USD"
        assert dues() == [D(0), D(70)]
        assert b"130.00 USD recorded" in page.content
        assert broken_invariants() == []

    def test_m4_of_an_invoice_starts_with_what_is_due_on_it(
        self, group: BillGroup
    ) -> None:
        last = Invoice.objects.order_by("-sequence")[0]
        url = RecordPaymentOfInvoice.url(last.pk)
        client = client_of("Finance clerk")

        form = client.get(url).context["form"]
        confirm(
            client,
            url,
            answers(group, "100", how="CHOSEN", **{f"pays_{last.pk}": "100"}),
        )

        assert form["amount"].value() == "100"
        assert form[f"pays_{last.pk}"].value() == "100"
        assert dues() == [D(100), D(0)]

    def test_m4_of_an_account_asks_which_bill_group_paid(
        self, group: BillGroup
    ) -> None:
        other = BillGroupFactory.create(
            account=group.account, legal_entity=group.legal_entity
        )
        client = client_of("Finance clerk")
        url = RecordPaymentOfAccount.url(group.account_id)

        shown = client.get(url)
        confirm(client, url, answers(other, "10"))

        assert other.public_id.encode() in shown.content
        assert BalanceEntry.objects.get().bill_group == other
        assert dues() == [D(100), D(100)]

    def test_m4_the_review_shows_what_goes_to_the_balance(
        self, group: BillGroup
    ) -> None:
        page = client_of("Finance clerk").post(
            RecordPaymentOfBillGroup.url(group.pk), answers(group, "250")
        )

        assert figures(page)["Goes to the credit balance"] == "50.00 USD"
        assert not Payment.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("amount", "0", "more than zero"),
            ("amount", "-5", "negative"),
            ("amount", "NaN", "not a number"),
            ("amount", "9" * 400, "too long"),
            ("amount", "1.001", "after the decimal point"),
            ("amount", "\uff11\uff12", "digits"),
            ("amount", "1,000", "comma"),
            ("received_on", "2026-03-11", "has not come yet"),
            ("received_on", "soon", "valid date"),
            ("bill_group", "1", "not one of the available"),
            ("reference", "x" * 101, "at most 100"),
            ("pays_999999", "5", "another customer"),
        ],
    )
    def test_bad_input_is_refused_with_a_sentence(
        self, group: BillGroup, field: str, value: str, said: str
    ) -> None:
        fields = answers(group, "10") | {field: value, "_confirm": "1"}

        page = client_of("Finance clerk").post(
            RecordPaymentOfBillGroup.url(group.pk), fields
        )

        assert page.status_code == 200
        assert said in str(page.context["form"].errors)
        assert not Payment.objects.exists()

    def test_m4_the_same_payment_again_is_refused(self, group: BillGroup) -> None:
        client = client_of("Finance clerk")
        url = RecordPaymentOfBillGroup.url(group.pk)
        confirm(client, url, answers(group, "10"))

        page = client.post(url, answers(group, "10"))

        assert b"was recorded already" in page.content
        assert Payment.objects.count() == 1

    def test_a_stale_page_is_shown_again(self, group: BillGroup) -> None:
        client = client_of("Finance clerk")
        url = RecordPaymentOfBillGroup.url(group.pk)
        fields = answers(group, "10")
        review = client.post(url, fields).context["review"]
        pay(group, "20")

        page = client.post(
            url, {**fields, "_confirm": "1", "_reviewed": review.fingerprint}
        )

        assert b"the figures have changed" in page.content
        assert Payment.objects.count() == 1

    @pytest.mark.parametrize("reference", ["", "Statement 7"])
    def test_a_double_click_records_once_and_lands_on_the_payment(
        self, group: BillGroup, reference: str
    ) -> None:
        client = client_of("Finance clerk")
        url = RecordPaymentOfBillGroup.url(group.pk)
        fields = answers(group, "10", reference=reference)
        review = client.post(url, fields).context["review"]
        fields |= {"_confirm": "1", "_reviewed": review.fingerprint}

        first, second = (client.post(url, fields) for _ in range(2))

        page = reverse(
            "admin:invoicing_payment_change", args=[Payment.objects.get().pk]
        )
        assert (first["Location"], second["Location"]) == (page, page)

    @pytest.mark.parametrize("role", ["Support", "Auditor"])
    def test_others_may_not(self, group: BillGroup, role: str) -> None:
        answer = client_of(role).post(
            RecordPaymentOfBillGroup.url(group.pk),
            {**answers(group, "10"), "_confirm": "1"},
        )

        assert answer.status_code == 403
        assert not Payment.objects.exists()


class TestTakeBack:
    def test_m4_its_invoices_are_due_again(self, group: BillGroup) -> None:
        payment = pay(group, "250")
        client = client_of("Finance manager")

        review = client.get(TakeBackPayment.url(payment.pk))
        page = confirm(
            client, TakeBackPayment.url(payment.pk), {"reason": "It bounced"}
        )

        shown = figures(review)
        assert shown["Taken from invoices"] == "200.00 USD"
        assert shown["Taken from the balance"] == "50.00 USD"
        assert dues() == [D(100), D(100)]
        assert b"It bounced" in page.content
        assert broken_invariants() == []

    def test_m4_once(self, group: BillGroup) -> None:
        payment = pay(group, "10")
        client = client_of("Finance manager")
        confirm(client, TakeBackPayment.url(payment.pk), {"reason": "x"})

        again = client.get(TakeBackPayment.url(payment.pk))

        assert again.status_code == 409

    def test_m4_not_by_a_clerk(self, group: BillGroup) -> None:
        payment = pay(group, "10")

        answer = client_of("Finance clerk").post(
            TakeBackPayment.url(payment.pk), {"reason": "x", "_confirm": "1"}
        )

        assert answer.status_code == 403


class TestPages:
    def test_the_list_finds_filters_and_adds_up(self, group: BillGroup) -> None:
        payment = pay(group, "30", reference="Statement 7")
        client = client_of("Auditor")
        url = reverse("admin:invoicing_payment_changelist")
        paid = Invoice.objects.order_by("sequence")[0].number

        for query in (
            "",
            "?q=Statement 7",
            f"?q={paid}",
            f"?state=stands&bill_group={group.public_id}",
            f"?account={group.account.number}&currency=usd",
        ):
            page = client.get(f"{url}{query}")
            assert list(page.context["cl"].result_list) == [payment], query
            [total] = page.context["totals"]
            assert (total["count"], total["total"]) == (1, D(30))
            assert b"invalid name" not in page.content
        assert not list(client.get(f"{url}?state=taken_back").context["cl"].result_list)

    def test_m4_a_payment_shows_what_it_paid_and_left(self, group: BillGroup) -> None:
        payment = pay(group, "250")

        page = client_of("Auditor").get(
            reverse("admin:invoicing_payment_change", args=[payment.pk])
        )

        for invoice in Invoice.objects.all():
            assert str(invoice).encode() in page.content
        assert b"What it left as credit balance" in page.content

    def test_m4_the_balance_stands_on_bill_group_and_account(
        self, group: BillGroup
    ) -> None:
        pay(group, "250")
        client = client_of("Auditor")

        of_group = client.get(
            reverse("admin:billing_billgroup_change", args=[group.pk])
        )
        of_account = client.get(
            reverse("admin:billing_account_overview", args=[group.account_id])
        )

        for page in (of_group, of_account):
            assert b"Credit balance" in page.content
            assert b"50.00" in page.content
