"""Crediting an invoice, and what waits for a second person, on the screen."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.models import BillGroup
from invoicing.admin.credit import CreditInvoice
from invoicing.admin.credit_decisions import (
    ApproveCredit,
    DeclineCredit,
    VoidCreditNote,
)
from invoicing.models import BalanceEntry, CreditLimit, CreditNote, Invoice
from invoicing.services.credits import credit_invoice
from invoicing.services.payments import record_payment
from tests.books import broken_invariants
from tests.factories import BillGroupFactory
from tests.staff import active_contract, client_of, company, person

pytestmark = pytest.mark.django_db

D = Decimal
TODAY = date(2026, 3, 10)


@pytest.fixture(autouse=True)
def tenth_of_march() -> Iterator[None]:
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        yield


@pytest.fixture
def invoice() -> Invoice:
    """One invoice of 100.00 USD, without tax."""
    group = BillGroupFactory.create(legal_entity=company())
    active_contract(group)
    return Invoice.objects.get()


def answers(**given: str) -> dict[str, str]:
    return {
        "what": "REMAINDER",
        "settlement": "BALANCE",
        "reason_code": "BILLING_ERROR",
        "reason": "Wrong price",
        **given,
    }


def line_field(invoice: Invoice) -> str:
    return f"line_{invoice.lines.get().pk}"


def pay(invoice: Invoice, amount: str) -> None:
    record_payment(
        bill_group=BillGroup.objects.get(pk=invoice.bill_group_id),
        amount=D(amount),
        received_on=TODAY,
        reference="",
        actor=None,
        today=TODAY,
    )


def confirm(client: Client, url: str, fields: dict[str, str]) -> Any:
    review = client.post(url, fields).context["review"]
    return client.post(
        url,
        {**fields, "_confirm": "1", "_reviewed": review.fingerprint},
        follow=True,
    )


def figures(page: Any) -> dict[str, str]:
    return {figure.label: figure.value for figure in page.context["review"].figures}


def limit(invoice: Invoice, amount: str) -> None:
    CreditLimit.objects.create(
        legal_entity=invoice.legal_entity, currency="USD", amount=D(amount)
    )


class TestForm:
    def test_a5_shows_what_the_invoice_claims_and_what_remains(
        self, invoice: Invoice
    ) -> None:
        pay(invoice, "30")

        page = client_of("Finance clerk").get(CreditInvoice.url(invoice.pk))

        assert figures(page) == {
            "Total": "100.00 USD",
            "Paid": "30.00 USD",
            "Credited before": "0.00 USD",
            "Due": "70.00 USD",
            "Left to credit": "100.00 USD",
        }
        assert not CreditNote.objects.exists()

    def test_a5_the_review_shows_both_parts(self, invoice: Invoice) -> None:
        pay(invoice, "30")

        page = client_of("Finance clerk").post(
            CreditInvoice.url(invoice.pk), answers(with_paid="on")
        )

        shown = figures(page)
        assert shown["Lowers what is due"] == "70.00 USD"
        assert shown["Gives back what was paid"] == "30.00 USD"
        assert not CreditNote.objects.exists()

    @pytest.mark.parametrize(
        "amount",
        [
            "0",
            "-1",
            "NaN",
            "1" + "0" * 400,
            "1.001",
            "\uff11\uff12",
            "1,5",
            "1e2",
            "100.01",
        ],
        ids=[
            "zero",
            "negative",
            "nan",
            "10_to_the_400",
            "too_many_decimals",
            "full_width",
            "decimal_comma",
            "exponent",
            "more_than_is_left",
        ],
    )
    def test_a9_an_amount_that_is_none_is_refused(
        self, invoice: Invoice, amount: str
    ) -> None:
        fields = answers(what="LINES", **{line_field(invoice): amount})

        page = client_of("Finance clerk").post(
            CreditInvoice.url(invoice.pk), {**fields, "_confirm": "1"}
        )

        assert page.status_code == 200
        assert page.context["form"].errors
        assert not CreditNote.objects.exists()

    def test_a9_a_line_of_another_customer_is_refused(self, invoice: Invoice) -> None:
        fields = answers(what="LINES", line_999999="1")

        page = client_of("Finance clerk").post(CreditInvoice.url(invoice.pk), fields)

        assert b"A chosen line is not on this invoice." in page.content

    def test_a9_amounts_beside_the_remainder_are_refused(
        self, invoice: Invoice
    ) -> None:
        fields = answers(**{line_field(invoice): "5"})

        page = client_of("Finance clerk").post(CreditInvoice.url(invoice.pk), fields)

        assert b"Choose one of them." in page.content

    def test_a5_a_paid_invoice_asks_for_the_tick(self, invoice: Invoice) -> None:
        pay(invoice, "100")

        page = client_of("Finance clerk").post(CreditInvoice.url(invoice.pk), answers())

        assert b"To give back what was paid, tick it" in page.content


class TestCredit:
    def test_a5_the_remainder_in_one_click(self, invoice: Invoice) -> None:
        page = confirm(
            client_of("Finance clerk"), CreditInvoice.url(invoice.pk), answers()
        )

        note = CreditNote.objects.get()
        invoice.refresh_from_db()
        assert (note.number, note.total) == ("CN-000001", D(100))
        assert invoice.status == "CREDITED"
        assert b"CN-000001 of 100.00 USD is issued." in page.content
        assert broken_invariants() == []

    def test_a9_chosen_amounts_of_lines(self, invoice: Invoice) -> None:
        fields = answers(what="LINES", **{line_field(invoice): "25.50"})

        confirm(client_of("Finance clerk"), CreditInvoice.url(invoice.pk), fields)

        invoice.refresh_from_db()
        assert invoice.amount_due == D("74.5")

    def test_a5_what_was_paid_is_given_back_to_the_balance(
        self, invoice: Invoice
    ) -> None:
        pay(invoice, "100")

        confirm(
            client_of("Finance clerk"),
            CreditInvoice.url(invoice.pk),
            answers(with_paid="on"),
        )

        assert BalanceEntry.objects.get().left == D(100)

    def test_a5_or_is_recorded_as_refunded(self, invoice: Invoice) -> None:
        pay(invoice, "100")

        confirm(
            client_of("Finance clerk"),
            CreditInvoice.url(invoice.pk),
            answers(with_paid="on", settlement="REFUND"),
        )

        assert CreditNote.objects.get().settlement == "REFUND"
        assert not BalanceEntry.objects.exists()

    def test_a10_a_stale_page_says_what_remains(self, invoice: Invoice) -> None:
        client = client_of("Finance clerk")
        url = CreditInvoice.url(invoice.pk)
        fields = answers(what="LINES", **{line_field(invoice): "60"})
        review = client.post(url, fields).context["review"]
        someone = person("Finance manager")
        credit_invoice(
            invoice=invoice,
            reason="Meanwhile",
            actor=someone,
            today=TODAY,
            lines={invoice.lines.get().pk: D(70)},
        )

        page = client.post(
            url, {**fields, "_confirm": "1", "_reviewed": review.fingerprint}
        )

        assert b"Only 30.00 is left to credit there, not 60." in page.content
        assert figures(page)["Left to credit"] == "30.00 USD"
        assert CreditNote.objects.count() == 1

    def test_a10_figures_that_changed_are_shown_again(self, invoice: Invoice) -> None:
        client = client_of("Finance clerk")
        url = CreditInvoice.url(invoice.pk)
        review = client.post(url, answers()).context["review"]
        pay(invoice, "10")

        page = client.post(
            url, {**answers(), "_confirm": "1", "_reviewed": review.fingerprint}
        )

        assert b"the figures have changed" in page.content
        assert not CreditNote.objects.exists()

    @pytest.mark.parametrize("amount", ["100", "40"], ids=["whole", "part"])
    def test_a_double_click_credits_once_and_lands_on_the_credit(
        self, invoice: Invoice, amount: str
    ) -> None:
        client = client_of("Finance clerk")
        url = CreditInvoice.url(invoice.pk)
        fields = answers(what="LINES", **{line_field(invoice): amount})
        review = client.post(url, fields).context["review"]
        fields |= {"_confirm": "1", "_reviewed": review.fingerprint}

        first, second = (client.post(url, fields) for _ in range(2))

        note = CreditNote.objects.get()
        page = reverse("admin:invoicing_creditnote_change", args=[note.pk])
        assert (first["Location"], second["Location"]) == (page, page)

    @pytest.mark.parametrize("role", ["Support", "Auditor"])
    def test_others_may_not(self, invoice: Invoice, role: str) -> None:
        client = client_of(role)

        assert client.get(CreditInvoice.url(invoice.pk)).status_code == 403
        answer = client.post(
            CreditInvoice.url(invoice.pk), {**answers(), "_confirm": "1"}
        )
        assert answer.status_code == 403
        assert not CreditNote.objects.exists()


class TestApproval:
    def test_a9_above_the_limit_the_page_says_so_and_it_waits(
        self, invoice: Invoice
    ) -> None:
        limit(invoice, "50")
        client = client_of("Finance clerk")

        review = client.post(CreditInvoice.url(invoice.pk), answers())
        page = confirm(client, CreditInvoice.url(invoice.pk), answers())

        assert b"above the limit of 50.00 USD" in review.content
        assert CreditNote.objects.get().status == "TO_APPROVE"
        assert b"Waits for a second person." in page.content

    def test_a9_what_waits_is_counted_on_today(self, invoice: Invoice) -> None:
        limit(invoice, "50")
        confirm(client_of("Finance clerk"), CreditInvoice.url(invoice.pk), answers())

        page = client_of("Finance manager").get("/admin/")

        assert b"Credits to approve" in page.content

    @pytest.mark.parametrize("role", ["Finance manager", "Administrator"])
    def test_a9_nobody_approves_their_own(self, invoice: Invoice, role: str) -> None:
        limit(invoice, "50")
        client = client_of(role)
        confirm(client, CreditInvoice.url(invoice.pk), answers())
        note = CreditNote.objects.get()

        shown = client.get(ApproveCredit.url(note.pk))
        client.post(ApproveCredit.url(note.pk), {"_confirm": "1"})

        note.refresh_from_db()
        assert b"Nobody approves their own credit." in shown.content
        assert note.status == "TO_APPROVE"

    def test_a9_approval_is_offered_to_a_second_person_only(
        self, invoice: Invoice
    ) -> None:
        limit(invoice, "50")
        asking = client_of("Finance manager")
        confirm(asking, CreditInvoice.url(invoice.pk), answers())
        note = CreditNote.objects.get()
        url = reverse("admin:invoicing_creditnote_change", args=[note.pk])

        own, other = (
            client.get(url) for client in (asking, client_of("Administrator"))
        )

        assert ApproveCredit.url(note.pk).encode() not in own.content
        assert b"someone else must approve it" in own.content
        assert ApproveCredit.url(note.pk).encode() in other.content

    def test_a9_a_second_person_approves(self, invoice: Invoice) -> None:
        limit(invoice, "50")
        confirm(client_of("Finance clerk"), CreditInvoice.url(invoice.pk), answers())
        note = CreditNote.objects.get()

        page = confirm(client_of("Finance manager"), ApproveCredit.url(note.pk), {})

        note.refresh_from_db()
        assert (note.status, note.number) == ("ISSUED", "CN-000001")
        assert b"CN-000001 of 100.00 USD is issued." in page.content
        assert broken_invariants() == []

    def test_a9_or_declines_with_a_reason(self, invoice: Invoice) -> None:
        limit(invoice, "50")
        confirm(client_of("Finance clerk"), CreditInvoice.url(invoice.pk), answers())
        note = CreditNote.objects.get()

        confirm(
            client_of("Finance manager"),
            DeclineCredit.url(note.pk),
            {"reason": "The price was right"},
        )

        note.refresh_from_db()
        assert note.status == "DECLINED"

    @pytest.mark.parametrize("action", [ApproveCredit, DeclineCredit, VoidCreditNote])
    def test_a9_a_clerk_decides_nothing(self, invoice: Invoice, action: Any) -> None:
        note = credit_invoice(invoice=invoice, reason="x", actor=None, today=TODAY)

        answer = client_of("Finance clerk").post(action.url(note.pk), {"_confirm": "1"})

        assert answer.status_code == 403

    def test_a9_a_manager_sets_the_limit_of_a_currency(self, invoice: Invoice) -> None:
        client = client_of("Finance manager")

        client.post(
            "/admin/invoicing/creditlimit/add/",
            {
                "legal_entity": invoice.legal_entity_id,
                "currency": "usd",
                "amount": "500",
            },
        )

        assert CreditLimit.objects.get().amount == D(500)
        assert client_of("Finance clerk").get(
            "/admin/invoicing/creditlimit/add/"
        ).status_code == (403)

    @pytest.mark.parametrize(
        ("currency", "amount"),
        [("JPY", "1.5"), ("XYZ", "1"), ("USD", "-1"), ("USD", "NaN")],
    )
    def test_a9_a_limit_that_is_none_is_refused(
        self, invoice: Invoice, currency: str, amount: str
    ) -> None:
        client_of("Finance manager").post(
            "/admin/invoicing/creditlimit/add/",
            {
                "legal_entity": invoice.legal_entity_id,
                "currency": currency,
                "amount": amount,
            },
        )

        assert not CreditLimit.objects.exists()


class TestNotes:
    def test_a9_a_note_is_voided_with_a_reason(self, invoice: Invoice) -> None:
        note = credit_invoice(invoice=invoice, reason="x", actor=None, today=TODAY)

        page = confirm(
            client_of("Finance manager"),
            VoidCreditNote.url(note.pk),
            {"reason": "By mistake"},
        )

        note.refresh_from_db()
        invoice.refresh_from_db()
        assert (note.status, invoice.status) == ("VOID", "OPEN")
        assert b"By mistake" in page.content
        assert broken_invariants() == []

    def test_a9_void_is_not_offered_once_the_money_was_refunded(
        self, invoice: Invoice
    ) -> None:
        pay(invoice, "100")
        confirm(
            client_of("Finance clerk"),
            CreditInvoice.url(invoice.pk),
            answers(with_paid="on", settlement="REFUND"),
        )
        note = CreditNote.objects.get()

        page = client_of("Finance manager").get(VoidCreditNote.url(note.pk))

        assert page.status_code == 409
        assert b"was refunded" in page.content

    def test_the_list_finds_filters_and_adds_up(self, invoice: Invoice) -> None:
        note = credit_invoice(invoice=invoice, reason="x", actor=None, today=TODAY)
        client = client_of("Auditor")
        url = reverse("admin:invoicing_creditnote_changelist")

        for query in (
            "",
            "?q=cn-000001",
            f"?q={invoice.number}",
            "?status=ISSUED&currency=usd",
        ):
            page = client.get(f"{url}{query}")
            assert list(page.context["cl"].result_list) == [note], query
            [total] = page.context["totals"]
            assert (total["count"], total["total"]) == (1, D(100))
        assert not list(client.get(f"{url}?status=VOID").context["cl"].result_list)

    def test_a_note_shows_its_lines_parts_and_history(self, invoice: Invoice) -> None:
        note = credit_invoice(
            invoice=invoice, reason="Wrong price", actor=None, today=TODAY
        )

        page = client_of("Auditor").get(
            reverse("admin:invoicing_creditnote_change", args=[note.pk])
        )

        for text in (b"Wrong price", b"Platform", b"Credit note issued", b"100.00"):
            assert text in page.content
